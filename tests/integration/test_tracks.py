"""People in films of known truth keep their own names, at any frame rate, and each visit is said once: through the real server."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

import facewire
from facewire.v1 import recognition_pb2
from harness.film_scenes import cut, left_and_back, risky_films, steady
from harness.made_films import Film, thinned
from harness.made_people import Person, made_pair, portrait_of
from harness.running import RunningServer
from harness.tracked import Judged, TrackedStream, names_without_retraction, play

pytestmark = pytest.mark.timeout(600)  # thousands of frames, on a busy machine

ROUND, NARROW = PAIR = made_pair()
FILMS = risky_films(*PAIR)
FAST, SLOW = (30, 10), (5, 2)
"""Frames a second. At the slow ones every frame may need an embedding."""

TENTATIVE = recognition_pb2.TRACK_STATE_TENTATIVE
CONFIRMED = recognition_pb2.TRACK_STATE_CONFIRMED
RETRACTED = recognition_pb2.TRACK_STATE_RETRACTED
ENDED = recognition_pb2.TRACK_STATE_ENDED
SEARCHED = recognition_pb2.DETECTION_MODE_SEARCHED
FOLLOWED = recognition_pb2.DETECTION_MODE_FOLLOWED
EVENTS_ONLY = recognition_pb2.RESPONSE_DETAIL_EVENTS_ONLY


def enrolled(client: facewire.Client, gallery: str, *people: Person) -> str:
    for person in people:
        accepted = client.enroll(person.name, [portrait_of(person)], gallery=gallery)
        assert accepted.pictures[0].accepted
    return gallery


@pytest.fixture(scope="module")
def known(server: RunningServer) -> str:
    """A gallery that knows both people; only read it."""
    with facewire.Client(server.address) as client:
        gallery = client.create_gallery("test-tracks-known").gallery_id
        return enrolled(client, gallery, *PAIR)


@pytest.fixture
def channel(server: RunningServer) -> Iterator[grpc.Channel]:
    with server.channel() as opened:
        yield opened


def played(
    channel: grpc.Channel, gallery: str, film: Film, times: list[float], **config: Any
) -> tuple[TrackedStream, Judged]:
    with TrackedStream(channel, gallery_id=gallery, **config) as stream:
        judged = play(stream, film.shots(times))
    return stream, judged


def test_the_two_people_of_the_films_are_strangers(client: facewire.Client) -> None:
    one, other = map(portrait_of, PAIR)
    assert client.compare(one, other).similarity < 0.35
    assert client.compare(one, one).similarity > 0.9


@pytest.mark.parametrize("fps", FAST[1:] + SLOW)
@pytest.mark.parametrize("film", FILMS, ids=lambda film: film.name)
def test_no_name_goes_to_another_face(
    channel: grpc.Channel, known: str, film: Film, fps: int
) -> None:
    stream, judged = played(channel, known, film, film.times(fps))
    assert judged.wrong == []
    assert names_without_retraction(stream) == []
    assert judged.faces > 0
    if fps in FAST:
        assert judged.right >= 0.6 * judged.faces, "names are shown most of the time"


def test_nor_at_full_rate_or_if_frames_are_lost(channel: grpc.Channel, known: str) -> None:
    for film in FILMS[:2]:
        for times in (film.times(30), thinned(film.times(10), seed=1), thinned(film.times(5), 2)):
            stream, judged = played(channel, known, film, times)
            assert judged.wrong == []
            assert names_without_retraction(stream) == []
            assert judged.right > 0


def test_a_visit_is_said_once(channel: grpc.Channel, known: str) -> None:
    film = steady(PAIR)
    stream, judged = played(channel, known, film, film.times(10), camera_id="hall")
    assert judged.right >= 0.8 * judged.faces
    events = [event for _, event in stream.events]
    assert len({event.track_id for event in events}) == 2
    for track_id in {event.track_id for event in events}:
        own = [event for event in events if event.track_id == track_id]
        assert [event.state for event in own] == [TENTATIVE, CONFIRMED, ENDED]
        assert own[0].reason == recognition_pb2.TRACK_REASON_APPEARED
        assert own[-1].reason == recognition_pb2.TRACK_REASON_STREAM_ENDED
        assert len({event.first_sequence for event in own}) == 1
        assert {event.camera_id for event in own} == {"hall"}
        assert {event.gallery_id for event in own} == {known}
    names = [event.decision.identity_id for event in events if event.state == CONFIRMED]
    assert sorted(names) == ["narrow", "round"]
    ids = [event.event_id for event in events]
    assert ids == sorted(set(ids))


def test_an_event_comes_right_before_the_result_of_its_frame(
    channel: grpc.Channel, known: str
) -> None:
    film = steady(PAIR, until_s=3)
    stream, _ = played(channel, known, film, film.times(10))
    caused = [(index, event) for index, event in stream.events if event.state != ENDED]
    assert caused
    assert all(event.last_sequence == stream.results[index].sequence for index, event in caused)
    last_of_frame = {(index, event.track_id): event for index, event in caused}
    for (index, track_id), event in last_of_frame.items():
        (shown,) = (f.decision for f in stream.results[index].faces if f.track_id == track_id)
        assert (shown.outcome, shown.identity_id) == (
            event.decision.outcome,
            event.decision.identity_id,
        )


def test_between_searches_faces_are_followed(channel: grpc.Channel, known: str) -> None:
    film = steady(PAIR[:1])
    stream, judged = played(channel, known, film, film.times(10))
    modes = [result.detection_mode for result in stream.results]
    assert modes[0] == SEARCHED
    assert set(modes) == {SEARCHED, FOLLOWED}
    assert modes.count(FOLLOWED) >= 0.6 * len(modes)
    longest = max(map(len, "".join("SF"[mode == FOLLOWED] for mode in modes).split("S")))
    assert 5 < longest <= 10, "a second by default"
    assert judged.faces == len(stream.results), "the face is in every frame"
    stream, _ = played(channel, known, film, film.times(10), search_interval_ms=1)
    assert {result.detection_mode for result in stream.results} == {SEARCHED}


@pytest.mark.parametrize(("away_s", "visits"), [(5.0, 1), (40.0, 1), (75.0, 2)])
def test_a_visit_goes_on_within_a_minute(
    channel: grpc.Channel, known: str, away_s: float, visits: int
) -> None:
    film = left_and_back(ROUND, away_s)
    stream, judged = played(channel, known, film, film.times(10))
    assert judged.wrong == []
    confirmed = [event for _, event in stream.events if event.state == CONFIRMED]
    assert {event.decision.identity_id for event in confirmed} == {"round"}
    assert len({event.visit_id for _, event in stream.events}) == visits


def test_nobody_goes_on_with_the_visit_of_another(channel: grpc.Channel, known: str) -> None:
    for film in (left_and_back(ROUND, 3.0, instead=NARROW), cut(ROUND, NARROW, is_scene=False)):
        stream, _ = played(channel, known, film, film.times(10))
        confirmed = {
            event.decision.identity_id: event.visit_id
            for _, event in stream.events
            if event.state == CONFIRMED
        }
        assert set(confirmed) == {"round", "narrow"}
        assert len(set(confirmed.values())) == 2, film.name


def test_strangers_are_unknown_people_with_visits_of_their_own(
    channel: grpc.Channel, gallery: str
) -> None:
    film = steady(PAIR)
    stream, judged = played(channel, gallery, film, film.times(10))
    assert (judged.right, judged.wrong) == (0, [])
    states = Counter(event.state for _, event in stream.events)
    assert states == {TENTATIVE: 2, CONFIRMED: 2, ENDED: 2}


def test_a_stream_of_events_only_has_the_same_events(channel: grpc.Channel, known: str) -> None:
    film = cut(ROUND, NARROW, is_scene=True)
    told = []
    for detail in (recognition_pb2.RESPONSE_DETAIL_FULL, EVENTS_ONLY):
        stream, _ = played(channel, known, film, film.times(10), detail=detail)
        events = [event for _, event in stream.events]
        told.append([(e.state, e.reason, e.decision.identity_id, e.last_sequence) for e in events])
        assert len(stream.results) == len(film.times(10)), "every frame is accounted for"
    assert told[0] == told[1]
    assert not any(result.faces or result.timings.total_us for result in stream.results)
