"""A server whose storage or threads hang, or whose storage is damaged, gives no wrong name, says so, and ends in time."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from numpy.typing import NDArray

from facewire.v1 import (
    face_pb2,
    gallery_pb2,
    gallery_pb2_grpc,
    recognition_pb2,
    recognition_pb2_grpc,
)
from fakes.write_lock import held_write_lock
from harness import REPOSITORY
from harness.running import RunningServer, ServerFailed, running_server

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
GALLERY = "facewire.v1.GalleryService"
RECOGNITION = "facewire.v1.RecognitionService"


def jpeg(image: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".jpg", image[..., ::-1])[1])


def entries(server: RunningServer, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def wait_for_health(channel: grpc.Channel, service: str, wanted: Any) -> None:
    watch = health_pb2_grpc.HealthStub(channel).Watch(
        health_pb2.HealthCheckRequest(service=service), timeout=60
    )
    for response in watch:
        if response.status == wanted:
            break
    watch.cancel()


def test_while_another_process_holds_the_write_lock_only_writes_are_refused(
    models: Path, tmp_path: Path, astronaut: NDArray[np.uint8]
) -> None:
    with running_server(data=tmp_path) as server, server.channel() as channel:
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        recognition = recognition_pb2_grpc.RecognitionServiceStub(channel)
        with held_write_lock(tmp_path / "gallery"):
            late = galleries.CreateIdentity.future(
                gallery_pb2.CreateIdentityRequest(identity_id="deadline"), timeout=1
            )
            waits = galleries.CreateIdentity.future(
                gallery_pb2.CreateIdentityRequest(identity_id="waits"), timeout=60
            )
            assert late.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            # A camera is served meanwhile.
            picture = face_pb2.Image(data=jpeg(astronaut))
            recognition.Recognize(recognition_pb2.RecognizeRequest(image=picture), timeout=60)
            galleries.GetGallery(gallery_pb2.GetGalleryRequest(), timeout=60)
            assert waits.code() is grpc.StatusCode.UNAVAILABLE
            assert "nothing was written" in waits.details()
            wait_for_health(channel, GALLERY, NOT_SERVING)
            wait_for_health(channel, RECOGNITION, SERVING)
        wait_for_health(channel, GALLERY, SERVING)
        galleries.CreateIdentity(gallery_pb2.CreateIdentityRequest(identity_id="later"))
        left = galleries.ListIdentities(gallery_pb2.ListIdentitiesRequest()).identities
        assert [one.identity_id for one in left] == ["later"]
        assert [one["is_writable"] for one in entries(server, "gallery_state_changed")] == [
            False,
            True,
        ]
        # It also ends cleanly while the writer hangs: `running_server` demands status 0.
        with held_write_lock(tmp_path / "gallery"):
            lost = galleries.CreateIdentity.future(
                gallery_pb2.CreateIdentityRequest(identity_id="lost"), timeout=60
            )
            wait_for_health(channel, GALLERY, NOT_SERVING)
            assert lost.code() is grpc.StatusCode.UNAVAILABLE
            server.terminate()
            server.wait()


def test_a_thread_that_hangs_does_not_keep_the_server_from_ending(
    models: Path, astronaut: NDArray[np.uint8]
) -> None:
    with (
        pytest.raises(ServerFailed, match="status 3") as caught,
        running_server(module="tests.fakes.hanging_server", drain_s=0.1) as server,
    ):
        end_during_a_picture(server, jpeg(astronaut))
    assert re.search('"event": "stop_forced", "threads": .*"line_0"', str(caught.value))


def end_during_a_picture(server: RunningServer, picture: bytes) -> None:
    request = recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=picture))
    with server.channel() as channel:
        call = recognition_pb2_grpc.RecognitionServiceStub(channel).Recognize.future(
            request, timeout=60
        )
        hung = "hanging: the decoder was called"
        while hung not in server.log():
            assert not call.done()
        server.terminate()
        assert call.code() is not grpc.StatusCode.OK


def test_a_server_that_cannot_open_its_gallery_says_who_is_in_the_way(
    models: Path, tmp_path: Path
) -> None:
    with running_server(data=tmp_path):
        pass
    command = [sys.executable, "-m", "tests.fakes.hanging_server", "run", "--data", str(tmp_path)]
    flags = ["--models", str(REPOSITORY / "models"), "--listen", "127.0.0.1:0"]
    with held_write_lock(tmp_path / "gallery"):
        done = subprocess.run(
            [*command, *flags], capture_output=True, text=True, timeout=100, check=False
        )
    assert done.returncode == 1
    assert "another process has held the write lock of the gallery" in done.stderr


def test_one_flipped_bit_names_no_one_and_readiness_says_so(
    models: Path, tmp_path: Path, astronaut: NDArray[np.uint8]
) -> None:
    request = gallery_pb2.EnrollTemplatesRequest(
        identity_id="a", create_identity=True, images=[face_pb2.Image(data=jpeg(astronaut))]
    )
    with running_server(data=tmp_path) as server, server.channel() as channel:
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        galleries.EnrollTemplates(request, timeout=60)
        export = galleries.ExportGallery(gallery_pb2.ExportGalleryRequest(), timeout=60)
        (vector,) = (
            one.record.template.embedding for one in export if one.record.HasField("template")
        )
    flip_a_bit(tmp_path / "gallery" / "data.mdb", vector)
    with running_server(data=tmp_path) as server, server.channel() as channel:
        wait_for_health(channel, RECOGNITION, NOT_SERVING)
        wait_for_health(channel, GALLERY, NOT_SERVING)
        recognition = recognition_pb2_grpc.RecognitionServiceStub(channel)
        image = face_pb2.Image(data=jpeg(astronaut[:, ::-1]))
        for _ in range(3):
            call = recognition.Recognize.future(
                recognition_pb2.RecognizeRequest(image=image), timeout=60
            )
            assert call.code() is grpc.StatusCode.DATA_LOSS
        (entry,) = entries(server, "gallery_state_changed")
        assert (entry["level"], entry["damaged_galleries"]) == ("error", ["default"])
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        galleries.DeleteGallery(gallery_pb2.DeleteGalleryRequest(gallery_id="default"), timeout=60)
        wait_for_health(channel, RECOGNITION, SERVING)


def flip_a_bit(file: Path, vector: bytes) -> None:
    """Flips the highest bit of the exponent of the vector's largest number, in every copy of it."""
    numbers = np.frombuffer(vector, np.float32).copy()
    numbers.view(np.uint32)[np.argmax(np.abs(numbers))] ^= 1 << 30
    content = file.read_bytes()
    assert vector in content
    file.write_bytes(content.replace(vector, numbers.tobytes()))


@pytest.mark.parametrize(
    ("share", "reason"),
    [
        (0.3, "is cut short.*restore it from a backup"),
        (0.0, "is empty; restore it from a backup"),
    ],
)
def test_a_server_whose_storage_was_cut_short_does_not_start(
    models: Path, tmp_path: Path, share: float, reason: str
) -> None:
    with running_server(data=tmp_path) as server, server.channel() as channel:
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        for number in range(20):
            galleries.CreateGallery(
                gallery_pb2.CreateGalleryRequest(gallery_id=f"g{number}"), timeout=60
            )
    file = tmp_path / "gallery" / "data.mdb"
    os.truncate(file, int(file.stat().st_size * share) // 4096 * 4096)
    with pytest.raises(ServerFailed, match=reason), running_server(data=tmp_path):
        pass


def test_a_storage_that_is_cut_short_while_it_is_served_ends_calls_and_not_the_server(
    models: Path, tmp_path: Path
) -> None:
    with running_server(data=tmp_path) as server, server.channel() as channel:
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        wait_for_health(channel, GALLERY, SERVING)
        file = tmp_path / "gallery" / "data.mdb"
        os.truncate(file, file.stat().st_size // 2 // 4096 * 4096)
        wait_for_health(channel, GALLERY, NOT_SERVING)
        wait_for_health(channel, RECOGNITION, NOT_SERVING)
        for call in (
            galleries.ListGalleries.future(gallery_pb2.ListGalleriesRequest(), timeout=60),
            galleries.CreateGallery.future(
                gallery_pb2.CreateGalleryRequest(gallery_id="g"), timeout=60
            ),
        ):
            assert call.code() is grpc.StatusCode.DATA_LOSS
            assert "STORAGE_DAMAGED" in str(call.trailing_metadata())
        (entry,) = entries(server, "gallery_state_changed")
        assert (entry["level"], entry["is_whole"]) == ("error", False)
