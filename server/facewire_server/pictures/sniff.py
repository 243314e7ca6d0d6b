"""Recognizes a format by the first bytes, and names those that are not read.

Signatures are those of the formats' specifications, as listed in the WHATWG's "MIME Sniffing" and in the
database of the `file` command.
"""

import re
from typing import Final

from facewire_server.errors import UndecodableImage
from facewire_server.types import PictureFormat

__all__ = ["sniff"]

_SEARCHED_BYTES: Final = 1024
"""Bytes before a picture that are looked through for its begin. Chosen, not measured: headers of HTTP or of a part of
a multipart stream are shorter."""

_CONVERT: Final = "convert it to JPEG, PNG or WebP"

_READ: Final = (
    (re.compile(rb"\xff\xd8\xff"), PictureFormat.JPEG),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), PictureFormat.PNG),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), PictureFormat.WEBP),
    (re.compile(rb"GIF8[79]a"), PictureFormat.GIF),
    (re.compile(rb"BM"), PictureFormat.BMP),
)
_BEGINS: Final = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]|\x89PNG\r\n\x1a\n|RIFF....WEBP", re.DOTALL)

_NAMED: Final = (
    (rb"II\*\0\x10\0\0\0CR|IIRO|IIRS|IIU\0|FUJIFILMCCD-RAW", "a camera's raw file", _CONVERT),
    (rb"II\*\0|MM\0\*|II\+\0|MM\0\+", "a TIFF picture (or a camera's raw file)", _CONVERT),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 picture", _CONVERT),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "a JPEG XL picture", _CONVERT),
    (rb"II\xbc\x01", "a JPEG XR picture", _CONVERT),
    (rb"8BPS", "a Photoshop file", _CONVERT),
    (rb"\0\0\x01\0", "an icon", _CONVERT),
    (rb"P[1-7]\s", "a PNM picture", _CONVERT),
    (rb"#\?RADIANCE|#\?RGBE|v/1\x01", "a picture of high dynamic range", _CONVERT),
    (rb"%PDF-", "a PDF document", "send the picture in it as JPEG or PNG"),
    (
        rb"RIFF....AVI |\x1aE\xdf\xa3|FLV\x01|OggS|\0\0\x01[\xb3\xba]",
        "a film",
        "send single pictures of it",
    ),
    (
        rb"\0\0\0?\x01[\x06\x09\x27\x40\x42\x67]",
        "a stream of coded video",
        "decode it, and send single pictures of it",
    ),
    (rb"\xff\xd9", "the end of a JPEG picture, without its begin", "send whole pictures"),
    (rb"\s*<(?:svg|\?xml[^>]*>\s*<svg)", "an SVG drawing", _CONVERT),
    (rb"\s*<", "an HTML or XML page", "perhaps an error page that came instead of a picture"),
    (rb'\s*[{\[]\s*["{\[\]}]', "a JSON text", "perhaps an error that came instead of a picture"),
    (rb"data:image/", "a data URL", "decode its base64"),
    (rb"/9j/4|iVBORw0KGgo|UklGR", "a picture in base64", "decode it, and send its bytes"),
    (rb"PK\x03\x04|\x1f\x8b|7z\xbc\xaf|Rar!", "a compressed archive", "send the pictures in it"),
)
"""What may hold a JPEG near its begin, and is nevertheless no JPEG."""

_REMAINS: Final = (
    (rb"HTTP/\d|--[^\r\n]+\r?\n|Content-", "a header of HTTP", "send the picture without it"),
    (rb"\0{16}", "nothing but zeros at its begin", "the picture was lost before it was sent"),
)
"""What is left of a message or of a lost picture."""

_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF: Final = frozenset({b"avif", b"avis"})
"""Brands of ISO/IEC 23008-12 (HEIF) and of the AVIF specification."""


def sniff(data: bytes) -> PictureFormat:
    """Returns the format of a file.

    Raises:
        UndecodableImage: a format that is not read. The text names it, if it is known, and says what to do.
    """
    for pattern, layout in _READ:
        if pattern.match(data):
            return layout
    if data[4:8] == b"ftyp":
        return _of_brands(data)
    head = data[: _SEARCHED_BYTES + 16]
    _refuse_named(head, _NAMED)
    found = _BEGINS.search(head)
    if found and found.start() <= _SEARCHED_BYTES:
        raise UndecodableImage(
            f"bytes stand before the picture: a {sniff(found[0]).value} begins at byte {found.start()}; "
            "send the file from there on"
        )
    _refuse_named(head, _REMAINS)
    raise UndecodableImage(
        "the picture is neither JPEG, PNG, WebP, BMP, GIF nor AVIF; raw formats must be named"
    )


def _refuse_named(head: bytes, table: tuple[tuple[bytes, str, str], ...]) -> None:
    for pattern, name, advice in table:
        if re.match(pattern, head, re.DOTALL):
            raise UndecodableImage(f"the picture is {name}, which is not read; {advice}")


def _of_brands(data: bytes) -> PictureFormat:
    """Returns AVIF, or raises; of a file of ISO/IEC 14496-12, whose first box lists what can read it."""
    length = int.from_bytes(data[:4], "big")
    box = data[8 : min(max(length, 12), _SEARCHED_BYTES)]
    brands = {box[at : at + 4] for at in range(0, len(box) - 3, 4)}
    if brands & _AVIF:
        return PictureFormat.AVIF
    if brands & _HEIC or box[:4] in (b"mif1", b"msf1"):
        raise UndecodableImage(f"the picture is a HEIC picture, which is not read; {_CONVERT}")
    if box[:4] == b"crx ":
        raise UndecodableImage(f"the picture is a camera's raw file, which is not read; {_CONVERT}")
    raise UndecodableImage("the picture is a film, which is not read; send single pictures of it")
