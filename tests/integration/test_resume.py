"""A stream that breaks in the middle of a visit is resumed: no frame is answered twice, and the visit is one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from facewire.v1 import recognition_pb2
from fakes.wire import reason_and_fields
from harness.broken_streams import NAME, Broken, through_cut_connection, through_killed_server
from harness.film_scenes import steady
from harness.made_people import made_pair
from harness.running import RunningServer
from harness.tracked import TrackedStream

pytestmark = pytest.mark.timeout(300)

TENTATIVE = recognition_pb2.TRACK_STATE_TENTATIVE
CONFIRMED = recognition_pb2.TRACK_STATE_CONFIRMED
ENDED = recognition_pb2.TRACK_STATE_ENDED


@pytest.fixture
def channel(server: RunningServer) -> Iterator[grpc.Channel]:
    with server.channel() as opened:
        yield opened


def check(broken: Broken) -> None:
    before = [result.sequence for result in broken.before]
    after = [result.sequence for result in broken.after]
    assert before
    assert after
    assert broken.resume_after >= before[-1], "what was answered is not asked for again"
    assert before + after == sorted({*before, *after})
    assert after[0] == broken.resume_after + 1
    assert {event.visit_id for event in broken.events} == {broken.events[0].track_id}
    named = [event for event in broken.events if event.state == CONFIRMED]
    assert {event.decision.identity_id for event in named} == {NAME}
    assert broken.events[-1].state == ENDED
    ids = [event.event_id for event in broken.events]
    assert ids == sorted(set(ids))


def test_a_cut_connection(models: Path) -> None:
    broken = through_cut_connection()
    check(broken)
    assert len(broken.tracks) == 1
    assert broken.names <= {NAME, ""}
    assert broken.after[-1].faces[0].decision.identity_id == NAME
    states = [event.state for event in broken.events]
    assert states == [TENTATIVE, CONFIRMED, ENDED], "the visit is announced once"


def test_a_killed_server(models: Path, tmp_path: Path) -> None:
    broken = through_killed_server(tmp_path / "data")
    check(broken)
    assert broken.names <= {NAME, ""}
    assert broken.after[-1].faces[0].decision.identity_id == NAME
    assert [event.state for event in broken.events].count(ENDED) == len(
        {event.track_id for event in broken.events}
    ), "each track ends once"


def test_a_stream_that_another_one_resumes_ends(channel: grpc.Channel) -> None:
    film = steady(made_pair()[:1], until_s=2)
    shots = list(film.shots(film.times(10)))
    first = TrackedStream(channel)
    for shot in shots[:10]:
        first.send(shot.jpeg, shot.at_s)
    token = first.started.resume_token
    assert token
    with TrackedStream(channel, resume_token=token) as second:
        assert second.started.resume_token == token
        assert second.started.resume_after_sequence == 10
        second.next_sequence = 11
        for shot in shots[10:]:
            second.send(shot.jpeg, shot.at_s)
    with pytest.raises(grpc.RpcError) as caught:
        first.read()
    error: Any = caught.value
    assert error.code() is grpc.StatusCode.ABORTED
    assert reason_and_fields(error) == ("STREAM_TAKEN_OVER", [])


@pytest.mark.parametrize("token", [b"\0" * 16, b"x"])
def test_an_unknown_token_begins_a_new_stream(channel: grpc.Channel, token: bytes) -> None:
    with TrackedStream(channel, resume_token=token) as stream:
        assert stream.started.resume_after_sequence == 0
        assert stream.started.resume_token != token
        assert stream.started.resume_within_ms > 0


def test_a_stream_that_ended_well_cannot_be_resumed(channel: grpc.Channel) -> None:
    film = steady(made_pair()[:1], until_s=1)
    with TrackedStream(channel) as first:
        for shot in film.shots(film.times(10)):
            first.send(shot.jpeg, shot.at_s)
    with TrackedStream(channel, resume_token=first.started.resume_token) as second:
        assert second.started.resume_after_sequence == 0
