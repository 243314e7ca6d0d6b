"""`make demo`: a folder and a film go in, who was seen when and the annotated film come out."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facewire import FrameResult, FrameStatus, StageTimings
from fakes.server import FakeServer
from tools.demo import Sighting, sightings

FRAMES_PER_S = 10


@pytest.fixture
def clip(tmp_path: Path, astronaut: NDArray[np.uint8]) -> Path:
    """Ada for a second, nobody for two seconds, Ada for half a second."""
    ada = np.ascontiguousarray(astronaut[..., ::-1])
    nobody = np.full_like(ada, 90)
    path = tmp_path / "door.mp4"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FRAMES_PER_S, (512, 512))
    for picture, count in ((ada, 10), (nobody, 20), (ada, 5)):
        for _ in range(count):
            film.write(picture)
    film.release()
    return path


def frames_of(path: Path) -> list[NDArray[np.uint8]]:
    film, found = cv2.VideoCapture(str(path)), []
    while (read := film.read())[0]:
        found.append(read[1])
    return found


@pytest.mark.usefixtures("models")
def test_the_demo_says_who_was_seen_when_and_draws_it(
    repository: Path, tmp_path: Path, clip: Path, astronaut: NDArray[np.uint8]
) -> None:
    person = tmp_path / "people" / "ada_lovelace"
    person.mkdir(parents=True)
    cv2.imwrite(str(person / "1.jpg"), astronaut[..., ::-1])
    out = tmp_path / "out"
    command = [sys.executable, "-m", "tools.demo", str(person.parent), str(clip), "--out", str(out)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    with (out / "seen.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["who"], row["from_s"], row["to_s"]) for row in rows] == [
        ("ada lovelace", "0.00", "0.90"),
        ("ada lovelace", "3.00", "3.40"),
    ]
    assert "ada lovelace" in done.stdout
    before, after = frames_of(clip), frames_of(out / "seen.mp4")
    assert len(after) == len(before) == 35
    changes = [
        np.abs(one.astype(int) - other).max() > 100
        for one, other in zip(before, after, strict=True)
    ]
    assert changes == [True] * 10 + [False] * 20 + [True] * 5


@pytest.mark.parametrize("missing", ["folder", "clip"])
def test_what_is_not_there_is_said(repository: Path, tmp_path: Path, missing: str) -> None:
    folder, clip = tmp_path / "people", tmp_path / "film.mp4"
    if missing == "clip":
        folder.mkdir()
    command = [sys.executable, "-m", "tools.demo", str(folder), str(clip)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "is not there" in done.stderr


def test_the_demo_asks_for_what_it_needs_before_it_sets_anything_up(repository: Path) -> None:
    for named in ((), ("FOLDER=people/",), ("CLIP=film.mp4",)):
        done = subprocess.run(
            ["make", "--dry-run", "--no-print-directory", "demo", *named],  # also under make itself
            cwd=repository, capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (2, "")
        assert "make demo FOLDER=people/ CLIP=film.mp4" in done.stderr
    command = [sys.executable, "-m", "tools.demo", "", ""]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 2
    assert "is not named" in done.stderr


def demo(repository: Path, people: Path, clip: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Runs the demo before a server that only plays one."""
    command = [sys.executable, "-m", "tools.demo", str(people), str(clip), "--out", str(out)]
    with FakeServer() as server:
        environment = os.environ | {"FACEWIRE_SERVER": server.address}
        return subprocess.run(
            command, cwd=repository, env=environment, capture_output=True, text=True, timeout=60
        )


@pytest.mark.parametrize(("content", "status"), [("this is text", 1), (None, 2)])
def test_a_folder_of_which_nobody_is_enrolled_ends_the_demo(
    repository: Path, tmp_path: Path, clip: Path, content: str | None, status: int
) -> None:
    person = tmp_path / "people" / "ada"
    person.mkdir(parents=True)
    if content is not None:
        (person / "1.jpg").write_text(content)
    done = demo(repository, person.parent, clip, tmp_path / "out")
    assert done.returncode == status, done.stderr
    assert not (tmp_path / "out" / "seen.csv").exists()


def test_a_clip_that_is_no_film_is_said(repository: Path, tmp_path: Path) -> None:
    ada = tmp_path / "ada.png"
    cv2.imwrite(str(ada), np.arange(64 * 64, dtype=np.uint8).reshape(64, 64))
    clip = tmp_path / "film.mp4"
    clip.write_text("this is text")
    done = demo(repository, tmp_path, clip, tmp_path / "out")
    assert done.returncode == 2
    assert "cannot open" in done.stderr
    assert "Traceback" not in done.stderr


def test_nobody_seen_is_no_sighting() -> None:
    timings = StageTimings(0, 0, 0, 0, 0, 0, 0)
    empty = FrameResult(1, FrameStatus.OK, None, "", (), 640, 360, timings, 0)
    found: list[Sighting] = sightings([empty, empty])
    assert found == []
