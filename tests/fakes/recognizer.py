"""A recognizer and an enroller whose speed and mood the test controls."""

import asyncio
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from facewire_server.errors import (
    EmptyImage,
    GalleryNotFound,
    ModelUnavailable,
    OutOfMemory,
    TooManyBytes,
    UndecodableImage,
)
from facewire_server.events import Emit, PictureFinished, Stage, ignore
from facewire_server.galleries.ports import NegativeExamples
from facewire_server.galleries.records import (
    AddedNegativeExample,
    Enrollment,
    EnrollmentResult,
    NewIdentity,
    NewNegativeExample,
)
from facewire_server.galleries.refusal import Refusal
from facewire_server.pipeline.enroll import Enroller
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.pipeline.negative import NegativeExampleMaker
from facewire_server.pipeline.recognize import Recognizer
from facewire_server.streams.camera.camera import Camera
from facewire_server.streams.journal import Crop, OpenTrack
from facewire_server.streams.values import Arrival, StreamPlan
from facewire_server.types import (
    Candidate,
    CompareOutcome,
    Comparison,
    Decision,
    DecisionPolicy,
    DetectionOptions,
    Face,
    FaceSelection,
    Outcome,
    PairThreshold,
    Picture,
    PictureLimits,
    Quality,
    Recognition,
    Timings,
    TrackEvent,
)
from facewire_server.work.slots import Slot, WorkSlots

__all__ = ["CONTRACT_ID", "FakeCamera", "FakeEnroller", "FakeRecognizer", "a_face"]

CONTRACT_ID = "c" * 64

Call = tuple[Picture, str, DetectionOptions, DecisionPolicy]


def a_face(decision: Decision | None = None) -> Face:
    """A face with numbers that float32 holds exactly."""
    return Face(
        box=np.array([10.5, 20.25, 50.5, 80.25], np.float32),
        landmarks=np.arange(10, dtype=np.float32).reshape(5, 2),
        score=0.75,
        quality=Quality(32.0, 100.0, 128.0),
        decision=decision,
    )


class FakeRecognizer(Recognizer):  # a subclass: mypy says when it no longer fits
    """Finds one face in every picture, as soon as `gate` is open.

    A picture that begins with "text" is undecodable, with "away" finds no model, with "full" no
    memory, with "lost" no gallery, with "crash" a bug, and with "hang" is never finished.

    Attributes:
        slots: held for each picture; `served` sets them.
        emit: takes a `PictureFinished` of each picture; `served` sets it.
        gate: closed (cleared) by a test to keep pictures in work.
        size_px: width and height of what it says it saw.
        calls: what was asked, in order of beginning.
        selections: which faces were compared, in order.
        most_at_once: most pictures in work at the same time.
        cancelled: pictures whose work was cancelled.
        cameras: of the streams that were opened, in order.
        events: what the next frame of a stream causes.
    """

    def __init__(self, max_frame_bytes: int = 1 << 16) -> None:
        self.model_contract_id = CONTRACT_ID
        self._limits = PictureLimits(max_frame_bytes, 1 << 20)
        self.slots = WorkSlots(2)
        self.emit: Emit = ignore
        self.gate = asyncio.Event()
        self.gate.set()
        self.size_px = (640, 480)
        self.calls: list[Call] = []
        self.selections: list[FaceSelection] = []
        self.at_once = 0
        self.most_at_once = 0
        self.cancelled = 0
        self.cameras: list[FakeCamera] = []
        self.events: list[TrackEvent] = []
        self._moved = asyncio.Condition()

    async def until(self, *, begun: int = 0, cancelled: int = 0) -> None:
        """Waits until so many pictures were begun, and so many cancelled."""
        async with self._moved:
            await self._moved.wait_for(
                lambda: len(self.calls) >= begun and self.cancelled >= cancelled
            )

    async def recognize(
        self,
        picture: Picture,
        gallery_id: str,
        detection: DetectionOptions,
        policy: DecisionPolicy,
    ) -> Recognition:
        async with self.slots.picture() as slot:
            await self.work_on(picture, gallery_id, detection, policy, "recognize", slot)
        return self.recognition(policy, slot)

    def recognition(self, policy: DecisionPolicy, slot: Slot) -> Recognition:
        """Its one face, known."""
        best = Candidate("id-1", "One", 0.5, "a" * 32)
        threshold = policy.threshold_among(1)
        decision = Decision(
            Outcome.KNOWN, best, 0.25, threshold.value, 7, threshold_source=threshold.source
        )
        timings = Timings(queue_s=slot.waited_s, total_s=slot.waited_s)
        return Recognition((a_face(decision),), *self.size_px, 7, timings)

    async def compare(
        self,
        first: Picture,
        second: Picture,
        selection: FaceSelection,
        detection: DetectionOptions,
        policy: DecisionPolicy,
    ) -> Comparison:
        self.selections.append(selection)
        for field, picture in (("first", first), ("second", second)):
            try:
                async with self.slots.picture() as slot:
                    await self.work_on(picture, "", detection, policy, "compare", slot)
            except (EmptyImage, TooManyBytes, UndecodableImage) as error:
                error.field = field
                raise
        chosen = policy.threshold_of_pair()
        threshold = PairThreshold(chosen.value, chosen.source)
        return Comparison(CompareOutcome.SAME, 0.5, threshold, a_face(), a_face())

    async def work_on(
        self,
        picture: Picture,
        gallery_id: str,
        detection: DetectionOptions,
        policy: DecisionPolicy,
        purpose: str,
        slot: Slot,
    ) -> None:
        """Takes the time of a picture, or its end."""
        started_s = time.perf_counter()
        error: type[BaseException] | None = None
        self.calls.append((picture, gallery_id, detection, policy))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self._tell()
        try:
            await self.gate.wait()
            await self._mood(picture)
        except BaseException as failure:
            error = type(failure)
            if isinstance(failure, asyncio.CancelledError):
                self.cancelled += 1
                await self._tell()
            raise
        finally:
            self.at_once -= 1
            ended_s = time.perf_counter()
            stages = (Stage("decode", started_s, ended_s),)
            size = len(picture.data)
            self.emit(
                PictureFinished(purpose, size, started_s, ended_s, slot.waited_s, stages, error)
            )

    async def _mood(self, picture: Picture) -> None:
        data = picture.data
        if not data:
            raise EmptyImage("the picture has no bytes")
        if len(data) > self._limits.max_frame_bytes:
            raise TooManyBytes("the picture has too many bytes")
        if data.startswith(b"text"):
            raise UndecodableImage("not a picture" + "!" * 400)
        if data.startswith(b"away"):
            raise ModelUnavailable("the detector does not answer")
        if data.startswith(b"full"):
            raise OutOfMemory("there was no memory for the picture")
        if data.startswith(b"lost"):
            raise GalleryNotFound("no such gallery")
        if data.startswith(b"crash"):
            raise RuntimeError("Alice Example lives here")
        if data.startswith(b"hang"):
            await asyncio.Event().wait()

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()


class FakeCamera(Camera):  # a subclass: mypy says when it no longer fits
    """Does with the frames of a stream what a `FakeRecognizer` does with pictures; its one face is of one track.

    It finds the recognizer's `events` in the next frame, or when it is refreshed.
    """

    def __init__(
        self, recognizer: FakeRecognizer, plan: StreamPlan, new_track_id: Callable[[], int]
    ) -> None:
        self._recognizer = recognizer
        self._fake_plan = plan
        self._track_id = new_track_id()
        self._found: list[TrackEvent] = []
        recognizer.cameras.append(self)
        self.restored: list[OpenTrack] = []
        self.has_ended = False

    async def recognize(self, arrival: Arrival, picture: Picture, slot: Slot) -> Recognition:
        plan, recognizer = self._fake_plan, self._recognizer
        await recognizer.work_on(
            picture, plan.gallery_id, plan.detection, plan.decision, "stream", slot
        )
        self._find()
        recognition = recognizer.recognition(plan.decision, slot)
        sequence = arrival.frame.sequence
        faces = (
            replace(face, track_id=self._track_id, evidence_sequence=sequence)
            for face in recognition.faces
        )
        return replace(recognition, faces=tuple(faces))

    async def refresh(self, *, is_idle: bool) -> None:
        self._find()

    def _find(self) -> None:
        self._found += self._recognizer.events
        self._recognizer.events.clear()

    def take_events(self) -> list[TrackEvent]:
        found, self._found = self._found, []
        return found

    def take_portraits(self) -> dict[int, Crop]:
        return {}

    def restore(self, tracks: Sequence[OpenTrack]) -> None:
        self.restored = list(tracks)

    def numbers(self) -> dict[int, tuple[float, ...]]:
        return {}

    def end(self) -> None:
        self.has_ended = True

    def break_off(self) -> None:
        pass


class FakeEnroller(Enroller):  # a subclass: mypy says when it no longer fits
    """Refuses pictures that begin with "text" as undecodable, and accepts the others."""

    def __init__(self) -> None:
        self.calls: list[dict[str, object]] = []
        self._gate = Gate(QualityLimits(prefix="enroll_", min_inter_eye_px=16.0))

    async def enroll(
        self,
        gallery_id: str,
        identity: NewIdentity,
        pictures: Sequence[Picture],
        selection: FaceSelection,
        detection: DetectionOptions,
        *,
        source: str = "",
        request_id: str = "",
    ) -> Enrollment:
        self.calls.append(
            {
                "gallery_id": gallery_id,
                "identity": identity,
                "selection": selection,
                "detection": detection,
                "source": source,
                "request_id": request_id,
            }
        )
        results = [
            EnrollmentResult("", Refusal.IMAGE_UNDECODABLE, "not a picture")
            if picture.data.startswith(b"text")
            else EnrollmentResult(
                f"{row:032x}", None, "", Quality(32.0, 100.0, 128.0), (1.0, 2.0, 11.0, 22.0), 0.75
            )
            for row, picture in enumerate(pictures)
        ]
        return Enrollment(tuple(results), 3, 1)


class FakeNegativeExampleMaker(NegativeExampleMaker):
    """Takes the first bytes of a picture as the face's direction, among 256."""

    def __init__(self, gallery: NegativeExamples, dimension: int) -> None:
        self._gallery = gallery
        self._dimension = dimension

    async def add(
        self,
        gallery_id: str,
        identity_id: str,
        picture: Picture,
        selection: FaceSelection,
        detection: DetectionOptions,
        *,
        source: str = "",
        request_id: str = "",
    ) -> AddedNegativeExample:
        embedding = np.eye(self._dimension, dtype=np.float32)[picture.data[0] % self._dimension]
        example = NewNegativeExample(
            uuid.uuid4().hex,
            identity_id,
            Quality(32.0, 100.0, 128.0),
            0.75,
            (1.0, 2.0, 11.0, 22.0),
            source,
            request_id,
            picture.data,
        )
        return await self._gallery.add_negative_example(gallery_id, example, embedding)
