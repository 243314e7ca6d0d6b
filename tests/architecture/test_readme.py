"""Every command that a page shows is run here, or says why it is not.

A fenced block of `sh` or `python` follows a comment: `<!-- run -->`, or `<!-- not run: reason -->`. Other languages
hold no commands. A block of `text` right after one that is run is what that one prints, word for word. Blocks run in order, in a folder that holds what the pages speak of (`people/`, `party.jpg`, `door.mp4`),
against a real server on the address that the pages name.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire_server.configuration.settings import Settings
from harness.running import RunningServer, running_server

REPOSITORY = Path(__file__).parents[2]
PAGES = subprocess.run(
    ["git", "ls-files", "*.md"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True
).stdout.split()
COMMANDS = ("sh", "python")
LANGUAGES = (*COMMANDS, "c", "cmake", "cpp", "json", "proto", "text", "toml")
ADDRESS = "127.0.0.1:50051"
BLOCK = re.compile(
    r"(?:^ *<!-- (?P<mark>run|not run)(?:: (?P<note>[^>]*))? -->\n)?"
    r"^ *```(?P<language>[^\n]*)\n(?P<code>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)


class Block(NamedTuple):
    """A fenced block of a page.

    Attributes:
        is_output: it follows a block that is run, and is what that prints.
    """

    language: str
    mark: str | None
    note: str | None
    code: str
    is_output: bool


def blocks(page: str) -> list[Block]:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    found: list[Block] = []
    end = 0
    for match in BLOCK.finditer(text):
        language, mark, note, code = match.group("language", "mark", "note", "code")
        follows = bool(found) and found[-1].mark == "run" and not text[end : match.start()].strip()
        found.append(Block(language, mark, note, code, language == "text" and follows))
        end = match.end()
    return found


@pytest.fixture(scope="module")
def running(models: Path) -> Iterator[RunningServer]:
    with running_server() as server:
        yield server


@pytest.fixture
def folder(repository: Path, tmp_path: Path, astronaut: NDArray[np.uint8]) -> Path:
    """What the pages speak of, made of the one public face that there is."""
    for part in ("protos", "tools"):
        (tmp_path / part).symlink_to(repository / part)
    picture = np.ascontiguousarray(astronaut[..., ::-1])
    person = tmp_path / "people" / "ada"
    person.mkdir(parents=True)
    for number, brightness in ((1, 1.0), (2, 0.8)):
        cv2.imwrite(str(person / f"{number}.jpg"), (picture * brightness).astype(np.uint8))
    cv2.imwrite(str(tmp_path / "party.jpg"), picture)
    clip = cv2.VideoWriter(
        str(tmp_path / "door.mp4"), cv2.VideoWriter.fourcc(*"mp4v"), 10.0, (512, 512)
    )
    for _ in range(5):
        clip.write(picture)
    clip.release()
    return tmp_path


def unignored(repository: Path, paths: list[str]) -> set[str]:
    """Which of these paths in the repository git would not ignore."""
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin"],
        cwd=repository,
        input="\n".join(paths),
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.split("\n")
    return set(paths) - set(ignored)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_or_says_why_not(page: str) -> None:
    strange = [block for block in blocks(page) if block.language not in LANGUAGES]
    assert not strange, f"{page}: of no language that we know: {strange}"
    for block in blocks(page):
        if block.language in COMMANDS:
            assert block.mark, f"{page}: this block has no mark:\n{block.code}"
            assert block.mark == "run" or block.note, f"{page}: no reason:\n{block.code}"


@pytest.mark.parametrize("page", PAGES)
def test_every_fence_is_one_of_a_block(page: str) -> None:
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    fences = re.findall(r"^[^\w\n]*(?:```|~~~)", text, re.MULTILINE)
    assert len(fences) == 2 * len(blocks(page)), page


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(b.mark == "run" for b in blocks(page))]
)
def test_the_blocks_run(repository: Path, running: RunningServer, folder: Path, page: str) -> None:
    rooms = [str(repository / room) for room in ("server", "clients/python")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(rooms),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "FACEWIRE_SERVER": running.address,
    }
    printed = ""
    for block in blocks(page):
        if block.is_output:
            assert block.code == printed, f"{page}: a run printed:\n{printed}"
        if block.mark != "run":
            continue
        code = block.code.replace(ADDRESS, running.address)
        code = code.replace(". .venv/bin/activate\n", "")  # this very environment
        command = ["bash", "-euo", "pipefail", "-c", code]
        if block.language == "python":
            command = [sys.executable, "-W", "error", "-c", code]
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
        )
        printed = done.stdout
        assert done.returncode == 0, f"{page}:\n{code}\n{printed}"
    written = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert unignored(repository, written) == set(), f"{page}: .gitignore lacks what it writes"


def test_the_settings_of_the_page_are_the_servers(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"<!-- settings -->\n(.*?)<!-- /settings -->", text, re.DOTALL)
    rows = [
        f"| `{variable}` | {value} | {about} |" for variable, value, about in Settings().described()
    ]
    assert table.splitlines()[2:] == rows


def test_links_of_the_pages_lead_somewhere(repository: Path) -> None:
    for page in PAGES:
        text = (repository / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!http)([^)#]+)", text):
            assert ((repository / page).parent / target).exists(), f"{page}: {target}"


def test_nobody_is_recognized_in_the_blurred_picture(
    repository: Path, running: RunningServer, astronaut: NDArray[np.uint8]
) -> None:
    with facewire.Client(running.address) as client:
        client.create_gallery("picture")
        client.enroll("eileen", np.ascontiguousarray(astronaut), gallery="picture")
        answer = client.recognize(repository / "docs" / "recognized.png", gallery="picture")
    assert not [face for face in answer.faces if face.known]
