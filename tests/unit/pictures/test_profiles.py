"""Color profiles (ICC): passed over, to the pixel, but for the one kind without which a picture is another one."""

import io
import struct
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureLimits
from fakes.odd_pictures import encoded, scene

LIMITS: Final = PictureLimits(max_frame_bytes=1 << 24, max_pixels=1_000_000)

Shown = Callable[[bytes], NDArray[np.uint8]]

_HEADER_BYTES: Final = 128
"""Of an ICC profile; the table of tags follows (ICC.1:2022, 7.2 and 7.3)."""


def profile_named(description: str) -> bytes:
    """Little CMS's sRGB with another description, which is a text in UTF-16 (type `mluc`)."""
    srgb = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    text = description.encode("utf-16-be")
    at = len(srgb)
    tag = b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text
    (count,) = struct.unpack_from(">I", srgb, _HEADER_BYTES)
    for row in range(count):
        entry = _HEADER_BYTES + 4 + 12 * row
        if srgb[entry : entry + 4] == b"desc":
            struct.pack_into(">II", srgb, entry + 4, at, len(tag))
    srgb += tag + bytes(-len(tag) % 4)
    struct.pack_into(">I", srgb, 0, len(srgb))
    profile = bytes(srgb)
    assert ImageCms.getProfileDescription(
        ImageCms.ImageCmsProfile(io.BytesIO(profile))
    ).strip() == description, "the profile is sound"  # fmt: skip
    return profile


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("description", ["sRGB IEC61966-2.1", "Display P3", "Adobe RGB (1998)"])
def test_an_ordinary_profile_changes_no_pixel(shown: Shown, kind: str, description: str) -> None:
    profile = profile_named(description)
    with_profile = encoded(scene(), kind, icc_profile=profile)
    assert Image.open(io.BytesIO(with_profile)).info["icc_profile"] == profile
    np.testing.assert_array_equal(shown(with_profile), shown(encoded(scene(), kind)))
    assert read_header(Picture(with_profile), LIMITS).remark == ""


def test_a_jpeg_with_xyb_colors_is_refused_with_what_to_do() -> None:
    """What jpegli calls its profile: without it the three channels are no red, green and blue."""
    data = encoded(scene(), "JPEG", icc_profile=profile_named("XYB_Per"))
    with pytest.raises(UndecodableImage, match=r"XYB colors, .* convert it to a JPEG with sRGB"):
        read_header(Picture(data), LIMITS)
