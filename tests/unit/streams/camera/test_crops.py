"""A track keeps its best picture, only where pictures may be kept, and another person's never stays."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest

from facewire_server.streams.journal import Crop
from fakes.drawn_people import ANN, BOB, Drawn, Studio


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def studio(threads: ThreadPoolExecutor) -> Studio:
    """A camera whose tracks may keep pictures."""
    studio = Studio(threads)
    studio.line = replace(studio.line, keeps_crops=True)
    studio.resumed()
    return studio


def shown(crop: Crop) -> np.ndarray:
    """The mean color in the middle of a picture, RGB."""
    picture = cv2.imdecode(np.frombuffer(crop.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    height, width = picture.shape[:2]
    middle = picture[height * 3 // 8 : height * 5 // 8, width * 3 // 8 : width * 5 // 8]
    return middle.reshape(-1, 3).mean(axis=0)[::-1]


async def test_a_track_has_one_picture_while_none_is_better(studio: Studio) -> None:
    frames = await studio.watch(10, 4, lambda seconds: (Drawn(ANN, 200),))
    ((track_id, crop),) = studio.camera.take_crops().items()
    assert {face.track_id for one in frames for face in one.recognition.faces} == {track_id}
    assert np.abs(shown(crop) - ANN).max() < 40
    assert crop.sequence == 1
    assert crop.quality.inter_eye_px > 10
    assert studio.camera.take_crops() == {}


async def test_a_clearly_better_picture_takes_the_place_of_the_last(studio: Studio) -> None:
    await studio.watch(10, 0.1, lambda seconds: (Drawn(ANN, 200),))
    ((track_id, first),) = studio.camera.take_crops().items()
    for person in studio.camera._people:
        person.crop_norm = -1.0  # whatever comes is better
    await studio.watch(10, 3, lambda seconds: (Drawn(ANN, 200),))
    better = studio.camera.take_crops()[track_id]
    assert better.sequence > first.sequence


async def test_each_of_two_people_has_their_own(studio: Studio) -> None:
    await studio.watch(10, 1, lambda seconds: (Drawn(ANN, 120), Drawn(BOB, 420)))
    colors = [shown(crop) for crop in studio.camera.take_crops().values()]
    assert len(colors) == 2
    for color in (ANN, BOB):
        assert min(np.abs(one - color).max() for one in colors) < 40


async def test_no_picture_is_cut_unless_pictures_may_be_kept(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from facewire_server.pipeline import frame

    def fail(image: object, box: object) -> bytes:
        raise AssertionError("a picture was cut")

    monkeypatch.setattr(frame, "face_crop", fail)
    studio = Studio(threads)
    await studio.watch(10, 1, lambda seconds: (Drawn(ANN, 200),))
    assert studio.camera.take_crops() == {}
