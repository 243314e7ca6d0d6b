"""What every source of pictures promises, held by each: films, network cameras, devices.

No device is here: OpenCV opens a film by the same calls.
"""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from facewire.video._av.source import AvSource
from facewire.video._device_source import DeviceSource
from facewire.video._source import Shot, Source, SourceError
from fakes.network_camera import network_camera_on
from harness.films import gray, write_film

COUNT = 10
SIZE = 96, 64
OPENERS: dict[str, Callable[[str], Source]] = {
    "film": AvSource,
    "network camera": AvSource,
    "device": DeviceSource,
}
KINDS = pytest.mark.parametrize("kind", OPENERS)


@pytest.fixture
def source(kind: str, tmp_path: Path) -> Iterator[Source]:
    if kind == "network camera":
        with network_camera_on(frames_a_connection=COUNT) as camera:
            opened = OPENERS[kind](camera.address)
            yield opened
            opened.close()
        return
    film = write_film(tmp_path / "film.mp4", [gray(128, SIZE)] * COUNT)
    opened = OPENERS[kind](str(film))
    yield opened
    opened.close()


def read_or_end(source: Source) -> Shot | None:
    """The next picture; a live source's end may be an error that passes."""
    try:
        return source.read()
    except SourceError as error:
        if source.live and error.temporary:
            return None
        raise


def read_all(source: Source) -> tuple[int, list[float]]:
    """How many pictures there were, and their times."""
    times: list[float] = []
    while (shot := read_or_end(source)) is not None:
        picture = shot.bgr()
        assert picture.shape == (SIZE[1], SIZE[0], 3)
        assert picture.dtype == np.uint8
        assert abs(float(picture.mean()) - 128) < 4
        assert shot.waited_s >= 0
        times.append(shot.at_s)
    return len(times), times


@KINDS
def test_it_gives_every_picture_and_then_none(source: Source) -> None:
    began_s = time.monotonic()
    count, times = read_all(source)
    assert count == COUNT
    assert times == sorted(times)
    if source.live:
        assert times[-1] <= time.monotonic()
        assert times[-1] >= began_s - 10
    else:
        assert times == pytest.approx([number / 10 for number in range(COUNT)])
    assert source.read() is None


@KINDS
def test_it_says_what_it_is(kind: str, source: Source) -> None:
    assert source.live == (kind != "film")
    assert source.frame_count == (COUNT if kind == "film" else None)
    assert source.fps == (0 if kind == "network camera" else 10)


@KINDS
def test_a_picture_stays_as_it_is_while_others_are_read(source: Source) -> None:
    first = source.read()
    assert first is not None
    picture = first.bgr()
    kept = picture.copy()
    read_all(source)
    assert np.array_equal(picture, kept)
    assert np.array_equal(first.bgr(), kept)


@KINDS
def test_it_is_read_in_another_thread_than_it_was_opened_in(source: Source) -> None:
    counts: list[int] = []
    reading = threading.Thread(target=lambda: counts.append(read_all(source)[0]))
    reading.start()
    reading.join()
    assert counts == [COUNT]


@KINDS
def test_once_closed_it_has_no_pictures(source: Source) -> None:
    source.read()
    source.close()
    source.close()
    assert source.read() is None


@KINDS
def test_what_is_not_there_is_an_error_that_names_it(kind: str, tmp_path: Path) -> None:
    name = "http://127.0.0.1:1/door" if kind == "network camera" else str(tmp_path / "none.mp4")
    with pytest.raises(SourceError, match=name) as caught:
        OPENERS[kind](name)
    assert caught.value.temporary == (kind != "film")
