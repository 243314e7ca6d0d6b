"""Nothing inside a file reaches an allocator or a loop unchecked: memory and processor time, in a guarded process.

A picture that lies must not cost more than an honest one of the most pixels that are decoded.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from facewire_server.types import Picture, PictureFormat, PictureLimits
from fakes.odd_pictures import (
    bmp_file,
    encoded,
    exif_of,
    gif_file,
    jpeg_of_scans,
    png_chunk,
    png_chunks_of,
    png_file,
    scene,
)
from harness.guarded import Guarded, Outcome

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


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with Guarded(LIMITS, memory_bytes=400 << 20, cpu_s=CPU_S) as process:
        yield process


def assert_bounded(outcome: Outcome, picture: Picture) -> None:
    assert outcome.reason != "died", outcome.refusal
    # What was refused may have been allocated for before that, at most as much as is accepted.
    pixels = outcome.width_px * outcome.height_px if not outcome.reason else MAX_PIXELS
    most = ANYWAY_BYTES + BYTES_A_PIXEL * pixels + BYTES_A_BYTE * len(picture.data)
    assert outcome.peak_bytes <= most, f"{outcome}, at most {most} are due"


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
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_memory_and_processor_time_are_bounded(seed: str, data: Any, guarded: Guarded) -> None:
    file = data.draw(damaged(SEEDS[seed]))
    picture = Picture(with_checksums(file) if "PNG" in seed else file)
    assert_bounded(guarded.decode(picture), picture)


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
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_raw_pictures_are_bounded(
    layout: PictureFormat, numbers: list[int], length: int, guarded: Guarded
) -> None:
    picture = Picture(bytes(length), layout, *numbers)
    assert_bounded(guarded.decode(picture), picture)


LYING: Final[dict[str, bytes]] = {
    **{
        f"PNG whose chunk announces {announced} bytes": png_file(
            [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))]
        )
        + struct.pack(">I", announced)
        + b"IDAT"
        for announced in (64 << 20, 1 << 30, 0xFFFFFFFF)
    },
    "PNG with 500 MB behind its pixels": png_file(
        [
            png_chunks_of(encoded(scene(), "PNG"))[0],
            (b"IDAT", zlib.compress(bytes(500 << 20), 1)),
            (b"IEND", b""),
        ]
    ),
    "PNG with a profile of 500 MB": png_file(
        [
            (b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)),
            (b"iCCP", b"x\0\0" + zlib.compress(bytes(500 << 20), 1)),
            (b"IDAT", zlib.compress(bytes(4 * 13))),
            (b"IEND", b""),
        ]
    ),
    "PNG of empty chunks": png_file([(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))])
    + png_chunk(b"IDAT", b"") * 300_000,
    "JPEG of 10,000 scans": jpeg_of_scans(1000, 1000, 10_000),
    "JPEG of 10,000 scans without an end": jpeg_of_scans(1000, 1000, 10_000, end=False),
    "JPEG of fill bytes": b"\xff\xd8" + b"\xff" * 4_000_000,
    "GIF whose codes are longer than its pixels": gif_file(
        (64, 64), (0, 0, 64, 64), b"\xff" * 4_000_000
    ),
    "GIF of a large screen": gif_file((1000, 1000), (0, 0, 1, 1), b"\x00\x51\xfc\x1b"),
    "BMP of nothing": bmp_file(1000, 1000, 24, b""),
    "BMP of no runs": bmp_file(1000, 1000, 8, b"\0\1", compression=1, colors=bytes(1024)),
}


@pytest.mark.parametrize("name", LYING)
def test_files_that_lie_cost_no_more_than_honest_ones(name: str, guarded: Guarded) -> None:
    picture = Picture(LYING[name])
    assert_bounded(guarded.decode(picture), picture)


def cpu_s(guarded: Guarded, data: bytes, *, accepted: bool = True) -> float:
    """The least of three: other processes only add to it."""
    outcomes = [guarded.decode(Picture(data)) for _ in range(3)]
    assert all((not each.reason) == accepted for each in outcomes), outcomes[0]
    return min(each.cpu_s for each in outcomes)


def test_the_most_scans_cost_a_few_times_an_honest_picture(guarded: Guarded) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1000, 1000, 3), np.uint8)
    honest = cpu_s(guarded, encoded(noise, "JPEG", progressive=True))
    assert cpu_s(guarded, jpeg_of_scans(1000, 1000, 99)) < 8 * honest
    assert cpu_s(guarded, jpeg_of_scans(1000, 1000, 5000), accepted=False) < honest


def test_what_lies_behind_the_pixels_of_a_png_costs_less_than_an_honest_picture(
    guarded: Guarded,
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1000, 1000, 3), np.uint8)
    honest = cpu_s(guarded, encoded(noise, "PNG"))
    bomb = LYING["PNG with 500 MB behind its pixels"]
    assert cpu_s(guarded, bomb, accepted=False) < 2 * honest
