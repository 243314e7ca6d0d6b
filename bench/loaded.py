"""Puts a load on a running server, and measures what its cameras get: in `bench.load` and `bench.load_knee`."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import numpy as np

from bench.processes import Sample, Sampler, Worker
from bench.steady_clips import Clip
from facewire.v1 import face_pb2, gallery_pb2, gallery_pb2_grpc
from harness.load import Load, Pictures
from harness.running import RunningServer
from harness.shares import Answer, Counted, jain_index

__all__ = ["LEAD_S", "Kinds", "Loaded", "enroll", "loaded", "pictures_of", "settings_of", "within"]

LEAD_S: Final = 3.0
"""Seconds that all stream before anything is counted: tracks begin, and names are found. Chosen, not measured."""

_TIMEOUT_S: Final = 60.0
_READS_EVERY_S: Final = 5.0
"""Seconds between two messages that a slow reader reads. Chosen, not measured."""

_BOMB: Final = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\x02\0\0\0" + bytes(64)
"""A PNG of 65,536 × 65,536 pixels by its header."""


class Kinds(NamedTuple):
    """How many cameras of each kind stream at once.

    Attributes:
        cameras: which are measured.
        flooders: send as fast as the connection takes.
        sleepers: open a stream and send nothing.
        slow_readers: as cameras, and read an answer every five seconds.
        bad_frames: as cameras, with frames that are no pictures or too large.
    """

    cameras: int
    flooders: int = 0
    sleepers: int = 0
    slow_readers: int = 0
    bad_frames: int = 0


class Loaded(NamedTuple):
    """What was measured.

    Attributes:
        cameras: what each camera got.
        others: what the others got, by kind.
        began_s, ended_s: of what is counted, by `time.monotonic`.
        first, last: at these times.
        samples: in between, one a second.
        workers: the server's processes with connections, by id, with their processor time in between.
    """

    cameras: list[Counted]
    others: dict[str, list[Counted]]
    began_s: float
    ended_s: float
    first: Sample
    last: Sample
    samples: list[Sample]
    workers: dict[int, Worker]

    @property
    def seconds(self) -> float:
        """Length of what is counted."""
        return self.ended_s - self.began_s

    @property
    def server_s(self) -> float:
        """Processor time of the server's processes, seconds."""
        return self.last.server_s - self.first.server_s

    @property
    def jain(self) -> float:
        """Jain's index of the cameras' answers."""
        return jain_index([len(within(one, self.began_s, self.ended_s)) for one in self.cameras])

    @property
    def skipped_share(self) -> float:
        """Share of the cameras' frames that were not recognized, from the first to the last frame."""
        sent = sum(one.sent + one.late for one in self.cameras)
        answered = sum(account.answered for one in self.cameras for account in one.accounts)
        refused = sum(len(one.refused) for one in self.cameras)
        return 1 - (answered - refused) / max(1, sent)

    @property
    def faults(self) -> list[str]:
        """What the streams of all parties were promised and did not get."""
        parties = [*self.cameras, *itertools.chain(*self.others.values())]
        return [fault for one in parties for fault in one.faults]

    def answers(self, from_s: float | None = None, to_s: float | None = None) -> list[Answer]:
        """Returns the cameras' answers in a part of the time, all of it by default, in the order of their coming."""
        bounds = self.began_s if from_s is None else from_s, self.ended_s if to_s is None else to_s
        return sorted(answer for one in self.cameras for answer in within(one, *bounds))

    def percentiles(self, from_s: float | None = None, to_s: float | None = None) -> list[float]:
        """Returns p50, p90 and p99 of the answers' ages in a part of the time, seconds; not a number without answers."""
        ages = [one.age_s for one in self.answers(from_s, to_s)] or [float("nan")]
        return [float(value) for value in np.percentile(ages, [50, 90, 99])]


def within(counted: Counted, from_s: float, to_s: float) -> list[Answer]:
    """Returns the answers that came in a part of the time."""
    return [one for one in counted.answers if from_s <= one.at_s < to_s]


def enroll(server: RunningServer, clips: Sequence[Clip]) -> None:
    """Enrolls the largest face of each clip."""
    with server.channel() as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)
        for index, clip in enumerate(clips):
            request = gallery_pb2.EnrollTemplatesRequest(
                identity_id=f"person-{index}",
                images=[face_pb2.Image(data=clip.frames[0])],
                selection=face_pb2.FACE_SELECTION_LARGEST,
                create_identity=True,
            )
            stub.EnrollTemplates(request, timeout=_TIMEOUT_S)


def settings_of(flags: str) -> dict[str, Any]:
    """Returns `--name=value` flags as settings."""
    pairs = (flag.removeprefix("--").partition("=") for flag in flags.split())
    return {name.replace("-", "_"): value for name, _, value in pairs}


def pictures_of(clips: Sequence[Clip], index: int, fps: float) -> Pictures:
    """Returns what a camera sees: the clips in turn, each from another place, at the camera's pace."""
    clip = clips[index % len(clips)]
    stride, first = max(1, round(clip.fps / fps)), 7 * index
    return lambda number: clip.frame(first + number * stride)


def loaded(
    server: RunningServer, clips: Sequence[Clip], kinds: Kinds, fps: float, seconds: float
) -> Loaded:
    """Loads the server for some seconds, and returns what was measured."""
    with Sampler(server.pid) as sampler:
        with _parties(server, clips, kinds, fps) as (load, cameras, others):
            load.stop.wait(LEAD_S)
            before, first = sampler.workers(), sampler.sample()
            load.stop.wait(seconds)
            last, after = sampler.sample(), sampler.workers()
        samples = [one for one in sampler.samples if first.at_s <= one.at_s <= last.at_s]
    workers = {
        pid: worker._replace(processor_s=worker.processor_s - before[pid].processor_s)
        for pid, worker in after.items()
        if pid in before
    }
    return Loaded(cameras, others, first.at_s, last.at_s, first, last, samples, workers)


@contextmanager
def _parties(
    server: RunningServer, clips: Sequence[Clip], kinds: Kinds, fps: float
) -> Iterator[tuple[Load, list[Counted], dict[str, list[Counted]]]]:
    numbers = itertools.count()

    def pictures() -> Pictures:
        return pictures_of(clips, next(numbers), fps)

    bad = [b"", b"not a picture", clips[0].frames[0][:2000], _BOMB, bytes(17 << 20)]
    with Load(server) as load:
        cameras = [load.stream(pictures(), fps=fps) for _ in range(kinds.cameras)]
        others = {
            "flooders": [load.stream(pictures(), in_flight=0) for _ in range(kinds.flooders)],
            "sleepers": [load.sleeper() for _ in range(kinds.sleepers)],
            "slow readers": [
                load.stream(pictures(), fps=fps, read_every_s=_READS_EVERY_S)
                for _ in range(kinds.slow_readers)
            ],
            "bad frames": [
                load.stream(lambda number: bad[number % len(bad)], fps=fps)
                for _ in range(kinds.bad_frames)
            ],
        }
        yield load, cameras, others
