"""A camera that streams one enrolled face and keeps what was answered; what tests of faults wait for."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire.v1 import (
    face_pb2,
    gallery_pb2,
    gallery_pb2_grpc,
    recognition_pb2,
)
from harness.running import RunningServer
from harness.streaming import OneInFlight

__all__ = [
    "NOT_SERVING",
    "OK",
    "PATIENCE_S",
    "SERVING",
    "TIMED_OUT",
    "UNAVAILABLE",
    "Camera",
    "Seen",
    "enroll",
    "health_of",
    "report",
    "wait_for_health",
    "wait_for_log",
]

OK = recognition_pb2.FRAME_STATUS_OK
UNAVAILABLE = recognition_pb2.FRAME_STATUS_UNAVAILABLE
TIMED_OUT = recognition_pb2.FRAME_STATUS_TIMED_OUT
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
BETWEEN_FRAMES_S = 0.04
PATIENCE_S = 100.0


class Seen(NamedTuple):
    at_s: float
    status: int
    who: str
    similarity: float


class Camera(threading.Thread):
    """Streams one face, frame after frame, and keeps what was answered.

    It is seen at the left and at the right of a wider picture by turns: each frame follows a cut, so that each is searched and
    each face embedded, as of a camera on which everything is new. (A face that stays is followed, and embedded now and then.)
    """

    def __init__(self, server: RunningServer, picture: bytes) -> None:
        super().__init__(daemon=True)
        self.seen: list[Seen] = []
        self.failure: BaseException | None = None
        self._server = server
        self._pictures = itertools.cycle(_at_both_sides(picture))
        self._news = threading.Condition()
        self._finished = threading.Event()

    def run(self) -> None:
        try:
            with self._server.channel() as channel, OneInFlight(channel) as stream:
                while not self._finished.is_set():
                    answer = stream.send(next(self._pictures))  # raises where the order is not kept
                    best = answer.faces[0].decision if answer.faces else None
                    with self._news:
                        self.seen.append(
                            Seen(
                                time.monotonic(),
                                answer.status,
                                best.identity_id if best else "",
                                best.similarity if best else 0.0,
                            )
                        )
                        self._news.notify_all()
                    self._finished.wait(BETWEEN_FRAMES_S)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            self.failure = error
            with self._news:
                self._news.notify_all()

    def until(self, what: Callable[[list[Seen]], bool], since: int = 0) -> list[Seen]:
        """Waits until the answers after the first `since` fulfill something; gives them."""
        with self._news:
            done = self._news.wait_for(
                lambda: self.failure or what(self.seen[since:]), timeout=PATIENCE_S
            )
            assert self.failure is None, f"the stream was lost: {self.failure!r}"
            counts = Counter(one.status for one in self.seen[since:])
            assert done, f"not within {PATIENCE_S:g} s; statuses since: {counts}"
            return self.seen[since:]

    def until_ok(self, count: int = 5) -> list[Seen]:
        """Waits for so many right answers in a row from now on; gives all answers from now on."""
        return self.until(
            lambda seen: [one.status for one in seen[-count:]] == [OK] * count, len(self.seen)
        )

    def until_refused(self, count: int = 3) -> list[Seen]:
        return self.until(
            lambda seen: sum(one.status == UNAVAILABLE for one in seen) >= count, len(self.seen)
        )

    def end(self) -> None:
        self._finished.set()
        self.join(PATIENCE_S)
        assert self.failure is None
        assert {one.status for one in self.seen} <= {OK, UNAVAILABLE, TIMED_OUT}
        answered = [one for one in self.seen if one.status == OK]
        assert answered
        assert {one.who for one in answered} == {"ada"}, "a wrong answer"
        assert min(one.similarity for one in answered) > 0.95


def _at_both_sides(picture: bytes) -> tuple[bytes, bytes]:
    """Two pictures, twice as wide: the rest of each is gray."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    gray = np.full_like(pixels, 127)
    left, right = np.hstack([pixels, gray]), np.hstack([gray, pixels])
    return cv2.imencode(".png", left)[1].tobytes(), cv2.imencode(".png", right)[1].tobytes()


def health_of(channel: grpc.Channel) -> Iterator[int]:
    """The health of recognition, now and at each change."""
    request = health_pb2.HealthCheckRequest(service="facewire.v1.RecognitionService")
    for answer in health_pb2_grpc.HealthStub(channel).Watch(request, timeout=PATIENCE_S):
        yield answer.status


def wait_for_health(server: RunningServer, status: int) -> None:
    with server.channel() as channel:
        assert next(one for one in health_of(channel) if one == status) == status


def enroll(server: RunningServer, picture: bytes) -> None:
    with server.channel() as channel:
        answer = gallery_pb2_grpc.GalleryServiceStub(channel).EnrollTemplates(
            gallery_pb2.EnrollTemplatesRequest(
                identity_id="ada", create_identity=True, images=[face_pb2.Image(data=picture)]
            ),
            timeout=PATIENCE_S,
        )
        assert answer.results[0].template_id, answer.results[0].detail


def report(what: str, seen: list[Seen], since_s: float) -> None:
    statuses = Counter(recognition_pb2.FrameStatus.Name(one.status)[13:] for one in seen)
    first = next((one.at_s - since_s for one in seen if one.status == OK), float("nan"))
    told = ", ".join(f"{count} {status}" for status, count in statuses.items())
    print(f"\n{what}: {told}; first right answer after {first:.2f} s", flush=True)


def wait_for_log(server: RunningServer, camera: Camera, *texts: str) -> None:
    """Waits until the server's log says one of some texts; looks after each frame."""
    camera.until(lambda _: any(text in server.log() for text in texts), len(camera.seen))
