"""Films as recorders and phones write them: what OpenCV shows of each, and what `facewire.video` does; then the speed of both.

Every film is made here, so what each of its pictures shows, and when, is known. OpenCV reads it as `facewire.video` did
before: FFmpeg's backend, with its default of one decoding thread for each processor.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.report import Report, parser, run
from facewire.video import SourceError
from facewire.video._av.source import AvSource
from harness.films import AV1, INTERLACED, turned, write_film

__all__: list[str] = []

_FPS: Final = 10
_COUNT: Final = 50
_RIGHT_BELOW: Final = 12.0
"""Mean difference (of 255) to what was filmed below which a picture is right: above what these codecs lose, far below a
picture of another moment's place, another size or another film. Chosen, not measured."""

_ROUNDS: Final = 5

Pictures = list[NDArray[np.uint8]]
Timed = tuple[NDArray[Any], float]


class Film(NamedTuple):
    """A film, and what it shows: its pictures, every tenth of a second."""

    path: Path
    shown: Pictures
    must_say: bool = False


class Seen(NamedTuple):
    """What a reader made of a film."""

    picture_count: int
    right_count: int
    last_s: float
    said: str


def _scene(size: tuple[int, int] = (640, 360)) -> Callable[[int], NDArray[np.uint8]]:
    """A smooth scene of its own for each size, with a bright square that moves."""
    coarse = np.random.default_rng(size[0]).integers(40, 170, (4, 6, 3), np.uint8)
    still = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC).astype(np.uint8)

    def at(number: int) -> NDArray[np.uint8]:
        picture = still.copy()
        x = 8 * number % (size[0] - 80)
        picture[40:120, x : x + 80] = 250
        return picture

    return at


def _films(folder: Path) -> Iterator[tuple[str, Film]]:
    at, tall_at = _scene(), _scene((360, 640))
    wide, tall = [at(n) for n in range(_COUNT)], [tall_at(n) for n in range(_COUNT)]
    for name, codec, pix_fmt, options in [
        ("H.264", "libx264", "yuv420p", {}),
        ("H.264, interlaced", "libx264", "yuv420p", INTERLACED),
        ("H.264, 10 bits", "libx264", "yuv420p10le", {}),
        ("H.264, B frames", "libx264", "yuv420p", {"preset": "medium", "bf": "3"}),
        ("H.265", "libx265", "yuv420p", {"x265-params": "log-level=none"}),
        ("AV1", AV1, "yuv420p", {}),
    ]:
        path = folder / f"{name}.mp4"
        yield (
            name,
            Film(write_film(path, wide, codec=codec, pix_fmt=pix_fmt, options=options), wide),
        )
    phone = write_film(
        folder / "phone.mp4", [np.ascontiguousarray(np.rot90(each)) for each in tall]
    )
    turned(phone, 90)
    yield "H.264, turned by its header", Film(phone, tall)
    parts = write_film(folder / "w.ts", wide), write_film(folder / "t.ts", tall)
    yield "TS, size changes", Film(_joined(folder / "sizes.ts", parts), [*wide, *tall])
    again = write_film(folder / "a.ts", wide), write_film(folder / "b.ts", wide)
    yield "TS, clock steps back", Film(_joined(folder / "joined.ts", again), [*wide, *wide])
    yield "raw H.264", Film(write_film(folder / "raw.h264", wide), wide)
    options = {"movflags": "faststart"}
    cut = write_film(folder / "cut.mp4", wide, options={"g": "10"}, container_options=options)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    yield "MP4, cut in half", Film(cut, wide, must_say=True)


def _joined(path: Path, parts: Sequence[Path]) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def _opencv(path: Path) -> Iterator[Timed]:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    while True:
        there, picture = capture.read()
        if not there:
            break
        yield np.asarray(picture), capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
    capture.release()


def _facewire(path: Path) -> Iterator[Timed]:
    source = AvSource(str(path))
    try:
        while (shot := source.read()) is not None:
            yield shot.bgr(), shot.at_s
    finally:
        source.close()


_READERS: Final = {"OpenCV": _opencv, "facewire": _facewire}


def _seen(reader: Callable[[Path], Iterator[Timed]], film: Film) -> Seen:
    count = right_count = 0
    last_s, said = 0.0, ""
    try:
        for picture, at_s in reader(film.path):
            if count < len(film.shown):
                right_count += _is_right(picture, film.shown[count])
            count += 1
            last_s = at_s
    except SourceError as error:
        said = str(error).removeprefix(f"{film.path}: ")
    return Seen(count, right_count, last_s, said)


def _is_right(picture: NDArray[Any], shown: NDArray[np.uint8]) -> bool:
    if picture.shape != shown.shape:
        return False
    return bool(np.abs(picture.astype(np.int16) - shown).mean() < _RIGHT_BELOW)


def _speeds(folder: Path) -> dict[str, tuple[float, float]]:
    """Milliseconds and processor milliseconds a 1080p picture, the least of some rounds, by reader."""
    at = _scene((1920, 1080))
    noise = np.random.default_rng(0).integers(0, 6, (1080, 1920, 3), np.uint8)
    film = write_film(folder / "speed.mp4", [at(n) + np.roll(noise, n) for n in range(_COUNT)])
    best = dict.fromkeys(_READERS, (float("inf"), float("inf")))
    for _ in range(_ROUNDS):
        for name, reader in _READERS.items():
            wall_s, processor_s = time.perf_counter(), time.process_time()
            count = sum(1 for _ in reader(film))
            wall_s, processor_s = time.perf_counter() - wall_s, time.process_time() - processor_s
            spent = wall_s / count * 1e3, processor_s / count * 1e3
            best[name] = min(best[name][0], spent[0]), min(best[name][1], spent[1])
    return best


def main() -> int:
    """Measures, prints, and returns the exit status."""
    report = Report("films", parser("films", __doc__).parse_args())
    # What the codecs print; the report says what came of it.
    os.environ |= {"OPENCV_LOG_LEVEL": "SILENT", "OPENCV_FFMPEG_LOGLEVEL": "-8", "SVT_LOG": "0"}
    lines, values, all_right = [], {}, True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for what, film in _films(folder):
            seen = {reader: _seen(read, film) for reader, read in _READERS.items()}
            values[what] = {reader: one._asdict() for reader, one in seen.items()}
            ours, due_s = seen["facewire"], (len(film.shown) - 1) / _FPS
            whole = ours.right_count == len(film.shown) and abs(ours.last_s - due_s) < 1e-3
            all_right &= bool(ours.said) if film.must_say else whole and not ours.said
            lines.append(
                (what, f"{len(film.shown)}, {due_s:.1f} s", *map(_text, seen.values()))
            )  # fmt: skip
        speeds = _speeds(folder)
    report.table(
        "right pictures of all that came; time of the last", ["film", "due", *_READERS], lines
    )
    columns = ["reader", "ms a 1080p picture", "of processor"]
    report.table("speed", columns, [(name, *spent) for name, spent in speeds.items()])
    report.values |= {"films": values, "ms": speeds}
    report.aim(
        "films seen right, or said to be broken", "all" if all_right else "not all", met=all_right
    )
    return report.finish()


def _text(seen: Seen) -> str:
    return f"{seen.right_count} of {seen.picture_count}, {seen.last_s:.1f} s" + (
        " (said)" * bool(seen.said)
    )


if __name__ == "__main__":
    run(main)
