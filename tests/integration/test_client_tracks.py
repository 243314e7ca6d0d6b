"""Events of streams, the feed and a followed camera, of the real server and of the fake, over broken connections and killed servers."""

import itertools
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest

import facewire
from facewire import (
    FramePolicy,
    FrameResult,
    FramesSkipped,
    FrameStatus,
    ResponseDetail,
    TrackEvent,
    TrackState,
)
from facewire._wire import backoff
from facewire.video import Camera
from harness.relay import relay_to
from harness.running import running_server

EVERY = FramePolicy.EVERY_FRAME


@pytest.fixture
def client(address, connect):
    with connect(address) as connected:
        yield connected


@pytest.fixture
def camera():
    """A name that no other test's camera has."""
    return f"camera-{uuid.uuid4().hex}"


def frames_of(portrait, there, away):
    """Ten a second: a person, then nobody."""
    pictures = [portrait] * there + [np.full_like(portrait, 128)] * away
    return [
        facewire.Frame(picture, captured_at_us=1 + 100_000 * number)
        for number, picture in enumerate(pictures)
    ]


def events_of(results):
    return [result for result in results if isinstance(result, TrackEvent)]


def accounted(results):
    """The frames of results, in order."""
    numbers: list[int] = []
    for result in results:
        if isinstance(result, FramesSkipped):
            numbers += range(result.first_sequence, result.last_sequence + 1)
        elif isinstance(result, FrameResult):
            numbers.append(result.sequence)
    return numbers


def test_a_server_that_follows_faces_says_so(client):
    info = client.server_info()
    for feature in ("TRACKS", "WATCH_TRACKS", "RESUME", "EVENTS_ONLY"):
        assert info.has(facewire.Feature(feature)), feature


def test_a_person_comes_is_named_and_leaves(client, portrait, camera):
    gallery = client.create_gallery(camera).gallery_id
    client.enroll("ada", portrait, gallery=gallery, display_name="Ada")
    frames = frames_of(portrait, 10, 60)
    results = list(client.stream(frames, camera=camera, gallery=gallery, policy=EVERY))
    assert accounted(results) == list(range(1, 71))
    events = events_of(results)
    assert [event.state for event in events] == [
        TrackState.TENTATIVE, TrackState.CONFIRMED, TrackState.ENDED
    ]  # fmt: skip
    came, named, left = events
    assert (came.name, named.name, left.name) == (None, "Ada", "Ada")
    assert {event.camera_id for event in events} == {camera}
    assert {event.gallery_id for event in events} == {gallery}
    assert came.first_sequence == 1
    assert left.last_sequence == 10
    assert came.first_seen <= left.last_seen <= left.server_time
    shown = [result for result in results if isinstance(result, FrameResult)]
    assert [(one.status, len(one.faces)) for one in shown[:10]] == [(FrameStatus.OK, 1)] * 10
    assert {face.track_id for one in shown for face in one.faces} == {named.track_id}
    # What a frame changed comes before its result.
    assert results.index(came) < results.index(shown[0])
    kept = client.watch_tracks(cameras=[camera], after_event=1, kept_only=True)
    assert list(kept) == events
    later = client.watch_tracks(cameras=[camera], after_event=named.event_id, kept_only=True)
    assert list(later) == [left]
    of_her = client.watch_tracks(
        cameras=[camera], identities=["ada"], states=[TrackState.CONFIRMED], after_event=1,
        kept_only=True,
    )  # fmt: skip
    assert list(of_her) == [named]


def test_events_come_without_the_faces_of_frames_if_that_is_wanted(client, portrait, camera):
    results = list(
        client.stream(
            frames_of(portrait, 5, 0), camera=camera, policy=EVERY,
            detail=ResponseDetail.EVENTS_ONLY,
        )
    )  # fmt: skip
    assert accounted(results) == [1, 2, 3, 4, 5]
    assert not [result for result in results if isinstance(result, FrameResult) and result.faces]
    assert events_of(results)


def test_a_feed_that_is_open_has_what_happens_from_then_on(client, portrait, camera):
    with client.watch_tracks(cameras=[camera]) as feed:
        sent = events_of(client.stream(frames_of(portrait, 3, 0), camera=camera, policy=EVERY))
        assert [next(feed) for _ in sent] == sent
    assert sent[-1].state is TrackState.ENDED


def test_a_stream_whose_connection_is_cut_goes_on_with_its_tracks(
    connect, server, portrait, camera, monkeypatch
):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.1)
    port = int(server.address.rpartition(":")[2])
    with relay_to(port) as relay, connect(f"127.0.0.1:{relay.port}") as client:
        stream = client.stream(frames_of(portrait, 40, 0), camera=camera, policy=EVERY, reopen=True)
        results = []
        for result in stream:
            results.append(result)
            if isinstance(result, FrameResult) and result.sequence == 15:
                relay.cut()
        kept = list(client.watch_tracks(cameras=[camera], after_event=1, kept_only=True))
    assert accounted(results) == list(range(1, 41))
    assert stream.reopen_count == 1
    assert [event.state for event in kept].count(TrackState.TENTATIVE) == 1
    assert len({event.track_id for event in kept}) == 1
    faces = [face for result in results if isinstance(result, FrameResult) for face in result.faces]
    assert {face.track_id for face in faces} == {kept[0].track_id}


def film_of(portrait, path: Path):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (256, 256))
    for frame in frames_of(portrait[:, :, ::-1], 40, 50):
        writer.write(np.ascontiguousarray(frame.picture))
    writer.release()
    return path


def test_a_followed_camera_has_every_event_once_although_its_server_is_killed(
    connect, models, portrait, camera, tmp_path, monkeypatch
):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.1)
    film, data = film_of(portrait, tmp_path / "film.avi"), tmp_path / "data"
    killed = threading.Event()
    pull, pulled = Camera.__next__, itertools.count(1)

    def pull_and_kill(source):
        if next(pulled) == 30:  # in the middle of the visit
            first.kill()
            killed.set()
        return pull(source)

    monkeypatch.setattr(Camera, "__next__", pull_and_kill)
    with ThreadPoolExecutor(1) as threads, ExitStack() as connected:
        with running_server(data=data) as first:
            port = int(first.address.rpartition(":")[2])
            with facewire.Client(first.address) as other:
                other.enroll("ada", portrait, display_name="Ada")
            client = connected.enter_context(connect(first.address))
            following = threads.submit(list, client.follow_camera(film, camera=camera))
            assert killed.wait(60)
        with running_server(data=data, listen=f"127.0.0.1:{port}"):
            events = following.result(60)
            kept = list(client.watch_tracks(cameras=[camera], after_event=1, kept_only=True))
    assert [event.event_id for event in events] == [event.event_id for event in kept]
    assert events[-1].state is TrackState.ENDED
    assert events[-1].name == "Ada"
