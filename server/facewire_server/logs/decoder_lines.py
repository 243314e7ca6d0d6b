"""Recognizes the lines that decoders of pictures write to standard error.

libjpeg warns of each damaged picture, libpng warns and fails, and neither can say of whose picture it speaks. Streams tell of that
once a camera (`FrameDamaged`), so the lines are counted and not written.
"""

import re
from typing import Final

__all__ = ["DECODER_LINE", "is_of_decoder"]

DECODER_LINE: Final = "decoder_line"
"""Name under which the lines are counted."""

_TEXTS: Final = (
    # libjpeg-turbo 3.1, src/jerror.h: all messages whose names begin with JWRN
    "Corrupt JPEG data: ",
    "Premature end of JPEG file",
    "Inconsistent progression sequence for component ",
    "Unknown Adobe color transform code ",
    "Warning: unknown JFIF revision number ",
    "Invalid SOS parameters for sequential JPEG",
    "Application transferred too many scanlines",
    # libpng 1.6, pngerror.c: png_default_warning and png_default_error
    "libpng warning: ",
    "libpng error: ",
)

_OPENCV: Final = re.compile(r"\[ *[A-Z]+:\d+@[\d.]+\] global (?:grfmt_|loadsave|bitstrm|exif)")
"""OpenCV's own lines, of the files of its module for pictures (`imgcodecs`)."""


def is_of_decoder(line: str) -> bool:
    """Returns whether a decoder of pictures wrote the line."""
    return line.startswith(_TEXTS) or _OPENCV.match(line) is not None
