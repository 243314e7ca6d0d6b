"""WatchTracks over ten cameras while cameras and watchers come and go: no event is missing, none is out of order within a track."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import grpc
import pytest

import facewire
from facewire.v1 import recognition_pb2, recognition_pb2_grpc
from harness.film_scenes import cut, steady
from harness.made_films import Shot
from harness.made_people import made_pair, portrait_of
from harness.running import RunningServer, running_server
from harness.tracked import TrackedStream

pytestmark = pytest.mark.timeout(600)

CAMERAS, ROUNDS, WATCHERS = 10, 3, 4
TIMEOUT_S = 300.0
SIZE_PX = (320, 240)
ENDED = recognition_pb2.TRACK_STATE_ENDED
CONFIRMED = recognition_pb2.TRACK_STATE_CONFIRMED
PAIR = made_pair()

Event = recognition_pb2.TrackEvent


@pytest.fixture(scope="module")
def server(models: object) -> Iterator[RunningServer]:  # with a journal of these tests alone
    with running_server(frame_timeout_s=TIMEOUT_S) as running:
        with facewire.Client(running.address) as client:
            for person in PAIR:
                assert client.enroll(person.name, [portrait_of(person)]).pictures[0].accepted
        yield running


@pytest.fixture(scope="module")
def films() -> list[list[Shot]]:
    made = [steady(PAIR, until_s=2), cut(*PAIR, is_scene=True)]
    return [list(film.shots(film.times(5), SIZE_PX)) for film in made]


def watch(channel: grpc.Channel, **wanted: Any) -> Any:
    stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
    request = recognition_pb2.WatchTracksRequest(**wanted)
    return stub.WatchTracks(request, timeout=TIMEOUT_S)


def kept(channel: grpc.Channel, **wanted: Any) -> list[Event]:
    return [answer.event for answer in watch(channel, after_event=1, kept_only=True, **wanted)]


class Watcher(threading.Thread):
    """Watches until told to end; leaves after every few events, and comes back after the last one."""

    def __init__(self, server: RunningServer, leave_after: int) -> None:
        super().__init__(daemon=True)
        self.seen: list[Event] = []
        self.is_lost = False
        self.failure: grpc.RpcError | None = None
        self._server = server
        self._leave_after = leave_after
        self._after = 1
        self._until = 0
        self._call: Any = None
        self._lock = threading.Lock()

    def run(self) -> None:
        try:
            while not self._is_finished():
                with self._server.channel() as channel:
                    self._watch_once(channel)
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.CANCELLED:
                self.failure = error

    def finish(self, last: int) -> None:
        """Ends the thread once it has seen the last event."""
        with self._lock:
            self._until = last
            if self._is_finished() and self._call is not None:
                self._call.cancel()
        self.join(TIMEOUT_S)
        assert not self.is_alive(), f"event {last} did not come; the last one was {self._after}"
        assert self.failure is None

    def _is_finished(self) -> bool:
        return 0 < self._until <= self._after

    def _watch_once(self, channel: grpc.Channel) -> None:
        with self._lock:
            if self._is_finished():
                return
            self._call = watch(channel, after_event=self._after)
        for count, answer in enumerate(self._call, start=1):
            self.is_lost |= answer.events_lost
            with self._lock:
                self.seen.append(answer.event)
                self._after = answer.event.event_id
                if self._is_finished():
                    return
            if count == self._leave_after:
                self._call.cancel()
                return


def stream(server: RunningServer, camera: int, shots: list[Shot], *, breaks: bool) -> list[Event]:
    """Streams a film; returns the events that came on the stream."""
    with server.channel() as channel:
        opened = TrackedStream(channel, camera_id=f"camera-{camera}")
        for shot in shots:
            opened.send(shot.jpeg, shot.at_s)
        if not breaks:
            opened.finish()
    return [event for _, event in opened.events]


def test_ten_cameras(server: RunningServer, films: list[list[Shot]]) -> None:
    watchers = [Watcher(server, leave_after) for leave_after in (0, 1, 3, 10)[:WATCHERS]]
    for watcher in watchers:
        watcher.start()
    with ThreadPoolExecutor(CAMERAS) as cameras:
        rounds = [
            cameras.submit(stream, server, camera, films[(camera + number) % 2], breaks=number == 1)
            for number in range(ROUNDS)
            for camera in range(CAMERAS)
        ]
        streamed = [event for one in rounds for event in one.result()]
    assert len(streamed) > CAMERAS * ROUNDS
    last = max(event.event_id for event in streamed)
    for watcher in watchers:
        watcher.finish(last)
    by_id = {event.event_id: event for event in streamed}
    assert len(by_id) == len(streamed), "no number is used twice"
    for watcher in watchers:
        seen = {event.event_id: event for event in watcher.seen}
        assert not watcher.is_lost
        assert {number for number in by_id if number not in seen} == set()
        assert all(seen[number] == event for number, event in by_id.items())
        check_order(watcher.seen)


def check_order(events: list[Event]) -> None:
    """Each track's events are in order and come once; nothing follows its end."""
    tracks: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        tracks[event.track_id].append(event)
    for own in tracks.values():
        ids = [event.event_id for event in own]
        assert ids == sorted(set(ids))
        assert own[0].state == recognition_pb2.TRACK_STATE_TENTATIVE
        assert ENDED not in [event.state for event in own[:-1]]
        assert len({event.camera_id for event in own}) == 1


def test_filters(server: RunningServer, films: list[list[Shot]]) -> None:
    for camera in (101, 102):
        stream(server, camera, films[1], breaks=False)
    with server.channel() as channel:
        ours = [e for e in kept(channel) if e.camera_id in ("camera-101", "camera-102")]
        assert ours
        assert {e.camera_id for e in kept(channel, camera_ids=["camera-102"])} == {"camera-102"}
        wanted = {"camera_ids": ["camera-101"], "identity_ids": ["narrow"], "states": [CONFIRMED]}
        (event,) = kept(channel, **wanted)
        assert event.decision.identity_id == "narrow"
        after = ours[2].event_id
        answers = watch(
            channel, after_event=after, camera_ids=["camera-101", "camera-102"], kept_only=True
        )
        assert [answer.event for answer in answers] == ours[3:]


def test_a_watcher_that_comes_first_misses_nothing(
    server: RunningServer, films: list[list[Shot]]
) -> None:
    with server.channel() as channel:
        call = watch(channel, camera_ids=["camera-200"])
        call.initial_metadata()  # comes at once, and from then on no event is missed
        streamed = stream(server, 200, films[0], breaks=False)
        assert [next(call).event for _ in streamed] == streamed
        call.cancel()
        with suppress(grpc.RpcError):
            assert list(call) == []
