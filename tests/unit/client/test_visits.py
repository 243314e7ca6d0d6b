"""Who was there, from when to when: one visit for a person who comes, whatever single frames say."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from facewire._wire.read_results import read_frame_result
from facewire._wire.read_tracks import read_track_event
from facewire.cli._visits import Visit, Visits, span, write_csv
from facewire.v1 import face_pb2, recognition_pb2

NOON_US = 1_700_049_600_000_000
"""2023-11-15, 12:00 UTC."""


def decided(decision, name):
    """None: it is open; "": of nobody who is known."""
    if name:
        decision.outcome = face_pb2.OUTCOME_KNOWN
        decision.identity_id, decision.display_name = name.lower(), name
        decision.similarity = 0.75
    else:
        decision.outcome = (
            face_pb2.OUTCOME_UNKNOWN if name == "" else face_pb2.OUTCOME_PENDING
        )  # fmt: skip


def frame(at_s, *faces):
    """Each face: track and name."""
    result = recognition_pb2.FrameResult(
        status=recognition_pb2.FRAME_STATUS_OK, captured_at_us=round(at_s * 1e6), width_px=64
    )
    for track, name in faces:
        face = result.faces.add(track_id=track)
        decided(face.decision, name)
    return read_frame_result(result)


def event(state, track, name=None, *, visit=0, reason="EVIDENCE", at_s=0.0):
    message = recognition_pb2.TrackEvent(
        track_id=track, visit_id=visit or track, state=f"TRACK_STATE_{state}",
        reason=f"TRACK_REASON_{reason}", first_seen_us=NOON_US,
        last_seen_us=NOON_US + round(at_s * 1e6), server_time_us=NOON_US + round(at_s * 1e6),
    )  # fmt: skip
    decided(message.decision, name)
    return read_track_event(message)


def over(visits, *results):
    return [visit for result in results for visit in visits.add(result)]


def summary(visits):
    return [(visit.who, visit.from_s, visit.to_s, visit.frame_count) for visit in visits]


def test_a_visit_lasts_from_the_first_to_the_last_frame_of_its_track():
    visits = Visits(of_film=True)
    assert not over(
        visits,
        frame(0.0),
        event("TENTATIVE", 7),
        frame(1.0, (7, None)),  # before it is known who it is
        event("CONFIRMED", 7, "Ada"),
        frame(1.5, (7, "Ada")),
        frame(2.0, (7, None)),  # the name is held back for a moment
        frame(9.0, (7, "Ada")),
        frame(10.0),
        event("ENDED", 7, "Ada"),
        frame(12.0),
    )
    (ada,) = visits.finish()
    assert summary([ada]) == [("Ada", 1.0, 9.0, 4)]
    assert (ada.identity_id, ada.visit_id, ada.best_similarity) == ("ada", 7, 0.75)
    assert visits.ended == [ada]
    assert visits.finish() == []


def test_a_person_who_is_back_within_a_minute_goes_on_with_the_visit():
    visits = Visits(of_film=True)
    results = [
        event("CONFIRMED", 7, "Ada"), frame(1.0, (7, "Ada")), event("ENDED", 7, "Ada"), frame(3.0),
        frame(50.0), event("CONFIRMED", 8, "Ada", visit=7), frame(51.0, (8, "Ada")),
        event("ENDED", 8, "Ada", visit=7), frame(60.0),
    ]  # fmt: skip
    assert not over(visits, *results)
    assert not over(visits, frame(110.9))
    assert summary(over(visits, frame(111.1))) == [("Ada", 1.0, 51.0, 2)]
    assert visits.finish() == []


def test_people_who_are_in_no_gallery_have_visits_and_those_who_passed_by_are_counted():
    visits = Visits(of_film=True)
    over(visits, event("CONFIRMED", 7, ""), frame(1.0, (7, "")), event("ENDED", 7, ""))
    over(visits, event("TENTATIVE", 8), frame(2.0, (8, None)), event("ENDED", 8))
    assert summary(visits.finish()) == [("unknown", 1.0, 1.0, 1)]
    assert visits.undecided_count == 1


def test_an_unknown_person_may_be_recognized_later():
    visits = Visits(of_film=True)
    over(visits, event("CONFIRMED", 7, ""), frame(1.0, (7, "")))
    over(visits, event("CONFIRMED", 7, "Ada"), frame(2.0, (7, "Ada")))
    assert summary(visits.finish()) == [("Ada", 1.0, 2.0, 2)]


@pytest.mark.parametrize("reason", ["EVIDENCE", "GALLERY_CHANGED"])
def test_a_name_that_was_taken_back_is_in_no_visit(reason):
    visits = Visits(of_film=True)
    over(visits, event("CONFIRMED", 7, "Ada"), frame(1.0, (7, "Ada")))
    over(visits, event("RETRACTED", 7, reason=reason), frame(2.0, (7, None)))
    over(visits, event("CONFIRMED", 7, "Bo"), frame(3.0, (7, "Bo")))
    assert summary(visits.finish()) == [("Bo", 1.0, 3.0, 3)]
    over(visits, event("CONFIRMED", 8, "Cy"), frame(4.0, (8, "Cy")), event("RETRACTED", 8))
    over(visits, event("ENDED", 8))
    assert visits.finish() == []


def test_the_track_of_two_people_is_two_visits():
    visits = Visits(of_film=True)
    over(visits, event("CONFIRMED", 7, "Ada"), frame(1.0, (7, "Ada")), frame(2.0, (7, "Ada")))
    assert summary(over(visits, event("RETRACTED", 7, reason="SWAPPED"))) == [("Ada", 1.0, 2.0, 2)]
    over(visits, frame(3.0, (7, None)), event("CONFIRMED", 7, "Bo"), frame(4.0, (7, "Bo")))
    assert summary(visits.finish()) == [("Bo", 3.0, 4.0, 2)]


def test_a_track_whose_first_events_were_lost_has_a_visit():
    visits = Visits(of_film=True)
    over(visits, frame(1.0, (7, "Ada")), event("ENDED", 7, "Ada"))
    assert summary(visits.finish()) == [("Ada", 1.0, 1.0, 1)]


def test_a_visit_whose_end_was_lost_is_over_a_minute_after_its_last_frame():
    visits = Visits(of_film=False)
    over(visits, event("CONFIRMED", 7, "Ada"), frame(1.0, (7, "Ada")))
    over(visits, event("TENTATIVE", 8), frame(30.0, (7, "Ada")))
    # The stream broke off, and could not be resumed.
    assert not over(visits, event("CONFIRMED", 9, "Bo"), frame(89.9, (9, "Bo")))
    assert summary(over(visits, frame(90.1, (9, "Bo")))) == [("Ada", 1.0, 30.0, 2)]
    assert visits.undecided_count == 1
    assert summary(over(visits, event("ENDED", 7, "Ada"), frame(150.0, (9, "Bo")))) == []
    assert summary(visits.finish()) == [("Bo", 89.9, 150.0, 3)]


def test_two_people_at_once_are_two_visits():
    visits = Visits(of_film=True)
    over(visits, event("CONFIRMED", 7, "Ada"), event("CONFIRMED", 8, "Bo"))
    over(visits, frame(1.0, (7, "Ada"), (8, "Bo")), frame(2.0, (8, "Bo")))
    assert summary(visits.finish()) == [("Ada", 1.0, 1.0, 1), ("Bo", 1.0, 2.0, 2)]


def test_a_live_visit_has_the_servers_times_of_day():
    visits = Visits(of_film=False)
    over(visits, event("TENTATIVE", 7), frame(1.0, (7, None)))
    over(visits, event("CONFIRMED", 7, "Ada", at_s=65), frame(2.0, (7, "Ada")))
    over(visits, event("ENDED", 7, "Ada", at_s=125))
    (ada,) = visits.finish()
    noon = datetime(2023, 11, 15, 12, tzinfo=UTC)
    assert (ada.from_time, ada.to_time) == (noon, noon + timedelta(seconds=125))


def test_the_second_person_of_a_live_track_was_not_there_before_the_first_one_left():
    visits = Visits(of_film=False)
    over(visits, event("CONFIRMED", 7, "Ada", at_s=5), frame(1.0, (7, "Ada")))
    (ada,) = over(visits, event("RETRACTED", 7, reason="SWAPPED", at_s=60))
    over(visits, frame(61.0, (7, None)), event("CONFIRMED", 7, "Bo", at_s=65))
    over(visits, event("ENDED", 7, "Bo", at_s=125))
    (bo,) = visits.finish()
    noon = datetime(2023, 11, 15, 12, tzinfo=UTC)
    assert (ada.who, ada.from_time, ada.to_time) == ("Ada", noon, noon + timedelta(seconds=60))
    assert (bo.who, bo.from_time) == ("Bo", noon + timedelta(seconds=60))
    assert bo.to_time == noon + timedelta(seconds=125)


def test_without_tracks_the_names_of_frames_are_joined_over_short_gaps():
    visits = Visits(of_film=True)
    ended = over(visits, *(frame(at_s, (0, "Ada"), (0, "")) for at_s in (0.0, 1.0, 2.9, 5.4, 5.9)))
    assert summary(ended) == [("Ada", 0.0, 2.9, 3)]
    assert summary(visits.finish()) == [("Ada", 5.4, 5.9, 2)]


@pytest.mark.parametrize("again_s", [1.9, 2.0, 2.1, 2.4])
def test_without_tracks_one_missed_frame_of_a_slow_camera_ends_no_visit(again_s):
    visits = Visits(of_film=True)
    # A frame a second, and in the second one the face is missed.
    assert not over(visits, frame(0.0, (0, "Ada")), frame(1.0), frame(again_s, (0, "Ada")))
    assert len(visits.finish()) == 1


def test_without_tracks_a_visit_is_over_soon_after_the_last_frame():
    visits = Visits(of_film=False)
    assert not over(visits, frame(0.0, (0, "Ada")), frame(2.4))
    (ada,) = over(visits, frame(2.6))
    assert ada.from_time is not None
    assert ada.from_time <= ada.to_time


def test_from_when_to_when_is_in_the_films_time_or_the_time_of_day_here():
    assert span(Visit("Ada", 0.5, 75.25)) == "0:00.5–1:15.2"
    begin = datetime(2026, 3, 1, 23, 59, 58).astimezone()
    day = Visit("Ada", 0, 9, from_time=begin, to_time=begin + timedelta(seconds=1))
    assert span(day) == "2026-03-01 23:59:58–23:59:59"
    night = Visit("Ada", 0, 9, from_time=begin, to_time=begin + timedelta(seconds=9))
    assert span(night) == "2026-03-01 23:59:58–2026-03-02 00:00:07"


def test_the_table_has_a_row_for_each_visit_in_the_order_of_their_beginnings():
    table = io.StringIO(newline="")
    noon = datetime(2023, 11, 15, 12, tzinfo=UTC)
    write_csv(
        table,
        [
            Visit("bo", 1.25, 1.25, frame_count=1, best_similarity=0.6),
            Visit("Zoë, the 1st", 0.5, 1.0, frame_count=2, best_similarity=0.71),
            Visit("ada", 9.0, 9.0, frame_count=1, from_time=noon, to_time=noon),
        ],
    )
    assert list(csv.reader(io.StringIO(table.getvalue(), newline=""))) == [
        ["who", "from_s", "to_s", "frame_count", "best_similarity", "from_time", "to_time"],
        ["Zoë, the 1st", "0.50", "1.00", "2", "0.710", "", ""],
        ["bo", "1.25", "1.25", "1", "0.600", "", ""],
        ["ada", "9.00", "9.00", "1", "0.000", noon.isoformat(), noon.isoformat()],
    ]
