"""A camera whose connection, or whose server, breaks in the middle of a visit, and that resumes its stream."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import grpc

import facewire
from facewire.v1 import recognition_pb2, recognition_pb2_grpc
from harness.film_scenes import steady
from harness.made_films import Shot
from harness.made_people import made_pair, portrait_of
from harness.relay import relay_to
from harness.running import RunningServer, running_server
from harness.tracked import TrackedStream

__all__ = ["CAMERA", "NAME", "Broken", "through_cut_connection", "through_killed_server"]

CAMERA: Final = "hall"
NAME: Final = "round"

_BEFORE: Final = 25
"""Frames that are answered before the break: at ten a second the verdict stands. Chosen, not measured."""

_ON_THE_WAY: Final = 3
"""Frames that are sent and not read before it: the server may have answered them or not."""

_AFTER: Final = 25
_FPS: Final = 10.0
_TIMEOUT_S: Final = 60.0


class Broken(NamedTuple):
    """What a camera saw.

    Attributes:
        before, after: results before the break and after the resume.
        resume_after: `StreamStarted.resume_after_sequence`.
        events: all that the journal has of the camera, in its order.
        back_s: from the break to the first result after it; of a killed server with its start.
        server_start_s: of that, the time until the server took calls; 0 if it went on.
    """

    before: Sequence[recognition_pb2.FrameResult]
    after: Sequence[recognition_pb2.FrameResult]
    resume_after: int
    events: Sequence[recognition_pb2.TrackEvent]
    back_s: float
    server_start_s: float

    @property
    def names(self) -> set[str]:
        """The names that were shown, "" for none, from the first name before the break on."""
        shown = [face.decision.identity_id for one in self.before for face in one.faces]
        shown = shown[shown.index(NAME) :]
        return {*shown, *(face.decision.identity_id for one in self.after for face in one.faces)}

    @property
    def tracks(self) -> set[int]:
        """The tracks of all faces."""
        return {face.track_id for one in (*self.before, *self.after) for face in one.faces}


def through_cut_connection() -> Broken:
    """Streams through a relay whose connections are cut."""
    shots = _shots()
    with (
        running_server(frame_timeout_s=_TIMEOUT_S) as server,
        relay_to(int(server.address.rpartition(":")[2])) as relay,
    ):
        _enroll(server)
        with _channel(f"127.0.0.1:{relay.port}") as channel:
            stream = _stream_until_break(channel, shots)
            relay.cut()
            broken_s = time.monotonic()
            _see_the_end(stream)
        with server.channel() as channel:
            return _resumed(channel, stream, shots, broken_s, 0.0)


def through_killed_server(data: Path) -> Broken:
    """Streams to a server that is killed (SIGKILL), and resumes at another one on the same data."""
    shots = _shots()
    with running_server(data=data, frame_timeout_s=_TIMEOUT_S) as server:
        _enroll(server)
        with server.channel() as channel:
            stream = _stream_until_break(channel, shots)
            server.kill()
            broken_s = time.monotonic()
            _see_the_end(stream)
    with (
        running_server(data=data, frame_timeout_s=_TIMEOUT_S) as server,
        server.channel() as channel,
    ):
        return _resumed(channel, stream, shots, broken_s, time.monotonic() - broken_s)


def _shots() -> list[Shot]:
    film = steady(made_pair()[:1], until_s=(_BEFORE + _ON_THE_WAY + _AFTER) / _FPS)
    return list(film.shots(film.times(_FPS)))


def _enroll(server: RunningServer) -> None:
    person = made_pair()[0]
    with facewire.Client(server.address) as client:
        if not client.enroll(NAME, [portrait_of(person)]).pictures[0].accepted:
            raise RuntimeError("the person of the film was not enrolled")


def _channel(address: str) -> grpc.Channel:
    return grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)])


def _stream_until_break(channel: grpc.Channel, shots: Sequence[Shot]) -> TrackedStream:
    stream = TrackedStream(channel, camera_id=CAMERA)
    for shot in shots[:_BEFORE]:
        stream.send(shot.jpeg, shot.at_s)
    for shot in shots[_BEFORE : _BEFORE + _ON_THE_WAY]:
        stream.post(shot.jpeg, shot.at_s)
    return stream


def _see_the_end(stream: TrackedStream) -> None:
    """Reads what is still on its way, until the stream's failure."""
    try:
        while True:
            stream.read()
    except grpc.RpcError:
        return


def _resumed(
    channel: grpc.Channel,
    broken: TrackedStream,
    shots: Sequence[Shot],
    broken_s: float,
    server_start_s: float,
) -> Broken:
    """Goes on after the last frame that the server accounted for, as a camera does."""
    token = broken.started.resume_token
    with TrackedStream(channel, camera_id=CAMERA, resume_token=token) as stream:
        resume_after = stream.started.resume_after_sequence
        stream.next_sequence = resume_after + 1
        back_s = 0.0
        for shot in shots[resume_after:]:
            stream.send(shot.jpeg, shot.at_s)
            back_s = back_s or time.monotonic() - broken_s
    request = recognition_pb2.WatchTracksRequest(camera_ids=[CAMERA], after_event=1, kept_only=True)
    stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
    events = [answer.event for answer in stub.WatchTracks(request, timeout=_TIMEOUT_S)]
    return Broken(broken.results, stream.results, resume_after, events, back_s, server_start_s)
