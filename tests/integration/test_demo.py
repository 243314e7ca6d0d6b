"""`make demo`: people and a film go in; who was seen when, and the annotated film, come out."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from facewire_serving.carrier import fetch
from tools import demo_film


def demo(repository: Path, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tools.demo", *map(str, arguments)]
    return subprocess.run(
        command, cwd=repository, env=os.environ | more, capture_output=True, text=True, timeout=110
    )


def frames_of(path: Path) -> list[cv2.typing.MatLike]:
    film = cv2.VideoCapture(str(path))
    found: list[cv2.typing.MatLike] = []
    while (read := film.read())[0]:
        found.append(read[1])
    return found


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that has the picture already, as the installed scikit-image carries it."""
    installed = Path(skimage.data.__file__).with_name("astronaut.png")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / demo_film.PICTURE.name).write_bytes(installed.read_bytes())
    return tmp_path / "cache"


@pytest.mark.usefixtures("models")
def test_without_arguments_it_plays_a_film_of_one_picture(
    repository: Path, tmp_path: Path, cache: Path
) -> None:
    out = tmp_path / "out"
    folder, clip = demo_film.make(out, cache)
    done = demo(repository, folder, clip, "--out", out)
    assert done.returncode == 0, done.stderr
    with (out / "seen.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["who"] for row in rows] == ["eileen collins"], "one visit, although she leaves once"
    assert f"{out / 'seen.mp4'}\n" in done.stdout
    assert f"{out / 'seen.csv'}\n" in done.stdout
    before, after = frames_of(clip), frames_of(out / "seen.mp4")
    assert len(after) == len(before)
    changed = [
        np.abs(before[number].astype(int) - after[number]).max() > 100
        for number in (round(at_s * demo_film.FRAMES_PER_S) for at_s in (0, 5, 9, 13))
    ]
    assert changed == [False, True, False, True], "a box is drawn while her face is in view"


def test_the_picture_is_the_one_that_scikit_image_carries(cache: Path) -> None:
    assert fetch(demo_film.PICTURE, cache) == cache / demo_film.PICTURE.name


def test_the_film_has_the_colors_of_the_picture(cache: Path, tmp_path: Path) -> None:
    _, clip = demo_film.make(tmp_path, cache)
    wide = frames_of(clip)[-1].reshape(-1, 3).mean(axis=0)
    source = cv2.imread(str(cache / demo_film.PICTURE.name))
    assert source is not None
    picture = source[:320].reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(wide, picture, atol=8)
    assert abs(picture[0] - picture[2]) > 20, "red and blue differ, so a swap would be seen"


@pytest.mark.parametrize("missing", ["folder", "clip"])
def test_what_is_not_there_is_named(repository: Path, tmp_path: Path, missing: str) -> None:
    folder, clip = tmp_path / "people", tmp_path / "film.mp4"
    if missing == "clip":
        folder.mkdir()
    done = demo(repository, folder, clip, "--out", tmp_path)
    assert done.returncode == 2
    assert f"{folder if missing == 'folder' else clip} does not exist" in done.stderr


@pytest.mark.parametrize("given", [("people", ""), ("", "film.mp4")])
def test_one_of_the_two_alone_is_refused(
    repository: Path, tmp_path: Path, given: tuple[str, str]
) -> None:
    done = demo(repository, *given, "--out", tmp_path)
    assert done.returncode == 2
    assert "name both, FOLDER=people/ CLIP=film.mp4, or neither" in done.stderr


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(("content", "status"), [("this is text", 1), (None, 2)])
def test_a_folder_of_which_nobody_is_enrolled_ends_the_demo(
    repository: Path, tmp_path: Path, content: str | None, status: int
) -> None:
    person, clip = tmp_path / "people" / "ada", tmp_path / "film.mp4"
    person.mkdir(parents=True)
    clip.write_text("never opened")
    if content is not None:
        (person / "1.jpg").write_text(content)
    done = demo(repository, person.parent, clip, "--out", tmp_path / "out")
    assert done.returncode == status, done.stderr
    assert not (tmp_path / "out" / "seen.csv").exists()


@pytest.mark.usefixtures("models")
def test_a_clip_that_is_no_film_is_named(repository: Path, tmp_path: Path, cache: Path) -> None:
    folder, _ = demo_film.make(tmp_path, cache)
    clip = tmp_path / "film.mp4"
    clip.write_text("this is text")
    done = demo(repository, folder, clip, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "it is not a film that can be read" in done.stderr
    assert "Traceback" not in done.stderr
