"""Every raw layout, in any size and with any padding that a driver may leave, against its definition in plain NumPy."""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facewire_server.errors import EmptyImage, ImageLayout
from facewire_server.pictures.decode import decode
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureFormat, PictureLimits

Bytes = NDArray[np.uint8]

LIMITS: Final = PictureLimits(max_frame_bytes=1 << 20, max_pixels=1 << 16)

PLANES: Final = {
    PictureFormat.RGB8: ["R G B"],
    PictureFormat.BGR8: ["B G R"],
    PictureFormat.BGRA8: ["B G R A"],
    PictureFormat.GRAY8: ["Y"],
    PictureFormat.YUYV: ["Y0 U Y1 V"],
    PictureFormat.UYVY: ["U Y0 V Y1"],
    PictureFormat.NV12: ["Y", "U V"],
    PictureFormat.NV21: ["Y", "V U"],
    PictureFormat.I420: ["Y", "U", "V"],
}
"""The planes of each layout, with the bytes of a unit in their order. U is Cb, V is Cr; Y0 and Y1 are of two neighbors."""

PAIRS: Final = {PictureFormat.YUYV, PictureFormat.UYVY}
SUBSAMPLED: Final = {PictureFormat.NV12, PictureFormat.NV21, PictureFormat.I420}


class Shown(NamedTuple):
    """A picture with all its padding, how many of its bytes are needed, and what it shows."""

    picture: Picture
    needed: int
    rgb: NDArray[np.float64]


def rgb_of(luma: Bytes, cb: Bytes, cr: Bytes) -> NDArray[np.float64]:
    """ITU-R BT.601-7, 2.5.1 to 2.5.3, for luma of 16 to 235 and chroma of 16 to 240; (h, w, 3), clipped to bytes."""
    y = np.maximum(luma.astype(float) - 16, 0) * 255 / 219
    b, r = ((plane.astype(float) - 128) * 255 / 224 for plane in (cb, cr))
    red, blue = y + 1.402 * r, y + 1.772 * b
    green = y - (0.114 * 1.772 * b + 0.299 * 1.402 * r) / 0.587
    return np.clip(np.stack([red, green, blue], -1), 0, 255)


@st.composite
def shown(draw: st.DrawFn, layout: PictureFormat) -> Shown:
    """A picture of noise; what lies in its padding is noise, too."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    step_x = 2 if layout in PAIRS | SUBSAMPLED else 1
    step_y = 2 if layout in SUBSAMPLED else 1
    width, height = step_x * draw(st.integers(1, 40)), step_y * draw(st.integers(1, 20))
    padding = st.integers(0, 70)
    plane_height = height + (draw(st.integers(0, 9)) if layout in SUBSAMPLED else 0)

    samples = {
        name: random.integers(0, 256, (height, width), np.uint8) for name in ("Y", *"RGBA")
    } | {
        name: random.integers(0, 256, (height // step_y, width // step_x), np.uint8)
        for name in "UV"
    }
    samples |= {"Y0": samples["Y"][:, ::2], "Y1": samples["Y"][:, 1::2]}
    units = (np.stack([samples[name] for name in unit.split()], -1) for unit in PLANES[layout])
    planes = [unit.reshape(unit.shape[0], -1) for unit in units]
    stride = planes[0].shape[1] + draw(padding)
    strides = [stride] * len(planes)
    if layout is PictureFormat.I420:
        chroma_stride = draw(st.sampled_from([0, width // 2 + draw(padding)]))
        strides[1:] = [chroma_stride or (stride + 1) // 2] * 2
    data, needed = b"", 0
    for number, (plane, each) in enumerate(zip(planes, strides, strict=True)):
        rows = plane_height if number == 0 else (plane_height + 1) // 2
        padded = random.integers(0, 256, (rows, each), np.uint8)
        padded[: plane.shape[0], : plane.shape[1]] = plane
        needed = len(data) + each * (plane.shape[0] - 1) + plane.shape[1]
        data += padded.tobytes()

    if "R" in PLANES[layout][0]:
        rgb = np.stack([samples[name] for name in "RGB"], -1).astype(float)
    elif layout is PictureFormat.GRAY8:
        rgb = np.stack([samples["Y"]] * 3, -1).astype(float)
    else:
        chroma = (samples[name].repeat(step_y, 0).repeat(step_x, 1) for name in "UV")
        rgb = rgb_of(samples["Y"], *chroma)
    return Shown(
        Picture(
            data, layout, width, height, stride,
            chroma_stride_bytes=chroma_stride if layout is PictureFormat.I420 else 0,
            plane_height_px=plane_height,
        ),
        needed,
        rgb,
    )  # fmt: skip


@pytest.mark.parametrize("layout", PLANES)
@given(st.data())
def test_what_is_read_is_what_the_layout_defines(
    layout: PictureFormat, data: st.DataObject
) -> None:
    picture, needed, expected = data.draw(shown(layout))
    length = data.draw(st.integers(needed, len(picture.data)))  # padding may be missing at the end
    picture = replace(picture, data=picture.data[:length])
    image = decode(picture, read_header(picture, LIMITS))
    assert image.shape == expected.shape
    # What is computed of chroma is computed in whole numbers: it is rounded otherwise.
    most = 1.5 if layout in PAIRS | SUBSAMPLED else 0
    assert np.abs(image - expected).max() <= most


@pytest.mark.parametrize("layout", PLANES)
@given(st.data())
def test_a_byte_too_few_or_too_many_is_refused(layout: PictureFormat, data: st.DataObject) -> None:
    """So a wrong width, stride or layout is mostly an error, and no garbled picture."""
    picture, needed, _ = data.draw(shown(layout))
    for wrong in (picture.data[: needed - 1], picture.data + b"\0"):
        with pytest.raises((ImageLayout, EmptyImage)):
            read_header(replace(picture, data=wrong), LIMITS)
