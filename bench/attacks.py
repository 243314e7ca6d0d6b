"""What a camera sees while its server is attacked: its answers, their ages, the server's memory and stalls.

One server, with a token and 1,024 open files; one camera, which streams small frames; and, per attack, a process that
attacks. Meanwhile new clients with the token open a stream, new clients without it ask for the health, and a client that
is connected asks for the health every 20 ms: the longest it waited is a stall of the server, or of this machine.
`--checkout` measures another version:

    git worktree add ../before a7d2122
    python -m bench.attacks --checkout ../before
"""

import itertools
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Final

from bench.attackers import ATTACKS, TOKEN, attacking
from bench.bystanders import Camera, Seen, probe, until_quiet, visit
from bench.report import Report, parser, run
from facewire.v1 import (
    gallery_pb2,
    gallery_pb2_grpc,
    recognition_pb2,
    recognition_pb2_grpc,
)
from harness import REPOSITORY
from harness.running import RunningServer, running_checkout

__all__: list[str] = []

_SLOW_READER_S: Final = 1
"""`slow_reader_timeout_s` of the server, so that a short attack reaches it."""

_OPEN_FILES: Final = 1024
"""The limit of most systems."""

_IDENTITIES: Final = 20_000
"""Identities of the gallery that is exported: 5 MB, more than the buffers of a connection hold."""

_DIMENSION: Final = 128
"""Of SFace's embeddings, which the header of an import states."""


def main() -> int:
    flags = parser("attacks", __doc__)
    flags.add_argument("--seconds", type=float, default=6.0, help="of each attack")
    flags.add_argument(
        "--checkout", type=Path, default=REPOSITORY, help="folder of the server's code"
    )
    flags.add_argument(
        "--models", type=Path, default=REPOSITORY / "models", help="folder of its models"
    )
    arguments = flags.parse_args()
    report = Report("attacks", arguments)
    with TemporaryDirectory() as scratch:
        token = Path(scratch) / "token"
        token.write_text(TOKEN[0][1].removeprefix("Bearer "))
        token.chmod(0o600)
        with running_checkout(
            arguments.checkout.resolve(),
            open_files=_OPEN_FILES,
            models=arguments.models.resolve(),
            token_file=token,
            slow_reader_timeout_s=_SLOW_READER_S,
        ) as server:
            _fill_gallery(server)
            lines = _attack(server, arguments.seconds)
    report.table(
        f"attacks of {arguments.seconds:g} s",
        [
            *("attack", "answers/s", "age ms", "oldest ms", "streams refused"),
            *("health refused", "stall ms", "peak MB"),
        ],
        [line.cells() for line in lines],
    )
    report.values["attacks"] = [line.values() for line in lines]
    return report.finish()


def _attack(server: RunningServer, seconds: float) -> list[Seen]:
    lines = []
    with server.channel() as channel:
        camera = Camera(channel, Seen("", 1.0))
        lines.append(_measured(server, camera, "no attack", seconds))
        for attack in ATTACKS:
            who = "with the token" if attack.needs_token else "without"
            with attacking(attack, server.address):
                lines.append(_measured(server, camera, f"{attack.name}, {who}", seconds))
            until_quiet(server)
        camera.end()
    return lines


def _measured(server: RunningServer, camera: Camera, name: str, seconds: float) -> Seen:
    camera.seen = seen = Seen(name, seconds)
    over = Event()
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")  # forgets the peak (man 5 proc)
    watching = [Thread(target=watch, args=(server, seen, over)) for watch in (probe, visit)]
    for thread in watching:
        thread.start()
    time.sleep(seconds)
    over.set()
    camera.seen = Seen("", 1.0)
    for thread in watching:
        thread.join()
    seen.peak_mb = _peak_mb(server)
    return seen


def _peak_mb(server: RunningServer) -> float:
    status = Path(f"/proc/{server.pid}/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def _fill_gallery(server: RunningServer) -> None:
    """Imports one person with many templates, so that an export is longer than buffers."""
    with server.channel() as channel:
        info = recognition_pb2_grpc.RecognitionServiceStub(channel).GetServerInfo(
            recognition_pb2.GetServerInfoRequest(), metadata=TOKEN
        )
        gallery = gallery_pb2.Gallery(model_contract_id=info.model_contract_id)
        header = gallery_pb2.ExportHeader(gallery=gallery, dimension=_DIMENSION)
        identities = (
            gallery_pb2.GalleryRecord(
                identity=gallery_pb2.Identity(identity_id=f"{row}", display_name="x" * 256)
            )
            for row in range(_IDENTITIES)
        )
        records = itertools.chain([gallery_pb2.GalleryRecord(header=header)], identities)
        requests = (gallery_pb2.ImportGalleryRequest(record=record) for record in records)
        gallery_pb2_grpc.GalleryServiceStub(channel).ImportGallery(requests, metadata=TOKEN)


if __name__ == "__main__":
    run(main)
