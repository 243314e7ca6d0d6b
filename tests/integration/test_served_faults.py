"""Model servers that come late, die, hang, lie or change under a camera's stream: real processes.

But for the first test the detector runs in the server, `embedding` in two processes of the local model server. A camera streams one
face that is enrolled; whatever happens, every frame is answered in order, and a face that is answered at
all is answered right. Recovery times are printed (`pytest -s`).
"""

import os
import shutil
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from numpy.typing import NDArray

from bench.model_servers import MODELS_PYTHON, ModelServer, model_servers
from bench.running import RunningServer, running_server
from bench.streaming import OneInFlight
from facewire.v1 import (
    face_pb2,
    gallery_pb2,
    gallery_pb2_grpc,
    recognition_pb2,
    recognition_pb2_grpc,
)

OK = recognition_pb2.FRAME_STATUS_OK
UNAVAILABLE = recognition_pb2.FRAME_STATUS_UNAVAILABLE
TIMED_OUT = recognition_pb2.FRAME_STATUS_TIMED_OUT
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
FRAME_TIMEOUT_S = 4.0
BETWEEN_FRAMES_S = 0.04
PATIENCE_S = 100.0

pytestmark = pytest.mark.timeout(240)


class Seen(NamedTuple):
    at_s: float
    status: int
    who: str
    similarity: float


class Camera(threading.Thread):
    """Streams one picture, frame after frame, and keeps what was answered."""

    def __init__(self, server: RunningServer, picture: bytes) -> None:
        super().__init__(daemon=True)
        self.seen: list[Seen] = []
        self.failure: BaseException | None = None
        self._server = server
        self._picture = picture
        self._news = threading.Condition()
        self._finished = threading.Event()

    def run(self) -> None:
        try:
            with self._server.channel() as channel, OneInFlight(channel) as stream:
                while not self._finished.is_set():
                    answer = stream.send(self._picture)  # raises where the order is not kept
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
        """Waits until the answers after the first `since` fulfil something; gives them."""
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


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Path:
    """Folder of SavedModels that are not what they should be."""
    folder = tmp_path_factory.mktemp("odd")
    script = Path(__file__).parents[1] / "fakes/odd_servables.py"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([MODELS_PYTHON, script, folder], check=True, env=environment)
    return folder


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Path:
    """The folder that the first replica serves, its own, so that versions can be put into it."""
    folder = tmp_path_factory.mktemp("versions")
    shutil.copytree(models / "embedding/1", folder / "1")
    return folder


@pytest.fixture(scope="module")
def replicas(models: Path, versions: Path) -> Iterator[tuple[ModelServer, ModelServer]]:
    with model_servers(("embedding", versions), "embedding") as (first, second):
        yield first, second


@pytest.fixture(scope="module")
def picture(astronaut: NDArray[np.uint8]) -> bytes:
    small = np.ascontiguousarray(astronaut[:300, 80:380, ::-1])
    return cv2.imencode(".jpg", small)[1].tobytes()


def serving(channel: grpc.Channel) -> Iterator[int]:
    """The health of recognition, now and at each change."""
    request = health_pb2.HealthCheckRequest(service="facewire.v1.RecognitionService")
    for answer in health_pb2_grpc.HealthStub(channel).Watch(request, timeout=PATIENCE_S):
        yield answer.status


def wait_for_health(server: RunningServer, status: int) -> None:
    with server.channel() as channel:
        assert next(one for one in serving(channel) if one == status) == status


def enroll(server: RunningServer, picture: bytes) -> None:
    with server.channel() as channel:
        answer = gallery_pb2_grpc.GalleryServiceStub(channel).EnrollTemplates(
            gallery_pb2.EnrollTemplatesRequest(
                identity_id="ada", create_identity=True, images=[face_pb2.Image(data=picture)]
            ),
            timeout=PATIENCE_S,
        )
        assert answer.results[0].template_id, answer.results[0].detail


@pytest.fixture
def line(
    replicas: tuple[ModelServer, ModelServer], picture: bytes
) -> Iterator[tuple[RunningServer, Camera]]:
    """A server that embeds at both replicas, and a camera that streams to it."""
    addresses = ",".join(one.address for one in replicas)
    with running_server(embedder_address=addresses, frame_timeout_s=FRAME_TIMEOUT_S) as server:
        wait_for_health(server, SERVING)
        enroll(server, picture)
        camera = Camera(server, picture)
        camera.start()
        camera.until_ok()
        yield server, camera
        camera.end()


def report(what: str, seen: list[Seen], since_s: float) -> None:
    statuses = Counter(recognition_pb2.FrameStatus.Name(one.status)[13:] for one in seen)
    first = next((one.at_s - since_s for one in seen if one.status == OK), float("nan"))
    told = ", ".join(f"{count} {status}" for status, count in statuses.items())
    print(f"\n{what}: {told}; first right answer after {first:.2f} s", flush=True)


def test_the_server_starts_alone_and_serves_when_its_models_come(
    served_models: tuple[ModelServer, ModelServer], picture: bytes
) -> None:
    mtcnn, embedding = served_models
    mtcnn.kill()
    embedding.kill()
    addresses = {"detector_address": mtcnn.address, "embedder_address": embedding.address}
    try:
        with running_server(**addresses) as server, server.channel() as channel:
            health = serving(channel)
            assert next(health) == NOT_SERVING
            stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
            request = recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=picture))
            with pytest.raises(grpc.RpcError) as refused:
                stub.Recognize(request, timeout=PATIENCE_S)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
            embedding.start()
            mtcnn.start()
            embedding.wait_until_ready()
            mtcnn.wait_until_ready()
            since_s = time.monotonic()
            assert next(health) == SERVING
            print(f"\nserving {time.monotonic() - since_s:.2f} s after the models")
            assert len(stub.Recognize(request, timeout=PATIENCE_S).faces) == 1
    except BaseException:
        # Later tests use them, too.
        for one in (mtcnn, embedding):
            one.kill()
            one.start()
        for one in (mtcnn, embedding):
            one.wait_until_ready()
        raise


def test_a_killed_replica_costs_no_stream_and_no_face(line, replicas) -> None:
    _, camera = line
    first, _ = replicas
    since_s = time.monotonic()
    first.kill()
    try:
        seen = camera.until_ok(20)
        report("one of two replicas killed", seen, since_s)
        assert TIMED_OUT not in {one.status for one in seen}
    finally:
        first.start()
        first.wait_until_ready()


def test_both_replicas_killed_and_restarted_need_no_restart_of_the_server(line, replicas) -> None:
    server, camera = line
    for one in replicas:
        one.kill()
    refused = camera.until_refused()
    assert TIMED_OUT not in {one.status for one in refused}
    wait_for_health(server, NOT_SERVING)
    for one in replicas:
        one.start()
    for one in replicas:
        one.wait_until_ready()
    since_s = time.monotonic()
    report("both replicas back", camera.until_ok(), since_s)
    wait_for_health(server, SERVING)


def test_a_replica_that_hangs_is_left_out(line, replicas) -> None:
    _, camera = line
    first, _ = replicas
    since_s = time.monotonic()
    first.hang()
    try:
        report("one of two replicas hangs", camera.until_ok(30), since_s)
    finally:
        first.go_on()
    camera.until_ok(10)


def test_models_that_hang_cost_frames_no_more_than_their_time(line, replicas) -> None:
    server, camera = line
    for one in replicas:
        one.hang()
    try:
        camera.until(lambda seen: sum(one.status != OK for one in seen) >= 2, len(camera.seen))
        wait_for_health(server, NOT_SERVING)
    finally:
        since_s = time.monotonic()
        for one in replicas:
            one.go_on()
    report("both replicas go on", camera.until_ok(), since_s)
    wait_for_health(server, SERVING)


WRONG_MODELS = {
    "garbage": "embeddings: float32[8,64], where float32[?,128] is expected",
    "wrong": "not the one of the model contract",
    "signature": "expected serving_default(faces: uint8[?,112,112,3]) -> (embeddings: "
    "float32[?,128]), found serving_default(images: float32[?,160,160,3]) -> (vectors: float32[?,3])",
    "nameless": "found signatures ['__saved_model_init_op', 'embed']",
}
"""What the server's log says of each of `odd_servables`."""


def test_another_model_behind_the_name_answers_nothing(
    line, replicas, odd: Path, versions: Path
) -> None:
    server, camera = line
    first, second = replicas
    first.kill()
    second.kill()
    camera.until_refused()
    before = len(camera.seen)
    for kind, told in WRONG_MODELS.items():
        first.start(odd / kind)  # the same name and the same version
        first.wait_until_ready()
        wait_for_log(server, camera, told)
        camera.until_refused(10)
        first.kill()
    assert {one.status for one in camera.seen[before:]} == {UNAVAILABLE}
    wait_for_health(server, NOT_SERVING)
    first.start(versions)
    second.start()
    for one in replicas:
        one.wait_until_ready()
    since_s = time.monotonic()
    report("the right model again", camera.until_ok(), since_s)
    wait_for_health(server, SERVING)


def test_versions_are_swapped_under_load(line, replicas, odd: Path, versions: Path) -> None:
    server, camera = line
    _, second = replicas
    second.kill()
    camera.until_ok()

    def roll(version: str, source: Path) -> None:
        shutil.copytree(source, versions / f".{version}")
        (versions / f".{version}").rename(versions / version)

    try:
        before = len(camera.seen)
        since_s = time.monotonic()
        roll("2", versions / "1")
        wait_for_log(server, camera, "proven versions: [2]", "proven versions: [1, 2]")
        seen = camera.until(lambda seen: bool(seen), before)
        report("rolled forward to version 2", seen, since_s)
        assert {one.status for one in seen} == {OK}, "a swap costs no frame"

        roll("3", odd / "wrong/1")
        camera.until_refused()
        wait_for_health(server, NOT_SERVING)
        since_s = time.monotonic()
        shutil.rmtree(versions / "3")
        report("rolled back from a wrong version 3", camera.until_ok(), since_s)
    finally:
        for version in ("2", "3"):
            shutil.rmtree(versions / version, ignore_errors=True)
        second.start()
        second.wait_until_ready()


def wait_for_log(server: RunningServer, camera: Camera, *texts: str) -> None:
    """Waits until the server's log says one of some texts; looks after each frame."""
    camera.until(lambda _: any(text in server.log() for text in texts), len(camera.seen))
