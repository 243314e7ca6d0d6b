"""64 cameras with a face in view: each hears of an enrollment, is drained, and goes on at the next server. Real servers, real models, counts only."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import facewire
from facewire.v1 import face_pb2, recognition_pb2
from harness.film_scenes import steady
from harness.made_films import Shot
from harness.made_people import made_pair, portrait_of
from harness.running import RunningServer, running_server
from harness.tracked import TrackedStream, names_without_retraction

CAMERAS = 64
FPS = 5.0
SIZE_PX = (480, 360)
BEFORE, MOST, AFTER = 3, 40, 2
"""Frames before the person is enrolled; most frames after that; frames at the next server."""

CONFIRMED = recognition_pb2.TRACK_STATE_CONFIRMED


def opened(stack: ExitStack, server: RunningServer, tokens: Sequence[bytes]) -> list[TrackedStream]:
    return [
        TrackedStream(
            stack.enter_context(server.channel()),
            camera_id=f"camera-{index}",
            resume_token=token,
            detection=face_pb2.DetectionOptions(min_face_px=40),
        )
        for index, token in enumerate(tokens)
    ]


def play(streams: Sequence[TrackedStream], shot: Shot) -> None:
    """Sends a frame on every stream, then reads the answers."""
    for stream in streams:
        stream.post(shot.jpeg, shot.at_s)
    for stream in streams:
        result = stream.read()
        assert result.sequence == stream.next_sequence - 1, "answered in order"
        assert not result.reason, result.detail


def confirmed(stream: TrackedStream) -> dict[str, int]:
    """The names that the stream has confirmed, each with the gallery's revision then."""
    return {
        event.decision.identity_id: event.decision.gallery_revision
        for _, event in stream.events
        if event.state == CONFIRMED and event.decision.identity_id
    }


@pytest.mark.timeout(300)
def test_64_cameras_hear_of_an_enrollment_are_drained_and_go_on(
    models: Path, tmp_path: Path
) -> None:
    person = made_pair()[0]
    film = steady([person], until_s=(BEFORE + MOST + 1 + AFTER) / FPS)
    shots = list(film.shots(film.times(FPS), SIZE_PX))
    settings: dict[str, Any] = {"data": tmp_path / "data", "frame_timeout_s": 60}
    with running_server(**settings) as server, ExitStack() as stack:
        streams = opened(stack, server, [b""] * CAMERAS)
        for shot in shots[:BEFORE]:
            play(streams, shot)
        assert all(stream.results[-1].faces for stream in streams)
        assert not any(confirmed(stream) for stream in streams)
        with facewire.Client(server.address) as client:
            revision = client.enroll("ada", [portrait_of(person)]).revision
        at = BEFORE
        while not all(confirmed(stream) for stream in streams):
            assert at < BEFORE + MOST
            play(streams, shots[at])
            at += 1
        for stream in streams:
            stream.post(shots[at].jpeg, shots[at].at_s)
        server.interrupt()
        for stream in streams:
            stream.read_to_end()
        server.wait()
    for stream in streams:
        assert confirmed(stream).keys() == {"ada"}
        assert confirmed(stream)["ada"] >= revision
        for before, event in stream.events:
            if event.state == CONFIRMED and before < len(stream.results):
                shown = [face.track_id for face in stream.results[before].faces]
                assert event.track_id in shown, "an event comes right before its frame"
        assert stream.reconnect is not None
        assert stream.reconnect.reason == recognition_pb2.RECONNECT_REASON_SHUTTING_DOWN
    tokens = [stream.started.resume_token for stream in streams]
    assert len(set(tokens)) == CAMERAS
    with running_server(**settings) as server, ExitStack() as stack:
        resumed = opened(stack, server, tokens)
        for old, new in zip(streams, resumed, strict=True):
            answered = [one.sequence for one in old.results]
            assert answered == list(range(1, len(answered) + 1)), "each frame once"
            assert new.started.resume_after_sequence == answered[-1], "none is answered twice"
            new.next_sequence = answered[-1] + 1
        for shot in shots[at + 1 : at + 1 + AFTER]:
            play(resumed, shot)
        for old, new in zip(streams, resumed, strict=True):
            new.finish()
            assert {face.track_id for one in new.results for face in one.faces} == {
                face.track_id for face in old.results[-1].faces
            }
            old.events += new.events
            assert not names_without_retraction(old)
