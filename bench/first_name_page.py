"""From a fresh clone to a name on the console's page: seconds of each stage, in Chromium with a fake webcam."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from playwright.sync_api import Page

from bench.report import Report, parser, run
from harness import REPOSITORY
from harness.browsers import chromium, in_front_of_a_webcam, write_webcam
from harness.made_people import made_pair

__all__: list[str] = []

_CONSOLE: Final = re.compile(r"facewire console on (http\S+)")
"""The line that says that the page can be opened, and where."""

_PATIENCE_MS: Final = 120_000.0
"""Milliseconds that a step in the page may take: a broken page must not hang the measurement. Chosen, not measured."""


class _Stages:
    """Seconds by stage, printed as they come."""

    def __init__(self) -> None:
        self._begun = self._last = time.monotonic()
        self.seconds: dict[str, float] = {}

    def done(self, name: str) -> None:
        """Ends a stage."""
        now = time.monotonic()
        self.seconds[name] = now - self._last
        self._last = now
        print(f"{self.seconds[name]:8.1f} s  {name}", flush=True)

    @property
    def total(self) -> float:
        """Seconds of all stages."""
        return self._last - self._begun


@contextlib.contextmanager
def _make_run(clone: Path) -> Iterator[str]:
    """Runs `make run` until the block ends; yields the page's address."""
    process = subprocess.Popen(
        ["make", "--silent", "run"],
        cwd=clone,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("FACEWIRE_")},
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if found := _CONSOLE.search(line):
                yield found[1]
                return
        raise RuntimeError("`make run` ended before the page could be opened")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        process.wait()


def _enroll(page: Page) -> None:
    page.get_by_role("link", name="People").click()
    page.get_by_role("button", name="Enroll a person").click()
    page.get_by_label("Name", exact=True).fill("Ada Lovelace")
    page.get_by_role("button", name="Use the webcam").click()
    page.get_by_text("Good: take the picture").wait_for()
    page.get_by_role("button", name="Take a picture").click()
    page.get_by_role("list", name="Pictures").get_by_text("Good").wait_for()
    page.get_by_role("button", name="Enroll", exact=True).click()
    page.get_by_role("button", name="Ada Lovelace").wait_for()


def _recognize(page: Page) -> None:
    page.get_by_role("link", name="Live").click()
    page.get_by_role("button", name="Use the webcam").click()
    page.get_by_role("region", name="In view").get_by_text("Ada Lovelace").wait_for()


def main() -> int:
    flags = parser("first_name_page", __doc__)
    flags.add_argument("--repository", default=str(REPOSITORY), help="what is cloned")
    arguments = flags.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        film = write_webcam(Path(scratch) / "webcam.mjpeg", in_front_of_a_webcam(made_pair()[0]))
        clone = Path(scratch) / "facewire"
        with chromium(film) as browser:
            stages = _Stages()
            subprocess.run(["git", "clone", "--quiet", arguments.repository, clone], check=True)
            stages.done("clone")
            subprocess.run(["make", "--silent", ".venv/.done"], cwd=clone, check=True)
            stages.done("packages")
            subprocess.run(["make", "--silent", "models"], cwd=clone, check=True)
            stages.done("models")
            with _make_run(clone) as address:
                stages.done("make run, until the page can be opened")
                page = browser.new_page()
                page.set_default_timeout(_PATIENCE_MS)
                page.goto(address)
                page.get_by_role("button", name="Use the webcam").wait_for()
                stages.done("page")
                _enroll(page)
                stages.done("a person is enrolled with the webcam")
                _recognize(page)
                stages.done("the name is on the page")
                page.close()
        shutil.rmtree(clone)
    report = Report("first_name_page", arguments)
    rows = [(name, f"{seconds:.1f}") for name, seconds in stages.seconds.items()]
    report.table(
        "from a fresh clone to a name", ["stage", "s"], [*rows, ("all", f"{stages.total:.1f}")]
    )
    report.values.update({name: round(seconds, 2) for name, seconds in stages.seconds.items()})
    return report.finish()


if __name__ == "__main__":
    run(main)
