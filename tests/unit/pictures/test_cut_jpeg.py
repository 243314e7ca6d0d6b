"""A JPEG that lacks its last bytes is shown; one that lost much is refused."""

from typing import Any

import cv2
import numpy as np
import pytest

from facewire_server.errors import UndecodableImage
from facewire_server.pictures.decode import decode
from facewire_server.pictures.header import read_header
from facewire_server.types import Picture, PictureLimits
from fakes.odd_pictures import encoded, scene

LIMITS = PictureLimits(1 << 24, 50_000_000)
KINDS: dict[str, dict[str, Any]] = {
    "sequential": {},
    "without subsampling": {"subsampling": 0},
    "with restarts": {"restart_marker_rows": 1},
    "optimized": {"optimize": True},
    "progressive": {"progressive": True},
    "gray": {},
}


def photo(kind: str, height: int = 400) -> bytes:
    """Noise, so that each row has as many bytes as another."""
    image = np.clip(
        scene(300, height).astype(int) + np.random.default_rng(0).normal(0, 20, (height, 300, 3)),
        0,
        255,
    ).astype(np.uint8)
    return encoded(image[..., 0] if kind == "gray" else image, "JPEG", quality=85, **KINDS[kind])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [1, 2, 3, 10, 40])
def test_without_its_last_bytes_a_jpeg_is_shown_as_a_viewer_shows_it(
    kind: str, missing: int, shown
) -> None:
    data = photo(kind)[:-missing]
    image = shown(data)
    viewer = cv2.imdecode(np.frombuffer(data + b"\xff\xd9", np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(image, viewer)
    whole = shown(photo(kind))
    np.testing.assert_array_equal(image[: -400 // 16], whole[: -400 // 16])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.95, 0.97, 0.99])
def test_what_lost_little_is_shown(kind: str, kept: float, shown) -> None:
    data = photo(kind)
    if kind == "progressive":  # its last scan is a third of the file
        kept = 1 - (1 - kept) / 3
    assert shown(data[: int(len(data) * kept)]).shape == (400, 300, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("kept", [0.1, 0.3, 0.5, 0.8, 0.9])
def test_what_lost_much_is_refused(kind: str, kept: float, shown) -> None:
    data = photo(kind)
    with pytest.raises(UndecodableImage, match="JPEG picture is cut short"):
        shown(data[: int(len(data) * kept)])


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_gray_picture_is_whole_without_its_end(kept: float, shown) -> None:
    """A decoder fills missing blocks with gray, too, so a gray picture must not count as a cut one."""
    gray = encoded(np.full((400, 300, 3), 128, np.uint8), "JPEG")
    assert shown(gray[:-2]).shape == (400, 300, 3)
    begin = gray.index(b"\xff\xda") + 14
    with pytest.raises(UndecodableImage, match="cut short"):
        shown(gray[: begin + int((len(gray) - begin) * kept)])


def test_a_jpeg_without_its_end_may_be_padded(shown) -> None:
    """Cameras send a buffer of a fixed length; the picture is whole, and its end was overwritten."""
    data = photo("sequential")
    np.testing.assert_array_equal(shown(data[:-2] + bytes(5000)), shown(data))


@pytest.mark.parametrize("height", [8, 40, 100, 250])
def test_a_small_picture_may_lack_its_last_row_of_blocks(height: int, shown) -> None:
    data = photo("sequential", height)
    assert shown(data[:-12]).shape == (height, 300, 3)


def test_what_is_wrong_is_remarked() -> None:
    data = photo("sequential")
    stray = data[:20] + b"\0\0" + data[20:]  # behind APP0
    filled = data[:2] + b"\xff\xff" + data[2:]
    files = (data, filled, stray, data[:-2])
    assert [read_header(Picture(each), LIMITS).remark for each in files] == [
        "",
        "",
        "the JPEG picture has stray bytes between its segments",
        "the JPEG picture lacks its end",
    ]


def test_whole_scans_must_be_there() -> None:
    data = photo("progressive")
    scans = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
    read_header(Picture(data[:-2]), LIMITS)
    for at in scans[1:]:
        with pytest.raises(UndecodableImage, match="scans are missing"):
            read_header(Picture(data[:at]), LIMITS)


def test_a_reduced_picture_is_not_held_against_what_is_missing() -> None:
    """It is decoded beside the picture at full size, which is."""
    data = photo("sequential")
    picture = Picture(data[: len(data) // 2])
    header = read_header(picture, LIMITS)
    assert decode(picture, header, 8).shape == (50, 38, 3)
    with pytest.raises(UndecodableImage):
        decode(picture, header)


@pytest.mark.parametrize("missing", [0, 2, 12])
def test_the_next_picture_ends_one_that_lacks_its_end(missing: int, shown) -> None:
    """Frames of a camera that were not separated: each lacks its end, or some bytes, and the next one follows."""
    data = photo("sequential")
    following = data[: len(data) - missing] + photo("optimized")
    np.testing.assert_array_equal(
        shown(following), shown(data[: len(data) - missing] + b"\xff\xd9")
    )


@pytest.mark.parametrize("marker", [0x02, 0xBF, 0xC0, 0xC5, 0xC8, 0xF0])
def test_garbage_in_place_of_the_end_ends_a_picture(marker: int, shown) -> None:
    data = photo("sequential")
    garbage = bytes([0xFF, marker, 0xFF, 0xFF]) + bytes(500)
    np.testing.assert_array_equal(shown(data[:-2] + garbage), shown(data))


def test_garbage_within_the_data_loses_what_follows(shown) -> None:
    data = photo("sequential")
    with pytest.raises(UndecodableImage, match="cut short"):
        shown(data[: len(data) // 2] + b"\xff\xd8" + data[len(data) // 2 :])
