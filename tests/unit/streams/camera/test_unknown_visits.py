"""What a camera hands over of people whom the gallery does not know, and of whom it hands over nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from facewire_server.streams.camera.camera import Camera
from facewire_server.streams.journal import OpenTrack
from facewire_server.streams.unknown import UnknownVisit
from facewire_server.types import TrackState
from fakes.drawn_people import ANN, BOB, Drawn, Studio, enroll


class Noted:
    """Takes visits."""

    def __init__(self, *, are_kept: bool = True) -> None:
        self.are_kept = are_kept
        self.visits: list[UnknownVisit] = []

    def saw(self, visit: UnknownVisit) -> None:
        self.visits.append(visit)


@pytest.fixture
def studio() -> Iterator[Studio]:
    with ThreadPoolExecutor(2) as threads:
        yield Studio(threads)


def noting(studio: Studio, *, are_kept: bool = True) -> Noted:
    noted = Noted(are_kept=are_kept)
    studio.line = replace(studio.line, unknown=noted)
    studio.camera = Camera(studio.line, studio.plan, studio._ids)
    return noted


async def test_a_visit_is_handed_over_when_its_track_ends(studio: Studio) -> None:
    noted = noting(studio)
    await studio.watch(10, 3, lambda at_s: [Drawn(ANN, 200)])
    assert noted.visits == []
    studio.camera.end()
    (visit,) = noted.visits
    ended = studio.camera.take_events()[-1]
    assert (visit.track_id, visit.visit_id) == (ended.track_id, ended.visit_id)
    assert (visit.gallery_id, visit.camera_id) == ("default", "door")
    assert (visit.first_seen_us, visit.last_seen_us) == (ended.first_seen_us, ended.last_seen_us)
    ann = np.array([2, -1, -1]) / 6**0.5
    assert float(visit.looks_mean @ ann) > 0.95
    assert visit.picture is not None
    assert visit.picture.jpeg[:2] == b"\xff\xd8"
    studio.camera.break_off()
    assert len(noted.visits) == 1


async def test_a_stream_that_breaks_off_hands_over_who_is_in_view(studio: Studio) -> None:
    noted = noting(studio)
    await studio.watch(10, 3, lambda at_s: [Drawn(ANN, 100), Drawn(BOB, 400)])
    studio.camera.break_off()
    assert len({visit.track_id for visit in noted.visits}) == 2


async def test_who_is_only_passing_by_is_not_handed_over(studio: Studio) -> None:
    noted = noting(studio)
    await studio.watch(10, 0.5, lambda at_s: [Drawn(ANN, 200)])
    studio.camera.end()
    assert noted.visits == []


async def test_known_people_are_not_handed_over(studio: Studio) -> None:
    noted = noting(studio)
    await enroll(studio.gallery, ann=ANN)
    await studio.watch(10, 3, lambda at_s: [Drawn(ANN, 100), Drawn(BOB, 400)])
    studio.camera.end()
    (visit,) = noted.visits
    bob = np.array([-1, 2, -1]) / 6**0.5
    assert float(visit.looks_mean @ bob) > 0.95


async def test_who_was_deleted_while_in_view_is_not_kept_as_unknown(studio: Studio) -> None:
    noted = noting(studio)
    await enroll(studio.gallery, ann=ANN, bob=BOB)
    await studio.watch(10, 2, lambda at_s: [Drawn(ANN, 200)])
    await studio.gallery.delete_identity("default", "ann")
    await studio.watch(10, 4, lambda at_s: [Drawn(ANN, 200)], from_s=3.0)
    studio.camera.end()
    assert studio.camera.take_events()[-1].decision.outcome.name == "UNKNOWN"
    assert noted.visits == []


@pytest.mark.parametrize("state", [TrackState.RETRACTED, TrackState.CONFIRMED])
async def test_nor_by_the_stream_that_goes_on(studio: Studio, state: TrackState) -> None:
    await enroll(studio.gallery, ann=ANN, bob=BOB)
    frames = await studio.watch(10, 2, lambda at_s: [Drawn(ANN, 200)])
    named = [event for one in frames for event in one.events][-1]
    numbers = studio.camera.numbers()[named.track_id]
    await studio.gallery.delete_identity("default", "ann")
    noted = noting(studio)
    pending = replace(named.decision, outcome=type(named.decision.outcome).PENDING, best=None)
    event = replace(named, state=state, decision=pending)
    studio.camera.restore([OpenTrack(event, numbers)])
    await studio.watch(10, 4, lambda at_s: [Drawn(ANN, 200)], from_s=3.0)
    studio.camera.end()
    ended = studio.camera.take_events()[-1]
    assert (ended.track_id, ended.decision.outcome.name) == (named.track_id, "UNKNOWN")
    assert noted.visits == []


async def test_nothing_is_handed_over_and_no_picture_made_unless_it_is_allowed(
    studio: Studio,
) -> None:
    noted = noting(studio, are_kept=False)
    await studio.watch(10, 3, lambda at_s: [Drawn(ANN, 200)])
    assert studio.camera.take_portraits() == {}
    studio.camera.end()
    assert noted.visits == []
