"""Streams a camera's frames, on a new stream each time the server ends one or is lost."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self, TypeAlias

from facewire import (
    Advice,
    Client,
    DecisionPolicy,
    DetectionOptions,
    FacewireError,
    Frame,
    FramePolicy,
    FrameResult,
    FramesSkipped,
    TrackEvent,
)
from facewire.cli._output import ERRORS
from facewire.cli._session import text_of

if TYPE_CHECKING:
    from facewire.video import Camera, FilmWriter

__all__ = ["Following", "Results"]

Results: TypeAlias = Iterator[FrameResult | FramesSkipped | TrackEvent]


class Following:
    """Streams a camera, and writes what was seen to a film if there is one."""

    def __init__(
        self,
        client: Client,
        camera: "Camera",
        *,
        film: "FilmWriter | None",
        gallery: str,
        camera_name: str,
        detection: DetectionOptions,
        decision: DecisionPolicy,
        interrupted: threading.Event,
    ) -> None:
        self._client = client
        self._camera = camera
        self._film = film
        self._gallery = gallery
        self._camera_name = camera_name
        self._detection = detection
        self._decision = decision
        self._interrupted = interrupted

    def results(self) -> Results:
        """Yields all results, until the source ends or the command is interrupted.

        For a live camera that had a stream, a new stream is opened if the server ends it or is lost.

        Raises:
            FacewireError: a film's stream failed, or the first of a camera.
        """
        try:
            yield from self._results()
        except (FacewireError, ValueError):
            if not self._interrupted.is_set():  # which has closed the client
                raise

    def _results(self) -> Results:
        frames = _Kept(self._camera)
        every = self._camera.every_frame
        policy = FramePolicy.EVERY_FRAME if every else FramePolicy.NEWEST_WINS
        with self._client.stream(
            frames if self._film else self._camera,
            camera=self._camera_name,
            gallery=self._gallery,
            policy=policy,
            detection=self._detection,
            decision=self._decision,
            rotation_degrees=self._camera.rotation_degrees,
            reopen=self._camera.live,
            on_reopen=self._report,
        ) as stream:
            for result in stream:
                if self._film and not isinstance(result, TrackEvent):
                    self._paint(self._film, frames, result)
                yield result

    def _report(self, error: FacewireError, pause_s: float) -> None:
        if not self._interrupted.is_set():
            ERRORS.print(f"facewire: {text_of(error)} Opening a new stream in {pause_s:.1f} s.")

    def _paint(
        self, film: "FilmWriter", frames: "_Kept", result: FrameResult | FramesSkipped
    ) -> None:
        from facewire.video import annotate

        if isinstance(result, FramesSkipped):
            for sequence in range(result.first_sequence, result.last_sequence + 1):
                frames.pictures.pop(sequence, None)
            return
        picture = frames.pictures.pop(result.sequence).picture
        painted = annotate(picture, result.faces, rotation_degrees=self._camera.rotation_degrees)
        film.write(painted, result.captured_at_us / 1e6)


class _Kept:
    """A camera's frames, kept until their results come: no more than the server's credit."""

    def __init__(self, camera: "Camera") -> None:
        self.pictures: dict[int, Frame] = {}
        self._camera = camera
        self._sequence = 0

    def advise(self, advice: Advice) -> None:
        self._camera.advise(advice)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        frame = next(self._camera)
        self._sequence += 1
        self.pictures[self._sequence] = frame
        return frame
