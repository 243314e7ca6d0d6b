"""Model servers that come late, die, hang or change under a camera's stream: real processes.

If nothing else is said, the detector runs in the server, `embedding` in two processes of the local model server. A camera
streams one face that is enrolled; whatever happens, every frame is answered in order, and a face that is
answered at all is answered right. Recovery times are printed (`pytest -s`).

Frames have longer than the tests' patience, so a fault that is only waited out fails the test, and a busy machine
does not. Only if models hang do frames have a time that ends.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from facewire_server.app.values import read_model_contract
from facewire_server.backends.tfserving import wire
from harness.model_servers import MODELS_PYTHON, ModelServer, model_servers
from harness.running import RunningServer, running_server
from integration.cameras import (
    NOT_SERVING,
    OK,
    PATIENCE_S,
    SERVING,
    TIMED_OUT,
    UNAVAILABLE,
    Camera,
    enroll,
    health_of,
    report,
    wait_for_health,
    wait_for_log,
)

FRAME_TIMEOUT_S = 2 * PATIENCE_S
FRAME_TIMEOUT_IF_MODELS_HANG_S = 4.0

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Path:
    """Folder of SavedModels that are not what they should be."""
    folder = tmp_path_factory.mktemp("odd")
    script = Path(__file__).parents[1] / "fakes/odd_servables.py"
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [MODELS_PYTHON, script, models / "embedding/1", folder]
    subprocess.run(command, check=True, env=environment)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, models: Path) -> tuple[Path, Path]:
    """The folder that each replica serves, its own, so that versions can be put into it."""
    first, second = (tmp_path_factory.mktemp("versions") for _ in range(2))
    for folder in (first, second):
        shutil.copytree(models / "embedding/1", folder / "1")
    return first, second


@pytest.fixture(scope="module")
def replicas(folders: tuple[Path, Path]) -> Iterator[tuple[ModelServer, ModelServer]]:
    with model_servers(*(("embedding", folder) for folder in folders)) as (first, second):
        yield first, second


@pytest.fixture(scope="module")
def picture(astronaut: NDArray[np.uint8]) -> bytes:
    small = np.ascontiguousarray(astronaut[:300, 80:380, ::-1])
    return cv2.imencode(".jpg", small)[1].tobytes()


@contextmanager
def streaming(
    picture: bytes, *, frame_timeout_s: float = FRAME_TIMEOUT_S, **addresses: str
) -> Iterator[tuple[RunningServer, Camera]]:
    """A server whose models are at these addresses, and a camera that streams to it."""
    with running_server(**addresses, frame_timeout_s=frame_timeout_s) as server:
        wait_for_health(server, SERVING)
        enroll(server, picture)
        camera = Camera(server, picture)
        camera.start()
        camera.until_ok()
        yield server, camera
        camera.end()


@pytest.fixture
def line(
    replicas: tuple[ModelServer, ModelServer], picture: bytes
) -> Iterator[tuple[RunningServer, Camera]]:
    """A server that embeds at both replicas, and a camera that streams to it."""
    with streaming(picture, embedder_address=",".join(one.address for one in replicas)) as joined:
        yield joined


@pytest.fixture
def impatient_line(
    replicas: tuple[ModelServer, ModelServer], picture: bytes
) -> Iterator[tuple[RunningServer, Camera]]:
    """The same, with frames whose time ends soon."""
    with streaming(
        picture,
        frame_timeout_s=FRAME_TIMEOUT_IF_MODELS_HANG_S,
        embedder_address=",".join(one.address for one in replicas),
    ) as joined:
        yield joined


def test_the_server_starts_alone_and_serves_when_its_models_come(
    served_models: tuple[ModelServer, ModelServer], picture: bytes
) -> None:
    mtcnn, embedding = served_models
    mtcnn.kill()
    embedding.kill()
    addresses = {"detector_address": mtcnn.address, "embedder_address": embedding.address}
    try:
        with (
            running_server(**addresses, frame_timeout_s=FRAME_TIMEOUT_S) as server,
            server.channel() as channel,
        ):
            health = health_of(channel)
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


def test_models_that_hang_cost_frames_no_more_than_their_time(impatient_line, replicas) -> None:
    server, camera = impatient_line
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
    "garbage": "embeddings: float32[8,64], expected float32[?,128]",
    "wrong": "not the one of the model contract",
    "signature": "expected serving_default(faces: uint8[?,112,112,3]) -> (embeddings: "
    "float32[?,128], optional norms: float32[?]), found serving_default(images: float32[?,160,160,3]) -> "
    "(vectors: float32[?,3])",
    "nameless": "found signatures ['__saved_model_init_op', 'embed']",
}
"""What the server's log says of each of `odd_servables`."""


def test_no_result_of_another_model_behind_the_name_is_used(
    line, replicas, odd: Path, folders: tuple[Path, Path]
) -> None:
    server, camera = line
    first, second = replicas
    first.kill()
    second.kill()
    camera.until_refused()
    before = len(camera.seen)
    for kind, reason in WRONG_MODELS.items():
        first.start(odd / kind)  # the same name and the same version
        first.wait_until_ready()
        wait_for_log(server, camera, reason)
        camera.until_refused(10)
        first.kill()
    assert {one.status for one in camera.seen[before:]} == {UNAVAILABLE}
    wait_for_health(server, NOT_SERVING)
    # One replica is of before the output `norms`: its embeddings are the same, and it is used like the other.
    first.start(odd / "old")
    second.start()
    for one in replicas:
        one.wait_until_ready()
    since_s = time.monotonic()
    report("the right model again", camera.until_ok(20), since_s)
    wait_for_health(server, SERVING)
    first.kill()
    first.start(folders[0])
    first.wait_until_ready()


def roll(folder: Path, version: str, source: Path) -> None:
    """Puts a version into a replica's folder, seen whole or not at all."""
    shutil.copytree(source, folder / f".{version}")
    (folder / f".{version}").rename(folder / version)


def test_versions_are_swapped_under_load(
    line, replicas, odd: Path, folders: tuple[Path, Path]
) -> None:
    server, camera = line
    _, second = replicas
    versions, _ = folders
    second.kill()
    camera.until_ok()
    try:
        before = len(camera.seen)
        since_s = time.monotonic()
        roll(versions, "2", versions / "1")
        wait_for_log(server, camera, '"versions": [2]', '"versions": [1, 2]')
        seen = camera.until(lambda seen: bool(seen), before)
        report("rolled forward to version 2", seen, since_s)
        assert {one.status for one in seen} == {OK}, "a swap costs no frame"

        roll(versions, "3", odd / "wrong/1")
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


def serves_only(replica: ModelServer, version: int) -> bool:
    request = wire.GetModelStatusRequest()
    request.model_spec.name = replica.name
    with grpc.insecure_channel(replica.address) as channel:
        call = channel.unary_unary(
            wire.GET_MODEL_STATUS,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=wire.GetModelStatusResponse.FromString,
        )
        states = call(request, timeout=PATIENCE_S).model_version_status
    return [one.version for one in states if one.state == 30] == [version]


def test_a_version_rolls_over_two_live_replicas_and_costs_no_frame_of_any_stream(
    line, replicas, picture: bytes, folders: tuple[Path, Path]
) -> None:
    server, camera = line
    others = [Camera(server, picture) for _ in range(2)]
    for one in others:
        one.start()
        one.until_ok()
    cameras = [camera, *others]
    before = [len(one.seen) for one in cameras]
    since_s = time.monotonic()
    try:
        for replica, folder in zip(replicas, folders, strict=True):
            roll(folder, "4", folder / "1")
            camera.until(lambda _, replica=replica: serves_only(replica, 4), len(camera.seen))
            for one in cameras:  # after the first replica: in two versions at once
                one.until_ok(10)
    finally:
        for folder in folders:
            shutil.rmtree(folder / "4", ignore_errors=True)
    for one in others:
        one.end()
    seen = [
        answer for one, count in zip(cameras, before, strict=True) for answer in one.seen[count:]
    ]
    report("three streams, both replicas rolled forward", seen, since_s)
    assert {one.status for one in seen} == {OK}


def test_a_detector_that_is_killed_comes_back_without_a_restart_of_the_server(
    served_models: tuple[ModelServer, ModelServer], picture: bytes
) -> None:
    mtcnn, _ = served_models
    with streaming(picture, detector_address=mtcnn.address) as (server, camera):
        mtcnn.kill()
        try:
            refused = camera.until_refused()
            assert TIMED_OUT not in {one.status for one in refused}
            wait_for_health(server, NOT_SERVING)
        finally:
            mtcnn.start()
            mtcnn.wait_until_ready()
        since_s = time.monotonic()
        report("the detector is back", camera.until_ok(), since_s)
        wait_for_health(server, SERVING)


def test_a_servable_from_before_the_norms_is_used_with_its_quality_unknown(
    odd: Path, models: Path, tmp_path: Path, picture: bytes
) -> None:
    """Galleries stay usable, and no face is refused for a norm that is not known."""
    (tmp_path / "mtcnn").symlink_to(models / "mtcnn")
    (tmp_path / "embedding").symlink_to(odd / "old")
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    smeared = cv2.imencode(".png", cv2.blur(image, (15, 1)))[1].tobytes()
    norms: list[float] = []
    for folder in (models, tmp_path):
        with (
            running_server(models=folder, data=tmp_path / "data") as server,
            facewire.Client(server.address) as client,
        ):
            assert client.server_info().model_contract_id == read_model_contract("sface").id
            clean, poor = client.enroll("ada", [picture, smeared]).pictures
            assert (clean.accepted, poor.accepted) == (True, False)
            assert poor.quality is not None
            assert poor.quality.faults == (facewire.QualityFault.BLURRED,)
            (face,) = client.recognize(picture).faces
            assert face.known
            assert face.decision is not None
            assert face.decision.similarity > 0.95
            norms = [one.quality.embedding_norm for one in client.templates("ada")]
    assert clean.quality is not None
    assert (clean.quality.embedding_norm, face.quality.embedding_norm) == (0, 0)
    assert min(norms) == 0
    assert max(norms) > 11
