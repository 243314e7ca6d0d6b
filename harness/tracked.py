"""A stream whose tracks are watched: its results, its events, and what they say beside the truth of a made film."""

import queue
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Any, Final, Self

import grpc

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from harness.made_films import Shot, Visible

__all__ = ["Judged", "TrackedStream", "judge", "names_without_retraction", "play"]

_TIMEOUT_S: Final = 3600.0
_LEAST_SHARE: Final = 0.3
"""A face of which less can be seen is not the one that was found. Chosen, not measured."""

_NEAR: Final = 0.6
"""Farthest from the middle of a face, in its widths, that the middle of what was found may lie. Chosen, not measured."""

_Request = recognition_pb2.StreamRecognizeRequest


class TrackedStream:
    """A stream with EVERY_FRAME on which the next frame is sent after the last was answered.

    Attributes:
        started: the server's first message.
        results: of the frames so far.
        events: so far, each with the number of results before it.
        reconnect: the server's last message, if it ends the stream.
    """

    def __init__(self, channel: grpc.Channel, *, first_sequence: int = 1, **config: Any) -> None:
        """Opens the stream; `config` are fields of `StreamConfig`."""
        self.results: list[recognition_pb2.FrameResult] = []
        self.events: list[tuple[int, recognition_pb2.TrackEvent]] = []
        self.reconnect: recognition_pb2.Reconnect | None = None
        self.next_sequence = first_sequence
        self._sent: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        settings = recognition_pb2.StreamConfig(
            frame_policy=recognition_pb2.FRAME_POLICY_EVERY_FRAME, **config
        )
        self._sent.put(_Request(config=settings))
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        self._answers = stub.StreamRecognize(iter(self._sent.get, None), timeout=_TIMEOUT_S)
        self.started = next(self._answers).started

    def post(self, jpeg: bytes, at_s: float) -> None:
        """Sends one frame, and does not wait for its result."""
        frame = recognition_pb2.Frame(
            sequence=self.next_sequence,
            captured_at_us=1 + round(at_s * 1e6),
            image=face_pb2.Image(data=jpeg),
        )
        self.next_sequence += 1
        self._sent.put(_Request(frame=frame))

    def read(self) -> recognition_pb2.FrameResult:
        """Waits for the next result; the events before it are kept.

        Raises:
            RuntimeError: the stream ended.
        """
        for answer in self._answers:
            if answer.HasField("track"):
                self.events.append((len(self.results), answer.track))
            elif answer.HasField("frame"):
                self.results.append(answer.frame)
                return self.results[-1]
        raise RuntimeError("the stream ended before the frame was answered")

    def send(self, jpeg: bytes, at_s: float) -> recognition_pb2.FrameResult:
        """Sends one frame and waits for its result.

        Raises:
            RuntimeError: another frame was answered, or the stream ended.
        """
        sequence = self.next_sequence
        self.post(jpeg, at_s)
        result = self.read()
        if result.sequence != sequence:
            raise RuntimeError(f"frame {result.sequence} was answered in place of {sequence}")
        return result

    def finish(self) -> None:
        """Sends no further frame, and reads to the end; raises what the stream ended with."""
        self._sent.put(None)
        self.read_to_end()

    def read_to_end(self) -> None:
        """Reads until the server ends the stream; raises what it ended with."""
        for answer in self._answers:
            if answer.HasField("track"):
                self.events.append((len(self.results), answer.track))
            elif answer.HasField("frame"):
                self.results.append(answer.frame)
            elif answer.HasField("reconnect"):
                self.reconnect = answer.reconnect

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.finish()
        else:
            self._sent.put(None)
            self._answers.cancel()


@dataclass
class Judged:
    """A film's results beside its truth.

    Attributes:
        faces: found on a person of the film.
        right: of them, shown with the person's name.
        wrong: times that a name was shown on another face, with the second of the film.
        strange: faces found where no person is.
        people: the people of each track, in the order of its frames.
    """

    faces: int = 0
    right: int = 0
    wrong: list[tuple[float, str, str]] = field(default_factory=list)
    strange: int = 0
    people: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def taken_over(self) -> int:
        """How often a track went on with another person's face."""
        return sum(
            one != other for people in self.people.values() for one, other in pairwise(people)
        )


def play(stream: TrackedStream, shots: Iterable[Shot]) -> Judged:
    """Sends a film's frames one after the other, and judges the results."""
    judged = Judged()
    for shot in shots:
        judge(judged, shot, stream.send(shot.jpeg, shot.at_s))
    return judged


def judge(judged: Judged, shot: Shot, result: recognition_pb2.FrameResult) -> None:
    """Adds one frame's result.

    Raises:
        RuntimeError: the frame was refused.
    """
    if result.status != recognition_pb2.FRAME_STATUS_OK:
        raise RuntimeError(f"a frame was refused: {result.detail}")
    for face in result.faces:
        name = face.decision.identity_id
        near = _people_at(shot.faces, face.box)
        person = near[0] if near else None
        if person is None:
            judged.strange += 1
            if name:
                judged.wrong.append((shot.at_s, name, "no face"))
            continue
        judged.faces += 1
        judged.right += name == person
        if name not in ("", *near):
            judged.wrong.append((shot.at_s, name, person))
        if face.track_id:
            judged.people[face.track_id].append(person)


def names_without_retraction(stream: TrackedStream) -> list[tuple[str, str]]:
    """Returns the pairs of names of which one followed the other on a track that was not retracted between."""
    shown: dict[int, str] = {}
    found = []
    for _, event in stream.events:
        name = event.decision.identity_id
        before = shown.get(event.track_id, "")
        if event.state == recognition_pb2.TRACK_STATE_RETRACTED:
            shown[event.track_id] = ""
        elif event.state == recognition_pb2.TRACK_STATE_CONFIRMED:
            if before and name != before:
                found.append((before, name))
            shown[event.track_id] = name
    return found


def _people_at(faces: tuple[Visible, ...], box: face_pb2.Box) -> list[str]:
    """Returns the names of the visible people whose faces are near a box, the nearest first; of two who overlap it may be either's."""
    x, y = box.x_px + box.width_px / 2, box.y_px + box.height_px / 2
    near = sorted(
        (((x - face.box.x) ** 2 + (y - face.box.y) ** 2) ** 0.5 / face.box.width, face.name)
        for face in faces
        if face.share >= _LEAST_SHARE
    )
    return [name for far, name in near if far <= _NEAR]
