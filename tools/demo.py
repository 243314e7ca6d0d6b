"""The whole system in one go: enrols a folder, plays a film, annotates it, and says who was seen when.

    python -m tools.demo FOLDER CLIP [--out build/demo]

FOLDER holds a sub-folder of pictures for each person. A server with an empty gallery is started on
a free port, and gone afterwards; FACEWIRE_SERVER names a running one to use instead, in which the
people stay enrolled. OUT gets `seen.mp4`, the annotated film, and `seen.csv`: who, from when, to when.
"""

import argparse
import contextlib
import csv
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.progress import track
from rich.table import Table

import facewire
from facewire.video import Camera, FilmWriter, annotate
from harness.running import running_server

__all__ = ["Sighting", "main", "play", "sightings"]

_GAP_S = 1.0
_JPEG_QUALITY = 95


class Sighting(NamedTuple):
    """One stretch of time in which somebody was seen; absences under a second do not end it.

    Attributes:
        who: the display name.
        from_s, to_s: the first and the last frame, seconds from the start of the film.
        frame_count: frames in which they were recognised.
        best_similarity: of these.
    """

    who: str
    from_s: float
    to_s: float
    frame_count: int
    best_similarity: float


def play(client: facewire.Client, clip: Path, annotated: Path) -> list[facewire.FrameResult]:
    """Streams every frame of a film, and writes the film with what was recognised drawn in.

    Raises:
        OSError: the film cannot be read, or not be written.
    """
    waiting: dict[int, facewire.Frame] = {}  # few: no more than the stream's credit
    results = []

    def frames(camera: Camera) -> Iterator[facewire.Frame]:
        for sequence, frame in enumerate(camera, start=1):
            waiting[sequence] = frame
            yield frame

    with Camera(clip, jpeg_quality=_JPEG_QUALITY) as camera:
        stream = client.stream(
            frames(camera), camera=clip.name, policy=facewire.FramePolicy.EVERY_FRAME
        )
        with FilmWriter(annotated, camera.fps) as film:
            for result in track(stream, "playing", camera.frame_count, transient=True):
                assert isinstance(result, facewire.FrameResult), "EVERY_FRAME passes over none"
                picture = annotate(waiting.pop(result.sequence).picture, result.faces)
                film.write(picture, result.captured_at_us / 1e6)
                results.append(result)
    return results


def sightings(results: list[facewire.FrameResult]) -> list[Sighting]:
    """Gathers frames into stretches of time, in the order of their beginnings."""
    seen: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for result in results:
        for face in result.faces:
            if face.known and (decision := face.decision):
                person = decision.identity_id, decision.display_name
                seen[person].append((result.captured_at_us / 1e6, decision.similarity))
    found = []
    for (_, who), moments in seen.items():
        for stretch in _stretches(moments):
            times, similarities = zip(*stretch, strict=True)
            found.append(Sighting(who, times[0], times[-1], len(times), max(similarities)))
    return sorted(found, key=lambda sighting: sighting.from_s)


def _stretches(moments: list[tuple[float, float]]) -> Iterator[list[tuple[float, float]]]:
    stretch = moments[:1]
    for moment in moments[1:]:
        if moment[0] - stretch[-1][0] >= _GAP_S:
            yield stretch
            stretch = []
        stretch.append(moment)
    yield stretch


def _report(found: list[Sighting], results: list[facewire.FrameResult], out: Path) -> None:
    with (out / "seen.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Sighting._fields)
        for who, from_s, to_s, frame_count, similarity in found:
            writer.writerow([who, f"{from_s:.2f}", f"{to_s:.2f}", frame_count, f"{similarity:.3f}"])
    table = Table("who", "from s", "to s", "frames", "best similarity")
    for who, from_s, to_s, frame_count, similarity in found:
        table.add_row(who, f"{from_s:.2f}", f"{to_s:.2f}", str(frame_count), f"{similarity:.3f}")
    console = Console(markup=False, highlight=False, soft_wrap=True)
    console.print(table)
    faces = sum(len(result.faces) for result in results)
    named = sum(face.known for result in results for face in result.faces)
    console.print(f"{len(results)} frames, {faces} faces, {named} of them with a name")
    console.print(f"{out / 'seen.mp4'}  {out / 'seen.csv'}")


@contextlib.contextmanager
def _server() -> Iterator[str]:
    """The address of FACEWIRE_SERVER, or of a server that ends with the block."""
    if address := os.environ.get("FACEWIRE_SERVER"):
        yield address
        return
    with running_server() as server:
        yield server.address


def _enroll(address: str, folder: Path) -> None:
    """Enrolls by the command, which tells itself what it refuses.

    Raises:
        SystemExit: with its status, where it failed or nobody is enrolled.
    """
    command = [sys.executable, "-m", "facewire", "--server", address, "enroll", str(folder)]
    status = subprocess.run(command, check=False).returncode
    if status == 1:
        with facewire.Client(address) as client:
            if any(client.identities()):
                return  # some pictures were refused, others were not
    if status:
        raise SystemExit(status)


def _named(text: str) -> Path:
    """A path of the command line, which of `make demo` alone is empty: the folder one is in."""
    if not text:
        raise argparse.ArgumentTypeError("is not named; say FOLDER=people/ CLIP=film.mp4")
    return Path(text)


def main() -> None:
    """Runs the demo.

    Raises:
        SystemExit: 1 where pictures of FOLDER were refused and nobody is enrolled, 2 where FOLDER or CLIP
            cannot be used, else what `facewire enroll` has ended with.
    """
    parser = argparse.ArgumentParser("tools.demo", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=_named, help="a sub-folder of pictures a person")
    parser.add_argument("clip", type=_named, help="a film")
    parser.add_argument("--out", type=Path, default=Path("build/demo"), help="where the answers go")
    given = parser.parse_args()
    for path, there in ((given.folder, given.folder.is_dir()), (given.clip, given.clip.is_file())):
        if not there:
            parser.error(f"{path} is not there; say FOLDER=people/ CLIP=film.mp4")
    given.out.mkdir(parents=True, exist_ok=True)
    with _server() as address:
        _enroll(address, given.folder)
        with facewire.Client(address) as client:
            try:
                results = play(client, given.clip, given.out / "seen.mp4")
            except OSError as error:
                parser.error(str(error))
    _report(sightings(results), results, given.out)


if __name__ == "__main__":
    main()
