"""The hint of a presentation attack: how often live faces have one, and how few drawn attacks do.

Live: the most central face of lent pictures of people. Fused: the mean over the pictures of each person, as over the looks at a track. Drawn attacks
are the same pictures on a screen with pixels, moire and a frame, and on a sheet of paper, drawn and not filmed: they say what passes, not what a real attack would do.
Intervals are bootstrapped over people. Nothing is kept.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.report import Report, parser, progress, run
from facewire_server.app.values import read_model_contract
from facewire_server.errors import InvalidInput
from facewire_server.models import Models, open_models
from facewire_server.pipeline.attacks import NOT_SCORED
from facewire_server.pipeline.find import FaceFinder, FoundFaces
from facewire_server.pipeline.surroundings import surroundings
from facewire_server.types import (
    DetectionOptions,
    Faces,
    FaceSelection,
    Picture,
    PictureLimits,
    Rgb,
)
from harness import REPOSITORY, pictures

__all__: list[str] = []

_LIMITS: Final = PictureLimits(max_frame_bytes=1 << 25, max_pixels=50_000_000)
_DETECTION: Final = DetectionOptions(0.9, 64, 1 / 16)
_SHOWN: Final = (0.5, 0.8, 0.95)
"""Scores from which a face counts as an attack, for the tables."""
_DRAWS: Final = 1000
_TIMED: Final = 50

_Draw = Callable[[Rgb], Rgb]


class _Seen(NamedTuple):
    """The log-odds of one kind of pictures, and the number of the person on each."""

    log_odds: NDArray[np.float64]
    people: NDArray[np.intp]


def main() -> int:
    flags = parser("presentation_attacks", __doc__)
    flags.add_argument("--people", type=int, default=40, help="of each of the two sets")
    flags.add_argument("--most", type=int, default=2, help="pictures of a person")
    arguments = flags.parse_args()
    return asyncio.run(_measure(Report("presentation_attacks", arguments), arguments))


async def _measure(report: Report, arguments: argparse.Namespace) -> int:
    async with open_models(
        read_model_contract("sface"),
        folder=REPOSITORY / "models",
        threads=1,
        presentation_attacks=True,
    ) as models:
        with ThreadPoolExecutor(1) as threads:
            finder = FaceFinder(models.detector, limits=_LIMITS, threads=threads)
            found: dict[str, dict[str, _Seen]] = {}
            for name, people in (("LFW", _lfw()), ("groups", _groups())):
                chosen = [person[: arguments.most] for person in people[: arguments.people]]
                found[name] = await _of_set(name, chosen, models, finder)
        cost_ms = await _cost(models)
    rng = np.random.default_rng(1)
    lines: list[list[object]] = []
    values: dict[str, dict[str, Any]] = {}
    for name, kinds in found.items():
        for kind, seen in {**kinds, "live, fused": _fused(kinds["live"])}.items():
            shares = [_share(seen, least, rng) for least in _SHOWN]
            median = float(np.median(_scores(seen.log_odds)))
            lines.append([f"{name}: {kind}", str(len(seen.people)), median, *map(_text, shares)])
            values[f"{name}: {kind}"] = {"pictures": len(seen.people), "shares": shares}
    columns = ["", "scored", "median", *(f"% from {least}" for least in _SHOWN)]
    report.table("hints of an attack, 95 % interval over people", columns, lines)
    report.note(f"processor time a face on one thread: {cost_ms:.1f} ms")
    report.values |= {"shares": values, "ms": cost_ms}
    report.note(
        "An attack that was drawn is no attack that was made: no rate of detected attacks follows."
    )
    return report.finish()


async def _of_set(
    name: str, people: Sequence[Sequence[Path]], models: Models, finder: FaceFinder
) -> dict[str, _Seen]:
    draws: dict[str, _Draw] = {
        "live": lambda image: image,
        "screen": _filled,
        "screen and its frame": _framed,
        "paper": _on_paper,
    }
    kept: dict[str, list[tuple[float, int]]] = {kind: [] for kind in draws}
    shown = [(person, path) for person, paths in enumerate(people) for path in paths]
    for person, path in progress(shown, name, len(shown)):
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if image is None:
            continue
        for kind, draw in draws.items():
            face = await _face(draw(image.astype(np.uint8, copy=False)), finder)
            if face is not None and models.attacks is not None:
                (log_odds,) = await models.attacks.log_odds(face.surroundings)
                kept[kind].append((float(log_odds), person))
    return {
        kind: _Seen(np.array([odds for odds, _ in rows]), np.array([one for _, one in rows]))
        for kind, rows in kept.items()
    }


async def _face(image: Rgb, finder: FaceFinder) -> FoundFaces | None:
    _, file = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    try:
        return await finder.find(
            Picture(file.tobytes()), _DETECTION, FaceSelection.MOST_CENTRAL, with_surroundings=True
        )
    except InvalidInput:
        return None


async def _cost(models: Models) -> float:
    """Returns the processor time of cutting a face of a large picture out and scoring it, milliseconds."""
    assert models.attacks is not None
    image = np.random.default_rng(2).integers(0, 256, (1080, 1920, 3), np.uint8)
    box = np.array([[800, 300, 1000, 560]], np.float32)
    one = Faces(box, np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))
    await models.attacks.log_odds(surroundings(image, one))
    started = time.process_time()
    for _ in range(_TIMED):
        await models.attacks.log_odds(surroundings(image, one))
    return 1000 * (time.process_time() - started) / _TIMED


def _filled(image: Rgb) -> Rgb:
    """The picture on a screen that fills the photograph: its stripes of red, green and blue make moire, its glass reflects on one side."""
    height, width = image.shape[:2]
    size = (3 * width, 3 * height)
    pixels: Any = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR).astype(np.float32)
    for channel in range(3):
        pixels[:, :, channel] *= 0.8
        pixels[:, channel::3, channel] *= 1.6
    pixels[::3] *= 0.8
    turned = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), 1.5, 1.05)
    pixels = cv2.warpAffine(pixels, turned, size, borderMode=cv2.BORDER_REPLICATE)
    small = (round(size[0] / 2.7), round(size[1] / 2.7))
    photo: Any = cv2.GaussianBlur(cv2.resize(pixels, small), (0, 0), 0.6)
    glare = np.linspace(25, 0, photo.shape[1], dtype=np.float32)[None, :, None]
    shown: Rgb = np.clip(photo * 0.95 + glare, 0, 255).astype(np.uint8)
    return shown


def _framed(image: Rgb) -> Rgb:
    """The same with the black frame of the screen, and the desk behind it."""
    edge = image.shape[1] // 8
    lit = _filled(image)
    for width, color in ((edge, (12, 12, 14)), (2 * edge, (150, 140, 130))):
        lit = _bordered(lit, width, color)
    return lit


def _bordered(image: Rgb, width: int, color: tuple[int, int, int]) -> Rgb:
    edges = (width, width, width, width)
    bordered: Rgb = cv2.copyMakeBorder(image, *edges, cv2.BORDER_CONSTANT, value=color).astype(
        np.uint8
    )
    return bordered


def _on_paper(image: Rgb) -> Rgb:
    """The picture printed on white paper with few tones, photographed a little out of focus."""
    edge = image.shape[1] // 8
    printed = cv2.GaussianBlur(image, (0, 0), 0.8) * 0.7 + 60
    sheet = _bordered(printed.astype(np.uint8), edge, (235, 233, 228))
    desk = _bordered(sheet, 2 * edge, (96, 84, 70))
    grain = np.random.default_rng(3).normal(0, 3, desk.shape)
    shown: Rgb = np.clip(desk + grain, 0, 255).astype(np.uint8)
    return shown


def _fused(seen: _Seen) -> _Seen:
    """The mean of the log-odds of each person of two pictures or more, within the bound of a look."""
    fused, people = [], []
    for person in np.unique(seen.people):
        score = NOT_SCORED
        for log_odds in seen.log_odds[seen.people == person]:
            score = score.after(float(log_odds))
        if score.look_count > 1:
            fused.append(score.total / score.look_count)
            people.append(person)
    return _Seen(np.array(fused), np.array(people))


def _scores(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([NOT_SCORED.after(float(one)).value for one in log_odds])


def _share(seen: _Seen, least: float, rng: np.random.Generator) -> tuple[float, float, float]:
    """Returns the share of scores from `least`, and its 95 % interval over people."""
    _, rows = np.unique(seen.people, return_inverse=True)
    hits = np.bincount(rows, weights=_scores(seen.log_odds) >= least)
    counts = np.bincount(rows)
    drawn = rng.integers(0, len(counts), (_DRAWS, len(counts)))
    low, high = np.quantile(hits[drawn].sum(axis=1) / counts[drawn].sum(axis=1), (0.025, 0.975))
    return float(hits.sum() / counts.sum()), float(low), float(high)


def _text(share: tuple[float, float, float]) -> str:
    value, low, high = (100 * each for each in share)
    return f"{value:.1f} ({low:.1f}–{high:.1f})"


def _lfw() -> list[list[Path]]:
    folder = pictures.folder("verify")
    rows = pictures.rows(folder / "pairs.csv")
    paths = sorted({folder / row[end] for row in rows for end in ("path_a", "path_b")})
    return _by_person([(path.parent.name, path) for path in paths])


def _groups() -> list[list[Path]]:
    folder = pictures.folder("groups")
    rows = pictures.rows(folder / "images.csv")
    return _by_person(
        [
            (row["identity"], folder / row["path"])
            for row in rows
            if (folder / row["path"]).is_file()
        ]
    )


def _by_person(labeled: Sequence[tuple[str, Path]]) -> list[list[Path]]:
    """Returns the pictures of each person, people in an order that is the same every time and has nothing to do with their names."""
    people: dict[str, list[Path]] = {}
    for person, path in labeled:
        people.setdefault(person, []).append(path)
    order = np.random.default_rng(4).permutation(len(people))
    listed = list(people.values())
    return [listed[row] for row in order]


if __name__ == "__main__":
    run(main)
