"""`facewire events`: what the server keeps, and what happens from now on."""

import json

import pytest

from facewire.v1 import face_pb2, recognition_pb2
from fakes.server import TRACKED, FakeServer
from integration.command import ended_by_ctrl_c, interruptible, lines


@pytest.fixture
def fake():
    with FakeServer(features=TRACKED) as server:
        yield server


def happens(fake, state="CONFIRMED", *, camera="door", name="Ada", before=""):
    event = recognition_pb2.TrackEvent(
        camera_id=camera, track_id=7, visit_id=7, state=f"TRACK_STATE_{state}",
        reason="TRACK_REASON_EVIDENCE", previous_identity_id=before,
    )  # fmt: skip
    if name:
        event.decision.outcome = face_pb2.OUTCOME_KNOWN
        event.decision.identity_id, event.decision.display_name = name.lower(), name
    else:
        event.decision.outcome = face_pb2.OUTCOME_PENDING
    return fake.journal.record(event).event_id


def test_what_is_kept_is_listed_a_line_each(fake, run):
    first = happens(fake)
    happens(fake, "RETRACTED", name="", before="ada")
    result = run("events", server=fake.address)
    assert result.returncode == 0, result.stderr
    confirmed, retracted = result.stdout.splitlines()
    assert confirmed.split("  ")[0] == str(first)
    assert confirmed.split("  ")[2:] == ["door", "confirmed", "Ada", "(evidence, visit 7)"]
    assert retracted.split("  ")[2:] == ["door", "retracted", "not ada", "(evidence, visit 7)"]


def test_a_retraction_of_a_person_who_was_deleted_names_no_one(fake, run):
    happens(fake, "RETRACTED", name="")
    result = run("events", server=fake.address)
    assert result.stdout.split("  ")[2:5] == ["door", "retracted", "pending"]


@pytest.mark.parametrize("wrong", [("--after", 2**53), ("--state", "unspecified")])
def test_what_no_event_can_be_is_an_error_of_usage(fake, run, wrong):
    happens(fake)
    result = run("events", *wrong, server=fake.address)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert not fake.watched


def test_the_list_can_be_narrowed(fake, run):
    happens(fake, camera="hall")
    wanted = happens(fake)
    happens(fake, "ENDED")
    happens(fake, name="Bo")
    result = run(
        "events", "--camera", "door", "--identity", "ada", "--state", "confirmed", "--json",
        server=fake.address,
    )  # fmt: skip
    (line,) = lines(result)
    assert line["event"]["event_id"] == wanted
    assert line["event"]["decision"]["display_name"] == "Ada"
    after = run("events", "--after", wanted, "--json", server=fake.address)
    assert [each["event"]["event_id"] for each in lines(after)] == [wanted + 1, wanted + 2]


def test_the_feed_is_followed_from_now_on_until_ctrl_c(fake):
    happens(fake)
    following = interruptible(["events", "--follow", "--json"], fake.address)
    while not fake.watched:
        assert following.poll() is None
    numbers = [happens(fake), happens(fake)]
    seen = [json.loads(following.stdout.readline())["event"]["event_id"] for _ in numbers]
    assert seen == numbers
    _, errors = ended_by_ctrl_c(following)
    assert following.returncode == 0, errors
    assert "Traceback" not in errors


def test_events_that_are_no_longer_kept_are_said_to_be(fake, run):
    fake.journal.lost_before = happens(fake)
    fake.journal.events.clear()
    happens(fake)
    result = run("events", server=fake.address)
    assert len(result.stdout.splitlines()) == 1
    assert "no longer kept" in result.stderr


def test_a_server_that_keeps_no_events_says_so(fake, run):
    fake.features = set()
    result = run("events", server=fake.address)
    assert result.returncode == 5
    assert "no such feature" in result.stderr
