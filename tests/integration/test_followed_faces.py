"""A real face that moves through a film: found, followed, named once, and gone."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire import DetectionMode, FramePolicy, FrameResult, TrackEvent, TrackState

Pixels = NDArray[np.uint8]
FPS = 10


@pytest.fixture(scope="module")
def portrait(astronaut: Pixels) -> Pixels:
    return np.ascontiguousarray(astronaut[:256, 96:352])


def film(portrait: Pixels) -> list[Pixels]:
    """Two seconds of a portrait that moves to the right before gray, and three without it."""
    pictures = []
    for row in range(5 * FPS):
        picture = np.full((480, 640, 3), 120, np.uint8)
        if row < 2 * FPS:
            left = 40 + 10 * row
            picture[100:356, left : left + 256] = portrait
        pictures.append(picture)
    return pictures


def test_a_moving_face_is_followed_named_and_ended(
    client: facewire.Client, gallery: str, portrait: Pixels
) -> None:
    client.enroll("eileen", portrait, gallery=gallery)
    frames = (
        facewire.Frame(cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes(), (row + 1) * 100_000)
        for row, picture in enumerate(film(portrait))
    )
    with client.stream(frames, gallery=gallery, policy=FramePolicy.EVERY_FRAME) as stream:
        found = list(stream)
    results = [one for one in found if isinstance(one, FrameResult)]
    events = [one for one in found if isinstance(one, TrackEvent)]
    assert len(results) == 5 * FPS
    shown = results[: 2 * FPS]
    assert {len(result.faces) for result in shown} == {1}
    assert len({face.track_id for result in shown for face in result.faces}) == 1
    assert {result.detection_mode for result in results} == {
        DetectionMode.SEARCHED,
        DetectionMode.FOLLOWED,
    }
    names = [face.decision and face.decision.identity_id for r in shown for face in r.faces]
    assert set(names) <= {"eileen", ""}
    assert "eileen" in names
    assert not any(result.faces for result in results[-FPS:])
    assert [event.state for event in events][:2] == [TrackState.TENTATIVE, TrackState.CONFIRMED]
    assert events[-1].state is TrackState.ENDED
