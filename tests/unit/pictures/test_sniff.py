"""What is not read is named, with what to do."""

import pytest

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureFormat, PictureLimits
from fakes.odd_pictures import encoded, scene

LIMITS = PictureLimits(1 << 24, 50_000_000)


def brands(*names: str) -> bytes:
    body = names[0].encode() + bytes(4) + b"".join(name.encode() for name in names[1:])
    return (8 + len(body)).to_bytes(4, "big") + b"ftyp" + body + bytes(100)


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (brands("heic", "mif1"), "a HEIC picture, .* convert it to JPEG"),
        (brands("mif1", "heic"), "a HEIC picture"),
        (brands("heix"), "a HEIC picture"),
        (brands("msf1", "hevc"), "a HEIC picture"),
        (brands("isom", "mp41"), "a film"),
        (brands("qt  "), "a film"),
        (brands("crx "), "raw file"),
        (b"II*\0\x08\0\0\0", "a TIFF picture"),
        (b"MM\0*\0\0\0\x08", "a TIFF picture"),
        (b"II*\0\x10\0\0\0CR\x02\0", "a camera's raw file"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\xff\x4f\xff\x51", "JPEG 2000"),
        (b"\xff\x0a\x01", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"8BPS\0\1", "Photoshop"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\0\0\1\0\1\0", "an icon"),
        (b"P6\n1 1\n255\n", "PNM"),
        (b"\x1aE\xdf\xa3", "a film"),
        (b"RIFF\0\0\0\0AVI LIST", "a film"),
        (b"\0\0\0\1\x67\x42", "coded video"),
        (b"<!DOCTYPE html><html>", "HTML or XML page, .* error page"),
        (b"  \n<html>", "HTML or XML page"),
        (b'<svg xmlns="">', "SVG"),
        (b'{"error": "busy"}', "JSON"),
        (b"HTTP/1.1 401 Unauthorized\r\n", "HTTP"),
        (b"--frame\r\nContent-Length: 0\r\n\r\n", "HTTP"),
        (b"data:image/jpeg;base64,/9j/4AAQ", "data URL"),
        (b"/9j/4AAQSkZJRg", "base64"),
        (b"PK\3\4", "archive"),
        (bytes(2000), "zeros"),
        (b"\xff\xd9", "without its begin"),
        (b"hello", "neither JPEG, PNG, WebP, BMP, GIF nor AVIF"),
    ],
)
def test_what_is_not_read_is_named(data: bytes, named: str) -> None:
    with pytest.raises(UndecodableImage, match=named):
        read_header(Picture(data), LIMITS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "before",
    [
        b"\r\n",
        bytes(16),
        b"--frame\r\nContent-Type: image/jpeg\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n",
        bytes(1024),
    ],
)
def test_a_picture_behind_other_bytes_is_pointed_at(kind: str, before: bytes) -> None:
    name = {"WEBP": "WebP"}.get(kind, kind)
    with pytest.raises(UndecodableImage, match=f"a {name} begins at byte {len(before)};"):
        read_header(Picture(before + encoded(scene(), kind)), LIMITS)


def test_a_picture_far_behind_other_bytes_is_not_looked_for() -> None:
    with pytest.raises(UndecodableImage, match="zeros"):
        read_header(Picture(bytes(5000) + encoded(scene(), "JPEG")), LIMITS)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "AVIF"])
def test_a_format_that_was_named_must_be_the_one_that_came(kind: str) -> None:
    data = encoded(scene(), kind)
    found = read_header(Picture(data), LIMITS).format
    read_header(Picture(data, found), LIMITS)
    for other in (PictureFormat.JPEG, PictureFormat.PNG, PictureFormat.GIF):
        if other is not found:
            with pytest.raises(UndecodableImage, match=f"but is a {found.value} picture"):
                read_header(Picture(data, other), LIMITS)
