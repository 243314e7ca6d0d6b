"""Every face found comes with its own crop and quality, and pictures in work share one bound."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import (
    ModelUnavailable,
    OutOfMemory,
    SeveralFaces,
    TimedOut,
    TooManyPixels,
)
from facewire_server.pictures.decode import decode
from facewire_server.pipeline import find, search
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.find import FaceFinder
from facewire_server.types import (
    DetectionOptions,
    FaceSelection,
    Header,
    Picture,
    PictureLimits,
    Rgb,
)
from facewire_server.work.budget import PixelBudgets
from facewire_server.work.clock import Clock
from facewire_server.work.slots import WorkSlots
from fakes.two_faces import LARGE, SHARES, SIZE_PX, SMALL, TwoFaces, two_faces

DETECTION = DetectionOptions(min_score=0.9, max_faces=10, short_side_fraction=1 / 16)
WIDTH_PX, HEIGHT_PX = SIZE_PX


class Away:
    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        raise ModelUnavailable("away")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


def finder(model, threads: ThreadPoolExecutor, max_pixels: int = 1 << 24) -> FaceFinder:
    limits = PictureLimits(max_frame_bytes=1 << 24, max_pixels=max_pixels)
    return FaceFinder(Detector(model), limits=limits, threads=threads)


async def test_each_face_has_its_own_parts(threads: ThreadPoolExecutor) -> None:
    found = await finder(TwoFaces(), threads).find(two_faces(), DETECTION)
    assert (found.width_px, found.height_px) == (WIDTH_PX, HEIGHT_PX)
    assert found.crops.shape == (2, 112, 112, 3)
    for row, (share, score, shade) in enumerate([(SMALL, 0.99, 40), (LARGE, 0.95, 200)]):
        face = found.face(row)
        box = np.multiply(share, (WIDTH_PX, HEIGHT_PX) * 2)
        np.testing.assert_allclose(face.box, box, atol=0.5)
        np.testing.assert_allclose(face.landmarks, box[:2] + SHARES * (box[2:] - box[:2]), atol=0.5)
        assert face.score == pytest.approx(score)
        assert face.decision is None
        # From eyes to mouth: these faces are longer than they are wide.
        assert face.quality.inter_eye_px == pytest.approx(0.82 * 0.4 * (box[3] - box[1]), abs=0.5)
        assert face.quality.brightness == pytest.approx(shade, abs=2)
        assert found.crops[row].mean() == pytest.approx(shade, abs=2)


async def test_a_dark_face_is_brightened_for_the_model_and_measured_as_it_came(
    threads: ThreadPoolExecutor,
) -> None:
    model = TwoFaces()
    found = await finder(model, threads).find(two_faces(dark=20, light=30), DETECTION)
    assert model.begun == 2  # as it is, and brightened
    assert len(found.faces) == 2
    for row, shade in enumerate([20, 30]):
        assert found.face(row).quality.brightness == pytest.approx(shade, abs=2)
        assert found.crops[row].mean() == pytest.approx(160, abs=5)


async def test_a_dark_face_in_a_bright_picture_is_brightened_alone(
    threads: ThreadPoolExecutor,
) -> None:
    found = await finder(TwoFaces(), threads).find(two_faces(dark=20, light=200), DETECTION)
    assert found.crops[0].mean() == pytest.approx(160, abs=5)
    bright = await finder(TwoFaces(), threads).find(two_faces(dark=60, light=200), DETECTION)
    np.testing.assert_array_equal(found.crops[1][:, 20:], bright.crops[1][:, 20:])


async def test_a_picture_that_is_not_dark_is_searched_once(threads: ThreadPoolExecutor) -> None:
    model = TwoFaces()
    await finder(model, threads).find(two_faces(), DETECTION)
    assert model.begun == 1


async def test_one_selected_face_comes_alone_with_its_crop(threads: ThreadPoolExecutor) -> None:
    line = finder(TwoFaces(), threads)
    found = await line.find(two_faces(), DETECTION, FaceSelection.LARGEST)
    assert len(found.faces) == len(found.crops) == len(found.qualities) == 1
    assert found.face(0).score == pytest.approx(0.95)
    assert found.face(0).quality.brightness == pytest.approx(200, abs=2)
    with pytest.raises(SeveralFaces):
        await line.find(two_faces(), DETECTION, FaceSelection.ONLY)


async def test_the_most_central_face_is_that_of_the_whole_two_faces(
    threads: ThreadPoolExecutor,
) -> None:
    """Across and upright alike: width and height are not exchanged on the way."""
    for size in ((1200, 300), (300, 1200)):
        found = await finder(TwoFaces(), threads).find(
            two_faces(size=size), DETECTION, FaceSelection.MOST_CENTRAL
        )
        assert found.face(0).score == pytest.approx(0.95)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
async def test_a_detector_that_fails_leaves_no_decoder_behind(
    kind: str, threads: ThreadPoolExecutor
) -> None:
    large = two_faces(kind, size=(3200, 2400))
    line = finder(Away(), threads, max_pixels=3200 * 2400)
    for _ in range(2):  # the second picture fits only if the first gave its pixels back
        with pytest.raises(ModelUnavailable):
            await line.find(large, DETECTION)
        assert len(asyncio.all_tasks()) == 1


class Decoder:
    """The decoder, whose work at full size waits until it is let go on.

    Attributes:
        reductions: of the decodings begun.
        full_size: set by a test to let those at full size begin.
    """

    def __init__(self) -> None:
        self.reductions: list[int] = []
        self.full_size = threading.Event()

    def __call__(self, picture: Picture, header: Header, reduced_by: int = 1) -> Rgb:
        self.reductions.append(reduced_by)
        if reduced_by == 1:
            assert self.full_size.wait(30)
        return decode(picture, header, reduced_by)


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Decoder:
    made = Decoder()
    monkeypatch.setattr(find, "decode", made)
    return made


async def test_a_large_jpeg_is_searched_while_it_is_decoded_at_full_size(
    decoder: Decoder, threads: ThreadPoolExecutor
) -> None:
    model = TwoFaces()
    finding = asyncio.create_task(
        finder(model, threads).find(two_faces("JPEG", (3200, 2400)), DETECTION)
    )
    async with asyncio.timeout(30):
        while not model.begun:
            await asyncio.sleep(0.001)
    assert not finding.done()
    decoder.full_size.set()
    assert len((await finding).faces) == 2
    assert sorted(decoder.reductions) == [1, 4]


@pytest.mark.parametrize(("kind", "size"), [("PNG", (3200, 2400)), ("JPEG", SIZE_PX)])
async def test_a_picture_that_is_not_reduced_is_decoded_once(
    decoder: Decoder, threads: ThreadPoolExecutor, kind: str, size: tuple[int, int]
) -> None:
    decoder.full_size.set()
    await finder(TwoFaces(), threads).find(two_faces(kind, size), DETECTION)
    assert decoder.reductions == [1]


async def test_a_picture_counts_until_its_decoder_has_ended_even_if_detection_failed(
    decoder: Decoder, threads: ThreadPoolExecutor
) -> None:
    class Failing(Away):
        async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
            failed.set()
            return await super().predict(inputs)

    failed = asyncio.Event()
    line = finder(Failing(), threads)
    finding = asyncio.create_task(line.find(two_faces("JPEG", (3200, 2400)), DETECTION))
    await failed.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    assert not finding.done()
    decoder.full_size.set()
    with pytest.raises(ModelUnavailable):
        await finding


async def test_pictures_in_work_have_together_no_more_pixels_than_one_may(
    decoder: Decoder, threads: ThreadPoolExecutor
) -> None:
    decoder.full_size.set()
    model = TwoFaces()
    model.gate.clear()
    line = finder(model, threads, max_pixels=WIDTH_PX * HEIGHT_PX)
    first = asyncio.create_task(line.find(two_faces(), DETECTION))
    while not model.begun:
        await asyncio.sleep(0.001)
    second = asyncio.create_task(line.find(two_faces(), DETECTION))
    for _ in range(20):
        await asyncio.sleep(0)
    # The pool is FIFO: a picture that had been let in would be decoded before this.
    await asyncio.get_running_loop().run_in_executor(threads, bool)
    assert decoder.reductions == [1]
    model.gate.set()
    await asyncio.gather(first, second)
    assert decoder.reductions == [1, 1]


async def test_a_picture_past_its_deadline_keeps_its_pixels_and_returns_its_slot(
    decoder: Decoder, threads: ThreadPoolExecutor
) -> None:
    slots = WorkSlots(1, picture_timeout_s=1.0)  # decoding begins within, on a busy machine too
    line = finder(TwoFaces(), threads, max_pixels=WIDTH_PX * HEIGHT_PX)
    with pytest.raises(TimedOut):
        async with slots.picture():
            await line.find(two_faces(), DETECTION)
    assert not decoder.full_size.is_set()
    assert slots.statistics().in_use == 0
    next_one = asyncio.create_task(line.find(two_faces(), DETECTION))
    for _ in range(20):
        await asyncio.sleep(0)
    await asyncio.get_running_loop().run_in_executor(threads, bool)  # the pool's other thread
    assert decoder.reductions == [1], "the pixels of the first are still in memory"
    decoder.full_size.set()
    assert len((await next_one).faces) == 2


async def test_a_small_picture_does_not_wait_for_a_large_one(threads: ThreadPoolExecutor) -> None:
    model = TwoFaces()
    model.gate.clear()
    limits = PictureLimits(max_frame_bytes=1 << 24, max_pixels=3200 * 2400)
    small_pixels = WIDTH_PX * HEIGHT_PX
    budget = PixelBudgets(limits.max_pixels, small_pixels=small_pixels)
    line = FaceFinder(Detector(model), limits=limits, threads=threads, budget=budget)
    large = asyncio.create_task(line.find(two_faces(size=(3200, 2400)), DETECTION))
    other_large = asyncio.create_task(line.find(two_faces(size=(3200, 2400)), DETECTION))
    small = asyncio.create_task(line.find(two_faces(), DETECTION))
    async with asyncio.timeout(30):
        while model.begun < 2:  # the first large one, and the small one
            await asyncio.sleep(0.001)
    model.gate.set()
    await asyncio.gather(large, other_large, small)


async def test_a_picture_over_the_limit_is_refused(threads: ThreadPoolExecutor) -> None:
    line = finder(TwoFaces(), threads, max_pixels=100)
    with pytest.raises(TooManyPixels):
        await line.find(two_faces(), DETECTION)


async def test_each_stage_has_its_time(threads: ThreadPoolExecutor) -> None:
    clock = Clock(threads)
    await finder(TwoFaces(), threads).find(two_faces(), DETECTION, clock=clock)
    timings = clock.timings()
    stages = (timings.decode_s, timings.detect_s, timings.align_s)
    assert all(stage > 0 for stage in stages)
    assert sum(stages) <= timings.total_s
    assert (timings.embed_s, timings.match_s, timings.queue_s) == (0, 0, 0)


@pytest.mark.parametrize(
    "allocate",
    [lambda: np.empty(1 << 55, np.uint8), lambda: cv2.resize(np.zeros((4, 4)), (1 << 30, 1 << 20))],
    ids=["numpy", "OpenCV"],
)
@pytest.mark.parametrize(
    ("module", "step"), [(find, "read_header"), (find, "decode"), (search, "_draw"), (find, "cut")]
)
async def test_a_lack_of_memory_is_named_in_every_step(
    module: ModuleType,
    step: str,
    allocate: Callable[[], object],
    monkeypatch: pytest.MonkeyPatch,
    threads: ThreadPoolExecutor,
) -> None:
    """No machine has as much as is asked for here, so that the libraries say so themselves."""
    monkeypatch.setattr(module, step, lambda *_: allocate())
    with pytest.raises(OutOfMemory, match="no memory for the picture; retry later"):
        await finder(TwoFaces(), threads).find(two_faces(), DETECTION)


async def test_any_other_error_of_a_library_stays_what_it_is(
    monkeypatch: pytest.MonkeyPatch, threads: ThreadPoolExecutor
) -> None:
    monkeypatch.setattr(find, "cut", lambda *_: cv2.resize(np.zeros((4, 4)), (0, 0)))
    with pytest.raises(cv2.error):
        await finder(TwoFaces(), threads).find(two_faces(), DETECTION)
