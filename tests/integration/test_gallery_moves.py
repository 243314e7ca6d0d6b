"""The gallery changes while a person is in view: their track follows, and a deleted person is in no file of the journal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import facewire
from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from harness.film_scenes import steady
from harness.made_films import Shot
from harness.made_people import made_pair, portrait_of
from harness.running import RunningServer, running_server
from harness.tracked import TrackedStream

pytestmark = pytest.mark.timeout(300)

ROUND, NARROW = PAIR = made_pair()
TIMEOUT_S = 60.0
IDENTITY, NAME = "identity-of-the-round-one", "Rosalind Rotunda"
CONFIRMED = recognition_pb2.TRACK_STATE_CONFIRMED
RETRACTED = recognition_pb2.TRACK_STATE_RETRACTED
GALLERY_CHANGED = recognition_pb2.TRACK_REASON_GALLERY_CHANGED


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(models: Path, data: Path) -> Iterator[RunningServer]:  # its files are searched
    with running_server(data=data, frame_timeout_s=TIMEOUT_S) as running:
        yield running


@pytest.fixture
def stream(server: RunningServer) -> Iterator[TrackedStream]:
    with server.channel() as channel, TrackedStream(channel, camera_id="hall") as opened:
        yield opened


def shots(count: int = 200) -> Iterator[Shot]:
    """One person who stays, at ten frames a second."""
    film = steady([ROUND], until_s=count / 10)
    return film.shots(film.times(10))


def send(stream: TrackedStream, frames: Iterator[Shot]) -> face_pb2.Face:
    """Sends the next frame; returns its one face."""
    shot = next(frames)
    result = stream.send(shot.jpeg, shot.at_s)
    assert result.status == recognition_pb2.FRAME_STATUS_OK, result.detail
    (face,) = result.faces
    return face


def until(stream: TrackedStream, frames: Iterator[Shot], outcome: str) -> face_pb2.Face:
    while (face := send(stream, frames)).decision.outcome != face_pb2.Outcome.Value(outcome):
        pass
    return face


def enroll(client: facewire.Client) -> str:
    """Enrolls the person in view; returns the id of the template."""
    (picture,) = client.enroll(IDENTITY, [portrait_of(ROUND)], display_name=NAME).pictures
    assert picture.accepted
    return picture.template_id


def test_someone_enrolled_while_in_view_is_named_within_two_frames(
    client: facewire.Client, stream: TrackedStream
) -> None:
    frames = shots()
    before = until(stream, frames, "OUTCOME_UNKNOWN")
    enroll(client)
    after = [send(stream, frames) for _ in range(2)]
    assert IDENTITY in [face.decision.identity_id for face in after]
    assert {face.track_id for face in after} == {before.track_id}
    named = [event for _, event in stream.events if event.decision.identity_id]
    assert [(event.state, event.reason) for event in named] == [(CONFIRMED, GALLERY_CHANGED)]


def test_someone_deleted_while_in_view_is_retracted_by_the_next_frame(
    client: facewire.Client, stream: TrackedStream
) -> None:
    frames = shots()
    enroll(client)
    named = until(stream, frames, "OUTCOME_KNOWN")
    assert named.decision.identity_id == IDENTITY
    client.delete_identity(IDENTITY)
    face = send(stream, frames)
    assert face.decision.identity_id == ""
    assert face.track_id == named.track_id
    (retracted,) = [event for _, event in stream.events if event.state == RETRACTED]
    assert retracted.reason == GALLERY_CHANGED
    assert retracted.decision.identity_id == ""
    for _ in range(10):
        assert send(stream, frames).decision.identity_id == ""


def test_another_one_who_is_enrolled_changes_nothing(
    client: facewire.Client, stream: TrackedStream
) -> None:
    frames = shots()
    enroll(client)
    until(stream, frames, "OUTCOME_KNOWN")
    client.enroll("other", [portrait_of(NARROW)])
    client.delete_identity("other")
    for _ in range(10):
        assert send(stream, frames).decision.identity_id == IDENTITY
    assert not [event for _, event in stream.events if event.state == RETRACTED]


def kept(channel: grpc.Channel, **wanted: Any) -> list[recognition_pb2.TrackEvent]:
    """The events that the journal has."""
    request = recognition_pb2.WatchTracksRequest(after_event=1, kept_only=True, **wanted)
    stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
    return [answer.event for answer in stub.WatchTracks(request, timeout=TIMEOUT_S)]


def found_in(folder: Path, *texts: str) -> set[str]:
    """The files whose names or bytes contain one of some texts, in any of the usual encodings."""
    words = [
        text.encode(code) for text in texts for code in ("utf-8", "utf-16-le", "utf-32-le")
    ] + [bytes.fromhex(text) for text in texts if len(text) == 32 and text.isalnum()]
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file()
        and any(word in path.read_bytes() or word in path.name.encode() for word in words)
    }


def test_someone_deleted_is_in_no_file_of_the_journal(
    client: facewire.Client, server: RunningServer, stream: TrackedStream, data: Path
) -> None:
    frames = shots()
    template = enroll(client)
    until(stream, frames, "OUTCOME_KNOWN")
    with server.channel() as channel:
        assert IDENTITY in [event.decision.identity_id for event in kept(channel)]
        assert kept(channel, identity_ids=[IDENTITY])
    client.delete_identity(IDENTITY)
    send(stream, frames)
    with server.channel() as channel:
        for event in kept(channel):
            said = (event.decision.identity_id, event.previous_identity_id)
            assert IDENTITY not in said, "an event about the person is not sent any more"
        assert kept(channel, identity_ids=[IDENTITY]) == []
    journals = [path for path in data.iterdir() if "journal" in path.name]
    assert journals, "the journal is a part of the data"
    for place in journals:
        assert any(path.stat().st_size for path in place.rglob("*") if path.is_file())
        assert found_in(place, IDENTITY, NAME, template) == set()
