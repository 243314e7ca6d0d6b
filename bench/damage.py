"""A gallery whose storage another process holds, or in which one bit flipped: what cameras and writers see.

First another process holds LMDB's write lock for a while: a camera's answers, how writes end, what of them is written later
although its caller did not receive OK, and how long the server takes to end on SIGTERM. Then one bit of the one stored vector is
flipped, and the person's picture is shown. `--checkout` measures another version:

    git worktree add ../before a7d2122
    python -m bench.damage --checkout ../before
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import cv2
import grpc
import numpy as np
from grpc_health.v1 import health_pb2, health_pb2_grpc
from skimage import data

from bench.bystanders import Camera, Seen
from bench.report import Report, parser, run
from facewire.v1 import (
    face_pb2,
    gallery_pb2,
    gallery_pb2_grpc,
    recognition_pb2,
    recognition_pb2_grpc,
)
from harness import REPOSITORY
from harness.running import RunningServer, ServerFailed, running_checkout

__all__: list[str] = []

_HOLD: Final = """
import lmdb, sys
with lmdb.open(sys.argv[1], max_dbs=9, map_size=1 << 24).begin(write=True):
    print("held", flush=True)
    sys.stdin.read()
"""
_WRITERS: Final = 8
_DEADLINE_S: Final = 2.0
"""Of the writers, but for the last one, which waits for as long as it takes."""

_OPEN_FILES: Final = 1024
_STOP_S: Final = 20.0
"""Most seconds to wait for the server's end; then the lock is released."""

_Cells = list[str]


def main() -> int:
    flags = parser("damage", __doc__)
    flags.add_argument("--seconds", type=float, default=8.0, help="that the lock is held")
    flags.add_argument(
        "--checkout", type=Path, default=REPOSITORY, help="folder of the server's code"
    )
    arguments = flags.parse_args()
    report = Report("damage", arguments)
    lines: list[_Cells] = []
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)

        def served() -> Any:
            checkout = arguments.checkout.resolve()
            return running_checkout(checkout, open_files=_OPEN_FILES, data=folder)

        with served() as server:
            lines += _locked(server, folder / "gallery", arguments.seconds)
        with served() as server, server.channel() as channel:
            vector = _enrolled_vector(channel)
        _flip_a_bit(folder / "gallery" / "data.mdb", vector)
        with served() as server, server.channel() as channel:
            lines.append(["one bit flipped: the answer", _answer(channel)])
    report.table("a storage that is held, and one that is damaged", ["what", "seen"], lines)
    report.values["seen"] = dict(lines)
    return report.finish()


def _locked(server: RunningServer, folder: Path, seconds: float) -> Iterator[_Cells]:
    with server.channel() as channel:
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        camera = Camera(channel, Seen("free", seconds))
        time.sleep(seconds)
        free, camera.seen = camera.seen, Seen("held", seconds)
        with _held(folder):
            writes = [
                galleries.CreateIdentity.future(
                    gallery_pb2.CreateIdentityRequest(identity_id=f"{number}"),
                    timeout=_DEADLINE_S if number < _WRITERS - 1 else None,
                )
                for number in range(_WRITERS)
            ]
            time.sleep(seconds)
            held, camera.seen = camera.seen, Seen("", 1.0)
            refused = [one for one in writes if one.done()]
            health = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service="facewire.v1.GalleryService")
            )
        ended = [one.code().name for one in writes]
        present = galleries.ListIdentities(gallery_pb2.ListIdentitiesRequest()).identities
        camera.end()
        late = len(present) - ended.count("OK")
        yield ["camera's answers a second, free", f"{len(free.ages) / seconds:.1f}"]
        yield ["camera's answers a second, held", f"{len(held.ages) / seconds:.1f}"]
        yield ["writes ended while it was held", f"{len(refused)} of {len(writes)}"]
        yield ["writes ended with", " ".join(f"{ended.count(each)} {each}" for each in {*ended})]
        yield ["written although not OK", f"{late}"]
        name = health_pb2.HealthCheckResponse.ServingStatus.Name(health.status)
        yield ["GalleryService's health meanwhile", name]
        with _held(folder):
            galleries.CreateIdentity.future(gallery_pb2.CreateIdentityRequest(identity_id="last"))
            time.sleep(1)
            started = time.monotonic()
            server.interrupt()
            try:
                server.wait(_STOP_S)
                seen = f"{time.monotonic() - started:.1f}"
            except ServerFailed:
                seen = f"more than {_STOP_S:.0f}"
            yield ["SIGTERM to the end, s", seen]


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    command = [sys.executable, "-c", _HOLD, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield
        finally:
            holder.communicate()


def _portrait(image: Any) -> face_pb2.Image:
    return face_pb2.Image(data=cv2.imencode(".jpg", image[..., ::-1])[1].tobytes())


def _enrolled_vector(channel: grpc.Channel) -> bytes:
    galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
    galleries.EnrollTemplates(
        gallery_pb2.EnrollTemplatesRequest(
            identity_id="a", create_identity=True, images=[_portrait(data.astronaut())]
        )
    )
    records = galleries.ExportGallery(gallery_pb2.ExportGalleryRequest())
    (vector,) = (
        one.record.template.embedding for one in records if one.record.HasField("template")
    )
    return bytes(vector)


def _flip_a_bit(file: Path, vector: bytes) -> None:
    """Flips the highest bit of the exponent of the vector's largest number, in every copy of it."""
    numbers = np.frombuffer(vector, np.float32).copy()
    numbers.view(np.uint32)[np.argmax(np.abs(numbers))] ^= 1 << 30
    file.write_bytes(file.read_bytes().replace(vector, numbers.tobytes()))


def _answer(channel: grpc.Channel) -> str:
    recognition = recognition_pb2_grpc.RecognitionServiceStub(channel)
    request = recognition_pb2.RecognizeRequest(image=_portrait(data.astronaut()[:, ::-1]))
    try:
        (face,) = recognition.Recognize(request).faces
    except grpc.RpcError as error:
        return str(error.code().name)
    decision = face.decision
    return f"{face_pb2.Outcome.Name(decision.outcome)}, similarity {decision.similarity:.3g}"


if __name__ == "__main__":
    run(main)
