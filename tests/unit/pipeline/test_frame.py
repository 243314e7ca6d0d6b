"""A frame is decoded only as far as it is looked at, and everything found lies in pixels of the upright picture."""

import asyncio
import io
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facewire_server.errors import OutOfMemory, UndecodableImage
from facewire_server.pictures.decode import decode
from facewire_server.pipeline import first_look, frame
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.first_look import FirstLook
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.frame import FrameReader
from facewire_server.types import DetectionOptions, Picture, PictureFormat, PictureLimits
from facewire_server.work.budget import PixelBudgets
from facewire_server.work.clock import Clock
from fakes.two_faces import LARGE, SMALL, TwoFaces, two_faces

LIMITS = PictureLimits(max_frame_bytes=1 << 24, max_pixels=1 << 24)
OPTIONS = DetectionOptions(min_score=0.9, max_faces=10, short_side_fraction=1 / 16)
SIZE = (1600, 1200)
NONE = np.empty((0, 4), np.float32)


class Echo:
    """Follows every window to itself, and keeps what it was shown; bright pictures have the higher scores."""

    def __init__(self) -> None:
        self.seen: list[tuple[tuple[int, ...], NDArray]] = []

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        image, boxes = inputs["image"], inputs["boxes"]
        self.seen.append((image.shape, boxes))
        score = 0.5 + image.mean() / 512
        return {
            "boxes": boxes,
            "scores": np.full(len(boxes), score, np.float32),
            "landmarks": np.repeat(boxes[:, None, :2], 5, axis=1),
        }


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def reductions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The factors by which frames were decoded."""
    asked: list[int] = []

    def counted(picture, header, reduced_by=1):
        asked.append(reduced_by)
        return decode(picture, header, reduced_by)

    for module in (first_look, frame):
        monkeypatch.setattr(module, "decode", counted)
    return asked


def reader(threads: ThreadPoolExecutor, echo: Echo | None = None) -> FrameReader:
    follower = Follower(echo or Echo())
    return FrameReader(
        Detector(TwoFaces()),
        lambda: follower,
        threads=threads,
        budget=PixelBudgets(1 << 24, small_pixels=1 << 24),
    )


def opened(
    threads: ThreadPoolExecutor,
    picture: Picture,
    echo: Echo | None = None,
    *,
    windows: NDArray | None = None,
    usual_pixels: int = 0,
):
    asked = FirstLook(picture, LIMITS, OPTIONS, windows)
    return reader(threads, echo).opened(asked, Clock(threads), usual_pixels=usual_pixels)


def boxes_at(shares, size=SIZE) -> NDArray:
    return np.array([np.multiply(one, size * 2) for one in shares], np.float32)


async def test_a_frame_in_which_nothing_is_looked_for_is_decoded_smallest(
    threads, reductions
) -> None:
    async with opened(threads, two_faces("JPEG", SIZE), windows=NONE) as one:
        small = one.thumbnail
        assert len(await one.follow(NONE)) == 0
    assert reductions == [8]
    assert small.shape == (18, 32)
    assert (int(small[:, :14].mean()), int(small[:, 18:].mean())) == (40, 200)


async def test_a_search_and_a_thumbnail_share_one_decoding(threads, reductions) -> None:
    async with opened(threads, two_faces("JPEG", SIZE)) as one:
        faces = await one.search()
    assert reductions == [2]
    np.testing.assert_allclose(faces.boxes, boxes_at([SMALL, LARGE]), atol=2)


async def test_a_frame_of_the_usual_size_is_begun_in_one_step_and_a_larger_one_takes_its_room_first(
    threads,
) -> None:
    picture, pixels = two_faces("JPEG", SIZE), SIZE[0] * SIZE[1]
    for usual_pixels, steps in ((pixels, 1), (pixels - 1, 2), (0, 2)):
        clock = Clock(threads)
        asked = FirstLook(picture, LIMITS, OPTIONS, NONE)
        async with reader(threads).opened(asked, clock, usual_pixels=usual_pixels) as one:
            assert one.thumbnail.shape == (18, 32)
        assert [stage.name for stage in clock.stages] == ["decode"] * steps


async def test_a_few_faces_and_many_have_the_same_gray_levels(threads) -> None:
    async with opened(threads, two_faces("JPEG", SIZE)) as one:
        faces = await one.search()
        few = await one.face_grays(faces)
        many = await one.face_grays(faces[np.array([0, 1] * 3)])
        assert len(await one.face_grays(faces[:0])) == 0
    assert few.shape == (2, 24, 24)
    np.testing.assert_array_equal(many, np.concatenate([few] * 3))


async def test_large_faces_are_followed_on_a_smaller_picture_than_small_ones(
    threads, reductions
) -> None:
    echo = Echo()
    for shares, factor in (([LARGE], 8), ([LARGE, (0.1, 0.1, 0.15, 0.2)], 2)):
        reductions.clear()
        windows = boxes_at(shares)
        async with opened(threads, two_faces("JPEG", SIZE), echo, windows=windows) as one:
            faces = await one.follow(windows)
        assert reductions == [factor]
        np.testing.assert_allclose(faces.boxes, windows, atol=1)
    smallest_px = [float((boxes[:, 2:] - boxes[:, :2]).max(axis=1).min()) for _, boxes in echo.seen]
    assert smallest_px[0] == pytest.approx(64, abs=1)
    assert echo.seen[1][0][0] <= 320, "never larger than the canvas of a search"


async def test_only_crops_need_the_picture_at_full_size(threads, reductions) -> None:
    async with opened(threads, two_faces("JPEG", SIZE)) as one:
        faces = await one.search()
        crops, qualities = await one.crops(faces)
        await one.crops(faces[:1])
    assert reductions == [2, 1]
    assert crops.shape == (2, 112, 112, 3)
    assert [round(one.brightness, -1) for one in qualities] == [40, 200]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
async def test_positions_and_sizes_are_those_of_the_upright_picture(
    threads, orientation: int, rotation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.new("RGB", SIZE, (90, 90, 90)).save(file, "JPEG", exif=exif)
    picture = Picture(file.getvalue(), rotation_degrees=rotation)
    async with opened(threads, picture) as one:
        await one.crops((await one.search())[:0])
        is_turned = (orientation > 4) != (rotation in (90, 270))
        assert (one.width_px, one.height_px) == (SIZE[::-1] if is_turned else SIZE)
        faces = await one.search()
    size = SIZE[::-1] if is_turned else SIZE
    np.testing.assert_allclose(faces.boxes, boxes_at([SMALL, LARGE], size), atol=2)


async def test_a_dark_frame_is_followed_in_better_light_too(threads) -> None:
    echo, windows = Echo(), boxes_at([LARGE])
    dark = two_faces("JPEG", SIZE, dark=8, light=16)
    async with opened(threads, dark, echo, windows=windows) as one:
        faces = await one.follow(windows)
    assert len(echo.seen) == 2
    assert faces.scores[0] > 0.6, "the better score of the two"


async def test_a_file_that_lacks_its_end_is_judged_at_full_size(threads, reductions) -> None:
    whole = two_faces("JPEG", SIZE)
    cut = replace(whole, data=whole.data[: len(whole.data) // 2])
    with pytest.raises(UndecodableImage):
        async with opened(threads, cut, windows=NONE):
            pass
    assert reductions == [1]


async def test_a_raw_frame_is_looked_at_like_any_other(threads) -> None:
    pixels = np.full((120, 160, 3), 90, np.uint8)
    raw = Picture(pixels.tobytes(), PictureFormat.RGB8, 160, 120)
    async with opened(threads, raw, windows=NONE) as one:
        assert (one.thumbnail == 90).all()
        faces = await one.search()
    np.testing.assert_allclose(faces.boxes, boxes_at([SMALL, LARGE], (160, 120)), atol=1)


async def test_a_frame_holds_its_pixels_of_the_budget_until_it_is_closed(threads) -> None:
    shared = FrameReader(
        Detector(TwoFaces()),
        lambda: None,
        threads=threads,
        budget=PixelBudgets(1000 * 1000, small_pixels=1000 * 1000),
    )
    picture = two_faces(size=(1000, 800))
    async with shared.opened(FirstLook(picture, LIMITS, OPTIONS, None), Clock(threads)):
        other = asyncio.create_task(_opened_once(shared, picture, threads))
        done, _ = await asyncio.wait([other], timeout=0.05)
        assert not done
    await other


async def _opened_once(shared: FrameReader, picture: Picture, threads: ThreadPoolExecutor) -> None:
    async with shared.opened(FirstLook(picture, LIMITS, OPTIONS, None), Clock(threads)):
        pass


@pytest.mark.parametrize(
    ("module", "step"),
    [
        *((first_look, step) for step in ("read_header", "decode", "thumbnail", "draw")),
        *((frame, step) for step in ("decode", "draw", "cut")),
    ],
)
async def test_a_lack_of_memory_is_named_in_every_step(
    threads, monkeypatch, module: ModuleType, step: str
) -> None:
    monkeypatch.setattr(module, step, lambda *_: np.empty(1 << 55, np.uint8))
    with pytest.raises(OutOfMemory, match="no memory for the picture; retry later"):
        await _looked_at(threads, two_faces("JPEG", SIZE))


async def _looked_at(threads: ThreadPoolExecutor, picture: Picture) -> None:
    async with opened(threads, picture, windows=boxes_at([LARGE])) as one:
        await one.follow(boxes_at([SMALL]))  # not the ones it was opened for
        await one.crops(await one.search())
