"""Nothing inside a file reaches an allocator or a loop unchecked: memory and processor time, in a guarded process.

A picture that lies must not cost more than an honest one of the most pixels that are decoded.
"""

import io
import itertools
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from facewire_server.types import Picture, PictureFormat, PictureLimits
from fakes.lying_pictures import LYING
from fakes.odd_pictures import (
    bmp_file,
    encoded,
    exif_of,
    jpeg_of_scans,
    scene,
)
from harness.guarded import Guarded

MAX_PIXELS: Final = 1_000_000
LIMITS: Final = PictureLimits(max_frame_bytes=4 << 20, max_pixels=MAX_PIXELS)

BYTES_A_PIXEL: Final = 20
"""Of memory, at most, the decoded picture included. AVIF takes the most of all formats: 15."""

BYTES_A_BYTE: Final = 4
"""Of memory, for each byte of the file: the file as it came, its checked parts, and a decoder's own copy."""

ANYWAY_BYTES: Final = 12 << 20
"""Of memory, for tables and buffers that each decoder has whatever the picture."""

CPU_S: Final = 10
"""Of processor time: a thousand times what any of these pictures takes. The process does not survive more."""


DEAREST: Final = 4
"""Times the processor time that an honest picture, a progressive JPEG of noise, takes for as many pixels. Measured: 2 at the most, of a
JPEG without its end; AVIF takes 4 times as long, but the ones here are small."""

S_A_BYTE: Final = 20e-9
"""Of processor time, for each byte of the file: it is walked through, however few pixels it has. Measured: 7 at the most."""


class Checked(Guarded):
    """A guarded process that knows what honest pictures take in it.

    Attributes:
        honest_s: of processor time that the dearest honest picture of the most pixels takes.
    """

    honest_s = 0.0


@pytest.fixture(scope="module")
def guarded() -> Iterator[Checked]:
    noise = np.random.default_rng(0).integers(0, 255, (1000, 1000, 3), np.uint8)
    process = Checked(LIMITS, memory_bytes=400 << 20, cpu_s=CPU_S)
    with process:
        process.honest_s = cpu_s(process, encoded(noise, "JPEG", progressive=True))
        yield process


def assert_bounded(guarded: Checked, picture: Picture) -> None:
    outcome = guarded.decode(picture)
    assert outcome.reason != "died", outcome.refusal
    # What was refused may have been allocated for before that, at most as much as is accepted.
    pixels = outcome.width_px * outcome.height_px if not outcome.reason else MAX_PIXELS
    most = ANYWAY_BYTES + BYTES_A_PIXEL * pixels + BYTES_A_BYTE * len(picture.data)
    assert outcome.peak_bytes <= most, f"{outcome}, at most {most} are due"
    part = (
        1 + DEAREST * pixels / MAX_PIXELS
    )  # as much as one honest picture is due whatever the pixels
    most_s = part * guarded.honest_s + S_A_BYTE * len(picture.data)
    # Other processes only add to it, so a second and a third time may be less.
    tries = itertools.chain([outcome], (guarded.decode(picture) for _ in range(2)))
    assert any(each.cpu_s <= most_s for each in tries), f"{outcome}, at most {most_s} s are due"


def rle() -> bytes:
    runs = b"".join(bytes([64, shade]) + b"\0\0" for shade in range(64)) + b"\0\1"
    return bmp_file(64, 64, 8, runs, compression=1, colors=bytes(1024))


def animated(kind: str) -> bytes:
    file = io.BytesIO()
    frames = [Image.fromarray(np.roll(scene(), 40 * index, 1)) for index in range(3)]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


EXIF: Final = b"Exif\0\0" + exif_of(6)
SEEDS: Final[dict[str, bytes]] = {
    "JPEG": encoded(scene(), "JPEG", exif=EXIF),
    "JPEG progressive": encoded(scene(), "JPEG", progressive=True),
    "JPEG with restarts": encoded(scene(), "JPEG", restart_marker_blocks=3),
    "JPEG of many scans": jpeg_of_scans(300, 300, 40),
    "JPEG of many refinements": jpeg_of_scans(300, 300, 25, refining=True),
    "JPEG of refinements without an end": jpeg_of_scans(300, 300, 7, refining=True, end=False),
    "PNG": encoded(scene(), "PNG", exif=exif_of(6)),
    "APNG": animated("PNG"),
    "WebP": encoded(scene(), "WEBP", exif=EXIF),
    "WebP lossless": encoded(scene(), "WEBP", lossless=True),
    "GIF": encoded(scene(), "GIF"),
    "GIF animated": animated("GIF"),
    "BMP": encoded(scene(), "BMP"),
    "BMP of runs": rle(),
    "BMP with masks": bmp_file(16, 8, 16, bytes(range(256)), compression=3, masks=(1, 2, 4)),
    "AVIF": encoded(scene(), "AVIF", exif=EXIF),
}
EXTREMES: Final = [0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 999, 1000, 1001, 0x7FFFFFFF, 0xFFFFFFFF]


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    """A file in which bytes, lengths and whole stretches are others than they were."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 5))):
        # Headers lie at the begin, in all formats.
        at = draw(st.integers(0, min(len(data), draw(st.sampled_from([64, 256, 1 << 20]))) - 1))
        kind = draw(st.sampled_from(["byte", "length", "cut", "doubled", "removed"]))
        if kind == "byte":
            data[at] = draw(st.integers(0, 255))
        elif kind == "length":
            width = draw(st.sampled_from([2, 3, 4]))
            value = draw(st.sampled_from(EXTREMES)) & (1 << 8 * width) - 1
            data[at : at + width] = value.to_bytes(width, draw(st.sampled_from(["big", "little"])))
        elif kind == "cut" and at > 32:
            del data[at:]
        elif kind == "doubled":
            data[at:at] = data[at : at + draw(st.integers(1, 400))]
        elif kind == "removed":
            del data[at : at + draw(st.integers(1, 40))]
        if not data:
            return b"\0"
    return bytes(data)


def with_checksums(data: bytes) -> bytes:
    """A PNG whose chunks all have the right checksum, so that a decoder reads what was damaged."""
    out, at = bytearray(data), 8
    while at + 12 <= len(out):
        end = at + 8 + int.from_bytes(out[at : at + 4], "big")
        if end + 4 > len(out):
            break
        out[end : end + 4] = zlib.crc32(out[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
    return bytes(out)


@pytest.mark.parametrize("seed", SEEDS)
@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_memory_and_processor_time_are_bounded(seed: str, data: Any, guarded: Checked) -> None:
    file = data.draw(damaged(SEEDS[seed]))
    picture = Picture(with_checksums(file) if "PNG" in seed else file)
    assert_bounded(guarded, picture)


@given(
    layout=st.sampled_from(
        [
            PictureFormat.I420,
            PictureFormat.NV12,
            PictureFormat.YUYV,
            PictureFormat.BGRA8,
            PictureFormat.GRAY8,
        ]
    ),
    numbers=st.lists(
        st.sampled_from([0, 1, 2, 3, 8, 64, 65_535, 65_536, 2**31, 2**32 - 1]),
        min_size=5,
        max_size=5,
    ),
    length=st.integers(1, 100_000),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_raw_pictures_are_bounded(
    layout: PictureFormat, numbers: list[int], length: int, guarded: Checked
) -> None:
    picture = Picture(bytes(length), layout, *numbers)
    assert_bounded(guarded, picture)


@pytest.mark.parametrize("name", LYING)
def test_files_that_lie_cost_no_more_than_honest_ones(name: str, guarded: Checked) -> None:
    picture = Picture(LYING[name])
    assert_bounded(guarded, picture)


def cpu_s(guarded: Guarded, data: bytes, *, accepted: bool = True) -> float:
    """The least of three: other processes only add to it."""
    outcomes = [guarded.decode(Picture(data)) for _ in range(3)]
    assert all((not each.reason) == accepted for each in outcomes), outcomes[0]
    return min(each.cpu_s for each in outcomes)


@pytest.mark.parametrize("refining", [False, True])
@pytest.mark.parametrize("end", [False, True])
def test_the_most_scans_cost_a_few_times_an_honest_picture(
    refining: bool, end: bool, guarded: Checked
) -> None:
    most = (29 if refining else 118) if end else (9 if refining else 38)
    data = jpeg_of_scans(1000, 1000, most, refining=refining, end=end)
    assert cpu_s(guarded, data) < 4 * guarded.honest_s
    for more in (97, 5000):
        data = jpeg_of_scans(1000, 1000, more if refining else 5000, refining=refining, end=end)
        assert cpu_s(guarded, data, accepted=False) < guarded.honest_s


def test_what_lies_behind_the_pixels_of_a_png_costs_less_than_an_honest_picture(
    guarded: Checked,
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1000, 1000, 3), np.uint8)
    honest = cpu_s(guarded, encoded(noise, "PNG"))
    bomb = LYING["PNG with 500 MB behind its pixels"]
    assert cpu_s(guarded, bomb, accepted=False) < 2 * honest
