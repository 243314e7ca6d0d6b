"""HEIC files, as iPhones write them, to JPEG: no server reads HEIC. Needs the extra `facewire[heic]`."""

import io

__all__ = ["is_heic", "jpeg_of_heic"]

_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
"""Brands of files whose pictures are coded with HEVC (ISO/IEC 23008-12, annex B.4), and the two that leave the codec open."""

_AVIF = {b"avif", b"avis"}
"""Brands of AVIF, which servers read themselves and whose files carry `mif1`, too."""

_LONGEST_BRANDS_BYTES = 256
"""Bytes that are searched for brands. Chosen, not measured: files have fewer than ten brands, of four bytes each."""

_MAX_PIXELS = 100_000_000
"""Pixels of a picture that is decoded. Chosen, not measured: twice what a server takes by default, 300 MB decoded."""

_JPEG_QUALITY = 90
"""Quality of the JPEG. Chosen, not measured: as of a `Camera`'s frames; 48 megapixels stay below the server's 16 MiB."""


def is_heic(data: bytes) -> bool:
    """Returns whether a file is HEIC or HEIF, by its first bytes; an AVIF file is not."""
    if data[4:8] != b"ftyp":
        return False
    box_bytes = min(int.from_bytes(data[:4]), _LONGEST_BRANDS_BYTES)
    # The major brand, a version, the compatible brands. Also of a box that is cut short.
    brands = {data[8:12], *(data[place : place + 4] for place in range(16, box_bytes, 4))}
    return bool(brands & _HEIC) and not brands & _AVIF


def jpeg_of_heic(data: bytes, name: str) -> bytes:
    """Returns the picture of a HEIC file as JPEG, upright, without its metadata.

    Args:
        data: the file.
        name: the file's name, for errors.

    Raises:
        ValueError: the extra is not installed; or the file is damaged, or has more than 100 megapixels.
    """
    try:
        import pillow_heif
    except ModuleNotFoundError:
        raise ValueError(
            f"{name} is a HEIC file, which needs an extra: pip install 'WHEEL[heic]', of the client's wheel"
        ) from None
    jpeg = io.BytesIO()
    try:
        opened = pillow_heif.open_heif(data)  # reads the size only
        width_px, height_px = opened.size
        if width_px * height_px <= _MAX_PIXELS:
            # libheif has turned it upright by its own boxes; the EXIF orientation says the same once more.
            opened.to_pillow().convert("RGB").save(jpeg, "JPEG", quality=_JPEG_QUALITY)
    # What pillow_heif raises for damaged files, found by damaging one 20,000 times.
    except (ValueError, RuntimeError, LookupError, EOFError, SyntaxError, OSError) as error:
        raise ValueError(f"{name}: the HEIC file is cut short or damaged ({error})") from error
    if not jpeg.tell():
        raise ValueError(f"{name} has {width_px}×{height_px} pixels, more than 100 megapixels")
    return jpeg.getvalue()
