"""Who does the frames of a video in `bench.video_cost`: servers, and OpenCV's YuNet + SFace; each counts its processor time."""

import multiprocessing
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self

import cv2
import psutil
from prometheus_client.parser import text_string_to_metric_families

from bench.opencv_peer import OpenCvPipeline
from bench.steady_clips import Clip
from facewire.v1 import face_pb2, gallery_pb2, gallery_pb2_grpc, recognition_pb2
from harness.model_servers import free_port
from harness.running import RunningServer, running_checkout
from harness.tracked import TrackedStream

__all__ = ["STAGES", "Party", "Peer", "Play", "Server", "Turn"]

STAGES: Final = ("decode", "detect", "align", "embed", "match")

_EMBEDDED: Final = "facewire_model_faces_total"
_PEER_CANVAS_PX: Final = 640
_OPEN_FILES: Final = 1024
_TIMEOUT_S: Final = 60.0
_IN_FLIGHT: Final = 2
"""Frames sent and not answered: the next one has arrived when one is finished, as with any camera that is not slow."""


class Turn(NamedTuple):
    """What one party did in one turn.

    Attributes:
        ms: processor time of a frame, milliseconds.
        frames: their number.
        faces: found in all of them.
        searched: frames that were searched; of an older server all.
        embedded: faces that were embedded; not a number if the server does not count them.
        stages_ms: time of each stage in all frames together.
    """

    ms: float
    frames: int
    faces: int
    searched: int
    embedded: float
    stages_ms: dict[str, float]


class Play(Protocol):
    """An endless clip, at the times of a camera."""

    def turn(self, frames: int) -> Turn:
        """Does the next frames."""


class Party(Protocol):
    """Who does frames."""

    def playing(self, clip: Clip, fps: float) -> AbstractContextManager[Play]:
        """Begins a clip."""


class Server:
    """The server of a checkout, with a person of each clip enrolled."""

    def __init__(self, checkout: Path, clips: list[Clip]) -> None:
        self._checkout = checkout
        self._clips = clips
        self._stack = ExitStack()
        self._metrics = ""

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._metrics = f"127.0.0.1:{free_port()}"
            settings: dict[str, object] = {
                "metrics_listen": self._metrics,
                "frame_timeout_s": _TIMEOUT_S,
            }
            if (models := self._checkout / "models").is_dir():
                settings["models"] = models
            self._server: RunningServer = stack.enter_context(
                running_checkout(self._checkout, open_files=_OPEN_FILES, **settings)
            )
            self._channel = stack.enter_context(self._server.channel())
            self._process = psutil.Process(self._server.pid)
            stub = gallery_pb2_grpc.GalleryServiceStub(self._channel)
            for index, clip in enumerate(self._clips):
                stub.EnrollTemplates(
                    gallery_pb2.EnrollTemplatesRequest(
                        identity_id=f"person-{index}",
                        images=[face_pb2.Image(data=clip.frames[0])],
                        selection=face_pb2.FACE_SELECTION_LARGEST,
                        create_identity=True,
                    ),
                    timeout=_TIMEOUT_S,
                )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @contextmanager
    def playing(self, clip: Clip, fps: float) -> Iterator[Play]:
        """Opens a stream."""
        with TrackedStream(self._channel, camera_id=clip.name) as stream:
            yield _Streamed(self, stream, clip, max(1, round(clip.fps / fps)))

    def processor_s(self) -> float:
        """Returns the processor time of the process so far, seconds."""
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def embedded(self) -> float:
        """Returns how many faces were embedded so far."""
        with urllib.request.urlopen(f"http://{self._metrics}/metrics", timeout=30) as response:
            text = response.read().decode()
        samples = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == _EMBEDDED and sample.labels["servable"].startswith("embedding")
        ]
        return sum(samples) if samples else float("nan")


class _Streamed:
    def __init__(self, server: Server, stream: TrackedStream, clip: Clip, stride: int) -> None:
        self._server, self._stream, self._clip, self._stride = server, stream, clip, stride
        self._number = 0

    def turn(self, frames: int) -> Turn:
        """Streams frames as fast as they are answered."""
        embedded, began_s = self._server.embedded(), self._server.processor_s()
        results = []
        for index in range(frames + _IN_FLIGHT):
            if index < frames:
                number = self._number
                self._stream.post(self._clip.frame(number), number / self._clip.fps)
                self._number += self._stride
            if index >= _IN_FLIGHT:
                results.append(self._stream.read())
        spent_s = self._server.processor_s() - began_s
        if bad := [one.detail for one in results if one.reason]:
            raise RuntimeError(f"a frame was refused: {bad[0]}")
        stages: defaultdict[str, float] = defaultdict(float)
        for result in results:
            for stage in STAGES:
                stages[stage] += getattr(result.timings, f"{stage}_us") / 1e3
        return Turn(
            spent_s / frames * 1e3,
            frames,
            sum(len(result.faces) for result in results),
            sum(r.detection_mode != recognition_pb2.DETECTION_MODE_FOLLOWED for r in results),
            self._server.embedded() - embedded,
            dict(stages),
        )


class Peer:
    """OpenCV's pipeline in a process of one thread, which embeds every face of every frame and compares none."""

    def __enter__(self) -> Self:
        context = multiprocessing.get_context("spawn")
        self._end, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()
        self._process.join(10)
        self._process.kill()

    @contextmanager
    def playing(self, clip: Clip, fps: float) -> Iterator[Play]:
        """Begins a clip."""
        yield _Peered(self._end, clip, max(1, round(clip.fps / fps)))


class _Peered:
    def __init__(self, end: Connection, clip: Clip, stride: int) -> None:
        self._end, self._clip, self._stride, self._number = end, clip, stride, 0

    def turn(self, frames: int) -> Turn:
        """Does frames in the other process."""
        numbers = [self._number + index * self._stride for index in range(frames)]
        self._number += frames * self._stride
        self._end.send([self._clip.frame(number) for number in numbers])
        spent_s, faces = self._end.recv()
        return Turn(spent_s / frames * 1e3, frames, faces, frames, faces, {})


def _serve(end: Connection) -> None:
    cv2.setNumThreads(1)
    pipeline = OpenCvPipeline()
    while True:
        try:
            pictures = end.recv()
        except EOFError:
            return
        began_s = time.process_time()
        faces = sum(pipeline.recognize(picture, _PEER_CANVAS_PX) for picture in pictures)
        end.send((time.process_time() - began_s, faces))
