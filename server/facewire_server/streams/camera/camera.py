"""One camera: does a stream's frames in order, and carries on what is known from one to the next."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from facewire_server.pipeline.quality import attitude
from facewire_server.streams.camera.evidence import Evidence, embedded, with_attack_odds
from facewire_server.streams.camera.kept_tracks import numbers_of, track_record
from facewire_server.streams.camera.line import CameraLine
from facewire_server.streams.camera.people import People
from facewire_server.streams.camera.person import Moment, Person
from facewire_server.streams.camera.track_clock import TrackClock
from facewire_server.streams.camera.view import Seeing, View
from facewire_server.streams.camera.wishes import PeoplesWishes
from facewire_server.streams.journal import Crop, OpenTrack
from facewire_server.streams.tracks import Seen, Tracker
from facewire_server.streams.values import Arrival, StreamPlan
from facewire_server.types import (
    Face,
    Faces,
    Picture,
    Quality,
    QualityFault,
    Recognition,
    TrackEvent,
    TrackReason,
)
from facewire_server.work.clock import Clock
from facewire_server.work.slots import Slot

__all__ = ["Camera"]

_REMATCH_S: Final = 0.5
"""Seconds between two searches for people whose evidence has not changed, however often the gallery changes. Chosen, not measured: an
import changes it many times a second."""

_MOST_INEXACT: Final = 256
"""Looks of one stream that are not exact, at which further ones are embedded in float32: each keeps a crop of 37 KB, to be embedded again
if a decision is near. Chosen, not measured: five looks at fifty people."""


class Camera:
    """The frames of one stream, in order. No call may begin before the one before has ended."""

    def __init__(self, line: CameraLine, plan: StreamPlan, new_track_id: Callable[[], int]) -> None:
        """Starts without tracks.

        Args:
            line: what all cameras share.
            plan: of the stream.
            new_track_id: returns an id that no track had before.
        """
        self._line = line
        self._plan = plan
        self._clock = TrackClock()
        self._tracker = Tracker(new_track_id)
        self._people = People(line, plan)
        self._wishes = PeoplesWishes(self._people, plan.decision.min_inter_eye_px, line)
        self._portraits: dict[int, Crop] = {}
        self._seeing = Seeing(
            line.reader,
            self._tracker,
            plan.detection,
            line.limits,
            interval_s=plan.search_interval_s,
        )
        self._changes = -1
        self._revision = 0
        self._is_rematch_due = False
        self._matched_at_s = float("-inf")

    def restore(self, tracks: Sequence[OpenTrack]) -> None:
        """Carries on the tracks of another stream, before the first frame; a name is held back until the face was looked at again.

        Args:
            tracks: as the journal has them. Those whose place it does not know end.
        """
        records = [record for track in tracks if (record := track_record(track)) is not None]
        self._tracker.restore(records, self._clock.at_s)
        for track in tracks:
            self._people.restore(track)
        known = {record.track_id for record in records}
        lost = [person.track_id for person in self._people if person.track_id not in known]
        self._people.end(lost, TrackReason.LOST)

    def numbers(self) -> dict[int, tuple[float, ...]]:
        """Returns where the tracks are, for `restore`, by track id."""
        now_s = self._clock.after(time.perf_counter())
        return {record.track_id: numbers_of(record) for record in self._tracker.state(now_s)}

    def take_events(self) -> list[TrackEvent]:
        """Returns the events since the last call, in order."""
        events, self._people.events = self._people.events, []
        return events

    def take_portraits(self) -> dict[int, Crop]:
        """Returns the pictures to be kept since the last call, by track."""
        portraits, self._portraits = self._portraits, {}
        return portraits

    async def recognize(self, arrival: Arrival, picture: Picture, slot: Slot) -> Recognition:
        """Works on a frame.

        Args:
            arrival: the frame.
            picture: the frame's, with the turn that the plan asks for.
            slot: that the frame holds.

        Raises:
            InvalidImage: the picture cannot be used.
            GalleryNotFound, ModelContractMismatch: the gallery cannot be searched.
            ModelUnavailable: a model does not answer.
            OutOfMemory: there was no memory for the picture.
        """
        frame, read_at_s = arrival
        with self._line.reader.clock(picture, slot.waited_s) as clock:
            at_s = self._clock.frame(frame.captured_at_us, read_at_s)
            arrived_us = round(time.time() * 1e6 - (time.perf_counter() - read_at_s) * 1e6)
            now = Moment(at_s, frame.sequence, arrived_us)
            step_s, waited_s = self._clock.usual_step_s, slot.waited_s
            view = await self._line.left_behind.run(
                self._seeing.look(picture, at_s, step_s, waited_s, self._wishes, clock)
            )
            evidence = await self._evidence(view, clock)
            people = self._note(view, evidence, now)
            await self._check_gallery()
            if len(self._people):
                with clock.stage("match"):
                    await self._people.judge(at_s)
            return Recognition(
                self._faces(view, evidence, people),
                view.width_px,
                view.height_px,
                self._revision,
                clock.timings(waited_s=slot.waited_s),
                view.smallest_face_px,
                view.remark,
                view.mode,
                len(evidence),
            )

    async def refresh(self, *, is_idle: bool) -> None:
        """Does what is due without a frame: ends tracks that were not seen for long, and heeds a changed gallery.

        Args:
            is_idle: no frame is on its way.

        Raises:
            GalleryNotFound, ModelContractMismatch: the gallery cannot be searched.
        """
        if is_idle:
            now_s = self._clock.after(time.perf_counter())
            if ended := self._tracker.expire(now_s):
                self._people.end(ended, TrackReason.LOST)
                self._seeing.search_next()
        await self._check_gallery()
        await self._people.judge(self._clock.at_s)

    def end(self) -> None:
        """Ends all tracks, since the stream ends."""
        self._tracker.end_all()
        ids = [person.track_id for person in self._people]
        self._people.end(ids, TrackReason.STREAM_ENDED)

    def break_off(self) -> None:
        """Hands over the unknown people in view: the stream is over, and another one may go on with their tracks."""
        self._people.hand_over_unknown(self._people)

    async def _evidence(self, view: View, clock: Clock) -> dict[int, Evidence]:
        """Returns the faces that were cut out, embedded, by row."""
        if not len(view.rows):
            return {}
        line = self._line
        with clock.stage("embed"):
            faces = await embedded(
                view.crops,
                view.qualities,
                line.embedder,
                self._people.gate,
                exactly=self._people.inexact_count >= _MOST_INEXACT,
            )
            if line.attacks is not None:
                faces = await with_attack_odds(faces, view.surroundings, line.attacks)
        return dict(zip(view.rows.tolist(), faces, strict=True))

    def _note(self, view: View, evidence: dict[int, Evidence], now: Moment) -> dict[int, Person]:
        """Moves the tracks on; returns the person of each row, without doubles."""
        embeddings = {
            row: one.embedding for row, one in evidence.items() if one.embedding is not None
        }
        seen: Seen = self._tracker.update(view.proposal, embeddings)
        people = {
            row: self._people.saw(
                sighting,
                now,
                inter_eye_px=attitude(view.faces.landmarks[row]).inter_eye_px,
                evidence=evidence.get(row),
            )
            for row, sighting in enumerate(seen.rows)
            if not view.proposal.is_double[row]
        }
        for row in view.portraits.keys() & people.keys():
            if seen.rows[row].is_sure:  # else it may be another person's
                self._keep_portrait(people[row], view.portraits[row], evidence[row])
        self._people.end(seen.ended, TrackReason.LOST)
        has_found = any(sighting.is_new for sighting in seen.rows)
        self._seeing.saw(view, seen, now.at_s, has_found=has_found)
        return people

    def _keep_portrait(self, person: Person, jpeg: bytes, evidence: Evidence) -> None:
        """Keeps the picture of a face, unless it turned out to be a poor one."""
        if jpeg and evidence.embedding is not None:
            person.portrait = Crop(jpeg, person.last.sequence, evidence.quality)
            self._portraits[person.track_id] = person.portrait

    async def _check_gallery(self) -> None:
        """Marks who must be searched for again, since the gallery changed."""
        gallery, missing = self._line.gallery, frozenset[str]()
        changes = gallery.change_count()
        if changes != self._changes:
            revision, missing = await gallery.presence(self._plan.gallery_id, self._people.named)
            self._changes = changes
            self._is_rematch_due |= revision != self._revision and self._people.have_been_judged
            self._revision = revision
        now_s = time.perf_counter()
        if self._is_rematch_due and (missing or now_s - self._matched_at_s >= _REMATCH_S):
            self._is_rematch_due = False
            self._matched_at_s = now_s
            self._people.rematch(missing)

    def _faces(
        self, view: View, evidence: dict[int, Evidence], people: dict[int, Person]
    ) -> tuple[Face, ...]:
        faces = view.faces
        return tuple(
            Face(
                faces.boxes[row],
                faces.landmarks[row],
                float(faces.scores[row]),
                evidence[row].quality if row in evidence else self._quality(person, faces, row),
                person.verdict.shown,
                person.track_id,
                person.verdict.evidence_sequence,
                person.attacks.value,
            )
            for row, person in people.items()
        )

    def _quality(self, person: Person, faces: Faces, row: int) -> Quality:
        """Returns what is known of a face that was not cut out: its size and pose, and the rest from the last time that it was."""
        seen = attitude(faces.landmarks[row])
        if person.quality is not None:
            quality = person.quality._replace(**seen._asdict())
            again = self._people.gate.examine(quality, norm=quality.embedding_norm).quality
            kept = [one for one in person.quality.faults if one is QualityFault.UPSIDE_DOWN]
            return again._replace(faults=(*again.faults, *kept))
        is_small = seen.inter_eye_px < self._plan.decision.min_inter_eye_px
        faults = (QualityFault.TOO_SMALL,) if is_small else ()
        return Quality(seen.inter_eye_px, 0.0, 0.0, yaw=seen.yaw, pitch=seen.pitch, faults=faults)
