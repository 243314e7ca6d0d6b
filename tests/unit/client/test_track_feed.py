"""The feed of track events: nothing is missed, nothing is returned twice, whatever happens to the connection."""

import gc
import threading

import grpc
import pytest

import facewire
from facewire import ErrorReason, TrackState
from facewire._wire import backoff
from facewire._wire.feed_position import FeedPosition
from facewire.v1 import recognition_pb2
from fakes.server import TRACKED, FakeServer, failure

BROKEN = failure(grpc.StatusCode.INTERNAL, detail="Received RST_STREAM with error code 2")
SLOW = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "SLOW_READER")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)


@pytest.fixture
def fake():
    with FakeServer(features=TRACKED) as server:
        yield server


def happens(fake, *, camera="door", identity="", state="CONFIRMED", track=7):
    """Records an event."""
    event = recognition_pb2.TrackEvent(
        camera_id=camera, track_id=track, visit_id=track, state=f"TRACK_STATE_{state}"
    )
    event.decision.identity_id = identity
    return fake.journal.record(event).event_id


def taken(feed, count):
    return [next(feed).event_id for _ in range(count)]


def test_a_feed_begins_when_it_opens_and_goes_on(fake, client):
    happens(fake)
    with client.watch_tracks() as feed:
        later = [happens(fake), happens(fake)]
        assert taken(feed, 2) == later
        later = happens(fake)
        event = next(feed)
    assert (event.event_id, event.camera_id, event.state) == (later, "door", TrackState.CONFIRMED)
    assert not feed.events_lost


def test_what_is_kept_is_read_from_an_event_on_and_to_its_end(fake, client):
    numbers = [happens(fake) for _ in range(5)]
    assert [each.event_id for each in client.watch_tracks(after_event=1, kept_only=True)] == numbers
    after = client.watch_tracks(after_event=numbers[2], kept_only=True)
    assert [each.event_id for each in after] == numbers[3:]
    assert list(client.watch_tracks(kept_only=True)) == []


def test_the_filters_are_those_that_were_given(fake, client):
    wanted = happens(fake, camera="hall", identity="ada", state="ENDED")
    happens(fake, camera="hall", identity="bo", state="ENDED")
    happens(fake, camera="hall", identity="ada")
    happens(fake, identity="ada", state="ENDED")
    feed = client.watch_tracks(
        cameras=["hall"], identities=["ada"], states=[TrackState.ENDED], after_event=1,
        kept_only=True,
    )  # fmt: skip
    assert [each.event_id for each in feed] == [wanted]


@pytest.mark.parametrize("name", ["cameras", "identities", "states"])
def test_one_text_is_not_many(client, name):
    with pytest.raises(TypeError, match=r"\[name\]"):
        client.watch_tracks(**{name: "hall"})


@pytest.mark.parametrize("status", [None, BROKEN, SLOW], ids=["ok", "broken", "slow"])
def test_a_feed_that_ends_goes_on_after_the_last_event(fake, client, status):
    numbers = [happens(fake) for _ in range(9)]
    fake.end_feed_after, fake.end_status = 2, status
    noted = []
    feed = client.watch_tracks(after_event=1, on_reopen=lambda *given: noted.append(given))
    assert taken(feed, 9) == numbers
    feed.close()
    assert fake.calls["WatchTracks"] >= 5
    assert all(error.retryable and pause_s > 0 for error, pause_s in noted)
    assert not feed.events_lost


def test_a_feed_that_breaks_before_its_first_event_misses_none(fake, client, threads):
    happens(fake)
    fake.end_feed_after, fake.end_status = 0, BROKEN  # with the first event, which is not sent
    waiting = threading.Event()
    feed = client.watch_tracks(on_reopen=lambda *_: waiting.set()).open()
    following = threads.submit(next, feed)
    first = happens(fake)
    assert waiting.wait(10)
    fake.end_feed_after = None
    assert following.result(20).event_id == first
    feed.close()
    assert not feed.events_lost


def test_a_server_that_does_not_say_where_a_feed_began_is_not_trusted(fake, client, threads):
    fake.names_position = False
    fake.end_feed_after, fake.end_status = 0, BROKEN
    waiting = threading.Event()

    def note(*_):
        fake.end_feed_after = None
        waiting.set()

    feed = client.watch_tracks(on_reopen=note).open()
    assert not feed.events_lost
    following = threads.submit(next, feed)
    happens(fake)
    assert waiting.wait(10)
    while len(fake.watched) < 2:
        pass
    while not following.done():
        happens(fake)
    assert feed.events_lost
    feed.close()


def test_a_server_that_lost_its_journal_and_whose_clock_was_set_back_is_followed():
    """Its events have lower numbers than the one that was asked for; it says that others are lost."""
    position = FeedPosition(recognition_pb2.WatchTracksRequest(after_event=9000))
    first = recognition_pb2.WatchTracksResponse(events_lost=True)
    first.event.event_id = 17
    second = recognition_pb2.WatchTracksResponse()
    second.event.event_id = 18
    found = [position.read(message) for message in (first, second, second)]
    assert [event and event.event_id for event in found] == [17, 18, None]
    assert position.loss_count == 1
    assert position.request().after_event == 18


def test_an_event_that_is_sent_again_is_returned_once(fake, client):
    first = happens(fake)
    fake.journal.events.append(fake.journal.events[0])
    feed = client.watch_tracks(after_event=1, kept_only=True)
    assert [each.event_id for each in feed] == [first]


def test_that_events_are_no_longer_kept_is_said(fake, client):
    fake.journal.lost_before = happens(fake)
    fake.journal.events.clear()
    kept = happens(fake)
    feed = client.watch_tracks(after_event=2, kept_only=True)
    assert [each.event_id for each in feed] == [kept]
    assert feed.events_lost
    assert feed.loss_count == 1


def test_a_server_that_is_killed_and_comes_back_is_found_again(connect):
    with FakeServer(features=TRACKED) as first:
        port, journal = int(first.address.rpartition(":")[2]), first.journal
        client = connect(first.address)
        feed = client.watch_tracks().open()
        numbers = [happens(first)]
        seen = taken(feed, 1)
    numbers.append(journal.record(recognition_pb2.TrackEvent()).event_id)  # of another worker
    with client, FakeServer(port=port, features=TRACKED, journal=journal) as second:
        seen += taken(feed, 1)
        numbers.append(happens(second))
        assert seen + taken(feed, 1) == numbers
        feed.close()


def test_a_server_without_a_feed_says_so(fake, client):
    fake.features = set()
    with pytest.raises(facewire.NotSupportedError) as caught:
        next(client.watch_tracks())
    assert caught.value.reason is ErrorReason.NOT_IMPLEMENTED
    assert fake.calls["WatchTracks"] == 1


def test_no_server_is_said_to_be_unreachable(connect):
    with connect("127.0.0.1:1") as client, pytest.raises(facewire.UnreachableError):
        client.watch_tracks().open()


def test_a_server_that_does_not_respond_is_not_waited_for_longer_than_allowed(fake, client):
    fake.silent.add("WatchTracks")
    with pytest.raises(facewire.DeadlineError):
        client.watch_tracks(timeout_s=0.1).open()


def test_a_busy_server_is_asked_again(fake, client):
    busy = failure(grpc.StatusCode.UNAVAILABLE, "STORAGE_BUSY")
    fake.fail_next("WatchTracks", busy, times=2)
    number = happens(fake)
    feed = client.watch_tracks(after_event=1, kept_only=True)
    assert [each.event_id for each in feed] == [number]


def test_closing_from_elsewhere_ends_the_iteration(fake, client, threads):
    feed = client.watch_tracks().open()
    reading = threads.submit(list, feed)
    feed.close()
    assert reading.result(20) == []
    with pytest.raises(ValueError, match="closed"):
        feed.open()
    assert list(feed) == []


def test_closing_the_client_ends_its_feeds(fake, connect):
    with connect(fake.address) as client:
        feed = client.watch_tracks().open()
        reading = threading.Thread(target=list, args=(feed,))
        reading.start()
    reading.join(20)
    assert not reading.is_alive()
    if connect is facewire.Client:  # the loop of the other one has ended
        with pytest.raises(ValueError, match="closed"):
            client.watch_tracks()


def test_a_feed_that_is_left_ends_its_call(fake):
    with facewire.Client(fake.address) as client:
        happens(fake)
        for _ in client.watch_tracks(after_event=1):
            break
        gc.collect()
        assert not client._streams


def test_the_picture_of_a_track_is_returned_where_it_is_kept(fake, client):
    with pytest.raises(facewire.NotSupportedError, match="FACEWIRE_KEEP_CROPS"):
        client.track_crop(7)
    fake.features = TRACKED | {"FEATURE_TRACK_CROPS"}
    with pytest.raises(facewire.NotFoundError) as caught:
        client.track_crop(7)
    assert caught.value.reason is ErrorReason.TRACK_NOT_FOUND
    fake.journal.crops[7] = recognition_pb2.GetTrackCropResponse(sequence=3)
    fake.journal.crops[7].image.data = b"jpeg"
    assert client.track_crop(7).image.data == b"jpeg"
    fake.features = set()
    with pytest.raises(facewire.NotSupportedError):
        client.track_crop(7)
