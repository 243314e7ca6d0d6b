"""The whole system at once: enrolls people, plays a film, and writes the annotated film and a table of who was seen when.

    python -m tools.demo [FOLDER CLIP] [--out build/demo]

FOLDER holds a folder of pictures for each person. Without FOLDER and CLIP a film is made from one public-domain picture.
A server with an empty gallery is started on a free port and stopped at the end; if FACEWIRE_SERVER is set, that
server is used, and the people stay enrolled in it.
"""

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import facewire
from harness.running import running_server

__all__ = ["main"]


def main() -> None:
    """Runs the demo.

    Raises:
        SystemExit: 2 if FOLDER or CLIP does not exist; else the status of the command that failed.
    """
    parser = argparse.ArgumentParser("tools.demo", description=__doc__.splitlines()[0])
    # Of `make demo` alone both are empty.
    parser.add_argument(
        "folder", nargs="?", default="", help="a folder of pictures for each person"
    )
    parser.add_argument("clip", nargs="?", default="", help="a film")
    parser.add_argument("--out", type=Path, default=Path("build/demo"), help="default: %(default)s")
    given = parser.parse_args()
    if bool(given.folder) != bool(given.clip):
        parser.error("name both, FOLDER=people/ CLIP=film.mp4, or neither")
    given.out.mkdir(parents=True, exist_ok=True)
    folder, clip = Path(given.folder), Path(given.clip)
    if not given.folder:
        folder, clip = _own_film(given.out)
    for path, there in ((folder, folder.is_dir()), (clip, clip.is_file())):
        if not there:
            parser.error(f"{path} does not exist; use FOLDER=people/ CLIP=film.mp4")
    _play(folder, clip, given.out / "seen.mp4", given.out / "seen.csv")


def _own_film(out: Path) -> tuple[Path, Path]:
    from facewire_serving.carrier import FetchError
    from tools import demo_film

    print("A film from NASA's portrait of Eileen Collins (public domain)", flush=True)
    try:
        return demo_film.make(out)
    except FetchError as error:
        raise SystemExit(f"tools.demo: {error}") from error


def _play(folder: Path, clip: Path, film: Path, table: Path) -> None:
    with _server() as address:
        status = _facewire(address, "enroll", folder)
        if status == 1 and _has_people(address):
            status = 0  # some pictures were refused, others were not
        if status == 0:
            status = _facewire(address, "watch", clip, "--annotate", film, "--csv", table)
    if status:
        raise SystemExit(status)
    print(f"\nthe film with names   {film}\nwho was seen when     {table}\n")
    print(table.read_text(encoding="utf-8"), end="")


@contextlib.contextmanager
def _server() -> Iterator[str]:
    """Yields the address of FACEWIRE_SERVER, or of a server that ends with the block."""
    if address := os.environ.get("FACEWIRE_SERVER"):
        yield address
        return
    with running_server() as server:
        yield server.address


def _facewire(address: str, *arguments: object) -> int:
    """Runs the command line, shows what is run, and returns its exit status."""
    words = [str(argument) for argument in arguments]
    print(f"\n$ facewire {' '.join(words)}", flush=True)
    command = [sys.executable, "-m", "facewire", "--server", address, *words]
    return subprocess.run(command, check=False).returncode


def _has_people(address: str) -> bool:
    with facewire.Client(address) as client:
        return any(client.identities())


if __name__ == "__main__":
    main()
