"""Seconds until the face of a person who comes into the picture is found, and frames searched, by `search_interval_ms`.

A real signer comes in from the left: into a picture that stands still, beside a signer who is followed, and before a background that
moves all the time, which causes searches in vain. Each scene is streamed several times, and the person comes at another
time since the last search each time. The delay is counted from the frame in which a stream finds the face of which every frame is
searched. `--checkout` is a server before a change of the rule.
"""

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import grpc
import numpy as np
from numpy.typing import NDArray

from bench.report import Report, parser, progress, run
from facewire.v1 import recognition_pb2
from harness import REPOSITORY, pictures
from harness.running import running_checkout
from harness.tracked import TrackedStream

__all__: list[str] = []

_INTERVALS_MS: Final = (500, 1000, 2000)
_RATES: Final = (15, 5)
_PHASES: Final = 6
"""Times at which the person comes, within a second."""

_EMPTY_S: Final = 2.0
_SHOWN_S: Final = 2.5
_COMES_IN_S: Final = 1.0
_SIZE: Final = (1280, 720)
_PERSON: Final = (640, 480)
_EVERY_FRAME_MS: Final = 1
_OPEN_FILES: Final = 1024
_TIMEOUT_S: Final = 60.0

Pixels = NDArray[np.uint8]


class _Scene(NamedTuple):
    """A scene.

    Attributes:
        name: of the scene.
        background: of each frame, as often as needed.
        present: clip of a person who is in the picture from the first; empty = no one is.
        known: number of faces before the person comes.
    """

    name: str
    background: list[Pixels]
    present: list[Pixels]
    known: int


class _Played(NamedTuple):
    found_s: float
    searched: float


def main() -> int:
    flags = parser("search_delays", __doc__)
    flags.add_argument("--checkout", type=Path, default=REPOSITORY, help="folder of the server")
    flags.add_argument("--intervals", type=int, nargs="*", default=_INTERVALS_MS, help="ms")
    arguments = flags.parse_args()
    report = Report("search_delays", arguments)
    folder = pictures.folder("video")
    signers = [
        _clip(sorted(path.iterdir())[0], _PERSON) for path in sorted((folder / "asl").iterdir())
    ]
    sky = [
        np.asarray(cv2.resize(frame[:450, :800], _SIZE), np.uint8)
        for frame in _clip(folder / "street_1080p.mp4", (1920, 1080))
    ]
    scenes = [
        _Scene("into a still picture", sky[:1], [], 0),
        _Scene("beside a person", sky[:1], signers[1], 1),
        _Scene("before movement", sky, [], 0),
    ]
    rows: list[list[object]] = []
    with (
        running_checkout(
            arguments.checkout.resolve(), open_files=_OPEN_FILES, frame_timeout_s=_TIMEOUT_S
        ) as server,
        server.channel() as channel,
    ):
        cases = [(scene, fps) for scene in scenes for fps in _RATES]
        for scene, fps in progress(cases, "scenes and rates", len(cases)):
            films = [
                list(_film(scene, signers[0], fps, phase / _PHASES)) for phase in range(_PHASES)
            ]
            truths = [_played(channel, film, fps, scene.known, _EVERY_FRAME_MS) for film in films]
            for interval_ms in arguments.intervals:
                played = [_played(channel, film, fps, scene.known, interval_ms) for film in films]
                delays = [
                    one.found_s - truth.found_s for one, truth in zip(played, truths, strict=True)
                ]
                searched = statistics.mean(one.searched for one in played)
                rows.append(
                    [scene.name, fps, interval_ms, statistics.mean(delays), max(delays), searched]
                )
    report.table(
        "delay of a new face, s, and share of the frames searched",
        ["scene", "frames/s", "interval, ms", "mean", "longest", "searched"],
        rows,
    )
    return report.finish()


def _clip(path: Path, size_px: tuple[int, int]) -> list[Pixels]:
    clip = cv2.VideoCapture(str(path))
    frames: list[Pixels] = []
    while clip.grab() and len(frames) < 60:
        frames.append(np.asarray(cv2.resize(clip.retrieve()[1], size_px), np.uint8))
    clip.release()
    return frames


def _film(scene: _Scene, person: list[Pixels], fps: int, late_s: float) -> Iterator[bytes]:
    width, height = _PERSON
    top = _SIZE[1] - height
    for number in range(round((_EMPTY_S + late_s + _SHOWN_S) * fps)):
        at = number * 30 // fps
        frame = scene.background[at % len(scene.background)].copy()
        if scene.present:
            frame[top:, -width:] = scene.present[at % len(scene.present)]
        here_s = number / fps - _EMPTY_S - late_s
        shown = round(width * min(1.0, here_s / _COMES_IN_S))
        if shown > 0:
            frame[top:, :shown] = person[at % len(person)][:, width - shown :]
        yield cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def _played(
    channel: grpc.Channel, film: list[bytes], fps: int, known: int, interval_ms: int
) -> _Played:
    """Streams a film; returns when more faces than the known ones were found."""
    found_s, searched = len(film) / fps, 0
    with TrackedStream(channel, search_interval_ms=interval_ms) as stream:
        for number, jpeg in enumerate(film):
            result = stream.send(jpeg, number / fps)
            searched += result.detection_mode == recognition_pb2.DETECTION_MODE_SEARCHED
            if len(result.faces) > known and number / fps >= _EMPTY_S:
                found_s = min(found_s, number / fps)
    return _Played(found_s, searched / len(film))


if __name__ == "__main__":
    run(main)
