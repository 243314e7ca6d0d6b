"""What bystanders see of a server: a camera, new clients with and without the token, and a client that is connected."""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

import cv2
import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bench.attackers import TOKEN
from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from harness.running import RunningServer

__all__ = ["Camera", "Seen", "probe", "until_quiet", "visit"]

_FRAME_S: Final = 0.1
_PROBE_S: Final = 0.02
_VISIT_S: Final = 0.25
_PATIENCE_S: Final = 2.0
"""Seconds that a new client waits for its answer."""

_QUIET_S: Final = 60.0
"""Seconds that a server may take to notice that its attacker is gone."""


@dataclass
class Seen:
    """What was seen during one attack; times in seconds.

    Attributes:
        name: of the attack.
        seconds: that it lasted.
        ages: of the camera's answers when they came.
        stall: longest wait of the connected client.
        visits: whether each new client was served, by what it asked for.
        peak_mb: most memory of the server.
    """

    name: str
    seconds: float
    ages: list[float] = field(default_factory=list)
    stall: float = 0.0
    visits: dict[str, list[bool]] = field(default_factory=lambda: {"stream": [], "health": []})
    peak_mb: float = 0.0

    def cells(self) -> list[str]:
        """The row of a table."""
        ages = [f"{1000 * age:.0f}" for age in (np.median(self.ages), max(self.ages, default=0))]
        return [
            self.name,
            f"{len(self.ages) / self.seconds:.1f}",
            *(ages if self.ages else ["-", "-"]),
            *(f"{kept.count(False)} of {len(kept)}" for kept in self.visits.values()),
            f"{1000 * self.stall:.0f}",
            f"{self.peak_mb:.0f}",
        ]

    def values(self) -> dict[str, object]:
        """For JSON."""
        return {
            "attack": self.name,
            "answers_per_s": len(self.ages) / self.seconds,
            "age_ms": 1000 * float(np.median(self.ages)) if self.ages else None,
            "oldest_ms": 1000 * max(self.ages, default=0.0),
            "refused": {name: kept.count(False) for name, kept in self.visits.items()},
            "tried": {name: len(kept) for name, kept in self.visits.items()},
            "stall_ms": 1000 * self.stall,
            "peak_mb": self.peak_mb,
        }


class Camera:
    """Streams ten frames a second for the whole measurement; opens another stream if one ends.

    Attributes:
        seen: takes the ages of the answers.
    """

    def __init__(self, channel: grpc.Channel, seen: Seen) -> None:
        self.seen = seen
        self._stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        self._over = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ends the stream."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            sent: dict[int, float] = {}
            try:
                for answer in self._stub.StreamRecognize(self._requests(sent), metadata=TOKEN):
                    if answer.HasField("frame"):
                        age = time.monotonic() - sent[answer.frame.sequence]
                        self.seen.ages.append(age)
            except grpc.RpcError:
                self._over.wait(_FRAME_S)

    def _requests(self, sent: dict[int, float]) -> Iterator[recognition_pb2.StreamRecognizeRequest]:
        picture = cv2.imencode(".jpg", np.full((180, 320, 3), 128, np.uint8))[1].tobytes()
        image = face_pb2.Image(data=picture)
        yield recognition_pb2.StreamRecognizeRequest(config=recognition_pb2.StreamConfig())
        for sequence in itertools.count(1):
            if self._over.wait(_FRAME_S):
                return
            sent[sequence] = time.monotonic()
            frame = recognition_pb2.Frame(sequence=sequence, image=image)
            yield recognition_pb2.StreamRecognizeRequest(frame=frame)


def probe(server: RunningServer, seen: Seen, over: Event) -> None:
    """Asks for the health every 20 ms over one connection, and notes the longest wait."""
    with server.channel() as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        while not over.wait(_PROBE_S):
            began = time.monotonic()
            try:
                check(health_pb2.HealthCheckRequest(), timeout=30, wait_for_ready=True)
            except grpc.RpcError:
                continue  # refused, which `visit` counts
            seen.stall = max(seen.stall, time.monotonic() - began)


def visit(server: RunningServer, seen: Seen, over: Event) -> None:
    """Connects four times a second, with the token for a stream and without it for the health."""
    while not over.wait(_VISIT_S):
        seen.visits["stream"].append(_opens_a_stream(server))
        seen.visits["health"].append(_is_healthy(server))


def _opens_a_stream(server: RunningServer) -> bool:
    with server.channel() as channel:
        open_stream = recognition_pb2_grpc.RecognitionServiceStub(channel).StreamRecognize
        config = recognition_pb2.StreamRecognizeRequest(config=recognition_pb2.StreamConfig())
        try:
            answers = list(open_stream(iter((config,)), metadata=TOKEN, timeout=_PATIENCE_S))
        except grpc.RpcError:
            return False
        return any(answer.HasField("started") for answer in answers)


def _is_healthy(server: RunningServer) -> bool:
    with server.channel() as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        try:
            check(health_pb2.HealthCheckRequest(), timeout=_PATIENCE_S)
        except grpc.RpcError:
            return False
        return True


def until_quiet(server: RunningServer) -> None:
    """Waits until the places of the last attacker are free."""
    for _ in range(int(_QUIET_S / _VISIT_S)):
        time.sleep(_VISIT_S)
        if _opens_a_stream(server) and _is_healthy(server):
            return
    raise RuntimeError(f"{_QUIET_S:g} s after an attack the server took no stream")
