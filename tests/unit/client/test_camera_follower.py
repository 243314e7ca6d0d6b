"""A camera is followed for months: what is absent is waited for, and no event is missed or returned twice."""

import threading

import cv2
import grpc
import numpy as np
import pytest

import facewire
from facewire._wire import backoff
from facewire.v1 import recognition_pb2
from facewire.video import SourceError
from fakes.network_camera import network_camera_on
from fakes.server import TRACKED, FakeServer, failure

BROKEN = failure(grpc.StatusCode.INTERNAL, detail="Received RST_STREAM with error code 2")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)


@pytest.fixture
def fake():
    with FakeServer(features=TRACKED) as server:
        yield server


@pytest.fixture
def film(tmp_path, astronaut):
    """Ten frames of a person, then ten of nobody."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64))
    person = np.ascontiguousarray(astronaut[:64, :64, ::-1])
    for picture in [person] * 10 + [np.full_like(person, 128)] * 10:
        writer.write(picture)
    writer.release()
    return path


def states(events):
    return [event.state.value for event in events]


def test_the_events_of_a_film_are_returned_to_its_end(fake, client, film):
    events = list(client.follow_camera(film, camera="door", search_interval_ms=250))
    assert states(events) == ["TENTATIVE", "CONFIRMED", "ENDED"]
    assert {event.camera_id for event in events} == {"door"}
    (config,) = fake.configs
    assert config.detail == recognition_pb2.RESPONSE_DETAIL_EVENTS_ONLY
    assert config.frame_policy == recognition_pb2.FRAME_POLICY_EVERY_FRAME
    assert config.search_interval_ms == 250


def test_a_stream_that_breaks_again_and_again_is_one_visit(fake, client, film):
    fake.end_after, fake.end_status = 3, BROKEN
    events = list(client.follow_camera(film, camera="door"))
    assert states(events) == ["TENTATIVE", "CONFIRMED", "ENDED"]
    assert fake.calls["StreamRecognize"] > 3


def test_events_whose_messages_were_lost_are_read_afterwards_and_once(fake, client, film):
    # The frames in which the person leaves are accounted for, and their results are lost with the connection.
    fake.end_after, fake.end_status, fake.unsent_count = 8, BROKEN, 4
    events = list(client.follow_camera(film, camera="door"))
    assert states(events) == ["TENTATIVE", "CONFIRMED", "ENDED"]
    assert [event.event_id for event in events] == [each.event_id for each in fake.journal.events]
    assert all(request.kept_only for request in fake.watched)
    assert {tuple(request.camera_ids) for request in fake.watched} == {("door",)}


def test_events_that_the_server_kept_and_sends_again_are_returned_once(fake, client, film):
    record, again = fake.journal.record, []

    def record_and_note(event):
        again.append(record(event))
        return again[-1]

    fake.journal.record = record_and_note
    fake.end_after, fake.end_status = 1, BROKEN
    ids = [event.event_id for event in client.follow_camera(film, camera="door")]
    assert ids == sorted(set(ids))
    assert ids == [event.event_id for event in again]


def test_a_server_that_is_absent_at_the_start_is_waited_for(connect, film, threads):
    with FakeServer(features=TRACKED) as other:
        port = int(other.address.rpartition(":")[2])
    absent = threading.Event()
    with connect(f"127.0.0.1:{port}") as client:
        follower = client.follow_camera(film, camera="door", on_reopen=lambda *_: absent.set())
        following = threads.submit(list, follower)
        assert absent.wait(20)
        with FakeServer(port=port, features=TRACKED):
            assert states(following.result(30)) == ["TENTATIVE", "CONFIRMED", "ENDED"]


def test_a_camera_that_is_lost_is_opened_again(fake, client, threads):
    with network_camera_on(frames_a_connection=5) as camera:
        follower = client.follow_camera(camera.address, camera="door").open()
        following = threads.submit(list, follower)
        with camera.sent:
            assert camera.sent.wait_for(lambda: camera.connections >= 3, timeout=20)
        follower.close()
        assert following.result(20) == []
    assert fake.configs[0].frame_policy == recognition_pb2.FRAME_POLICY_NEWEST_WINS
    assert len(fake.configs) == 1, "the stream goes on over the camera's breaks"


def test_a_source_that_cannot_be_read_is_an_error(client, tmp_path):
    (tmp_path / "film.mp4").write_text("this is text")
    with pytest.raises(SourceError):
        next(client.follow_camera(tmp_path / "film.mp4", camera="door"))


def test_a_server_without_tracks_says_so_and_what_to_use(fake, client, film):
    fake.features = set()
    for use in (next, lambda follower: follower.open()):
        with pytest.raises(facewire.NotSupportedError, match=r"follows no faces.*Client\.stream"):
            use(client.follow_camera(film, camera="door"))


def test_what_does_not_pass_ends_the_following(fake, client, film):
    with pytest.raises(facewire.NotFoundError):
        list(client.follow_camera(film, camera="door", gallery="cellar"))


def test_a_camera_that_is_followed_has_a_name(client, film):
    with pytest.raises(ValueError, match="name"):
        client.follow_camera(film, camera="")


def test_closing_the_client_ends_the_following(fake, connect, threads):
    with network_camera_on(frames_a_connection=1000) as camera:
        with connect(fake.address) as client:
            follower = client.follow_camera(camera.address, camera="door").open()
            following = threads.submit(list, follower)
        assert following.result(20) == []


def lost_with_its_server(fake):
    """Events are lost with the connection, and what the server keeps cannot be read."""
    fake.end_after, fake.end_status, fake.unsent_count = 8, BROKEN, 4
    fake.end_feed_after = 0


def test_closing_ends_a_follower_that_reads_what_it_missed(fake, client, film, threads):
    lost_with_its_server(fake)
    follower = client.follow_camera(film, camera="door")
    following = threads.submit(list, follower)
    while fake.calls["WatchTracks"] < 2:
        assert not following.done()
    fake.end_after = None
    follower.close()
    try:
        assert states(following.result(20)) == ["TENTATIVE", "CONFIRMED"]
    finally:
        fake.end_feed_after = None
