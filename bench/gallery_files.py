"""A gallery's files: how long it takes to rewrite, back up, verify and restore them, by the number of templates.

The templates are random vectors, one of each person. Each step reads all of them. Seconds of the clock and of all processes'
processor time; while the file is rewritten a person is enrolled again and again, and the longest wait of one is shown.
"""

import asyncio
import resource
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple, TypeVar

import numpy as np

from bench.gallery_search import CONTRACT, as_records, unit_rows
from bench.report import Report, parser, progress, run
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.lmdb_gallery.backups import back_up, verify
from facewire_server.backends.lmdb_gallery.restores import restore
from facewire_server.galleries.records import DEFAULT_GALLERY_ID, EnrollmentResult, NewIdentity

__all__: list[str] = []

_FIRST_ENROLLED: Final = 10**9
"""The number of the first template that is enrolled while the file is rewritten: above all that are imported."""

T = TypeVar("T")


class _Step(NamedTuple):
    """What a step took: seconds of the clock, and of processor time of this process and of those that it started."""

    name: str
    clock_s: float
    processor_s: float


def main() -> int:
    flags = parser("gallery_files", __doc__)
    flags.add_argument("--templates", type=int, default=100_000, help="one of each person")
    flags.add_argument("--dimension", type=int, default=128, help="length of an embedding")
    arguments = flags.parse_args()
    report = Report("gallery_files", arguments)
    with TemporaryDirectory(prefix="facewire-") as scratch:
        steps, file_mib, longest_s = _measured(
            Path(scratch), arguments.templates, arguments.dimension
        )
    report.table(
        f"{arguments.templates:,} templates of {arguments.dimension} numbers, {file_mib:,.0f} MiB on the disk",
        ["", "seconds", "of processor time"],
        steps,
    )
    report.note(f"longest enrollment while the file was rewritten: {longest_s:.3f} s")
    report.values |= {"steps": steps, "file_mib": file_mib, "longest_enrollment_s": longest_s}
    return report.finish()


def _measured(scratch: Path, count: int, dimension: int) -> tuple[list[_Step], float, float]:
    folder, backup, new = (scratch / name for name in ("gallery", "backup", "new"))
    steps: list[_Step] = []

    def timed(name: str, step: Callable[[], T]) -> T:
        began_s, began_used_s = time.monotonic(), _processor_s()
        result = step()
        steps.append(_Step(name, time.monotonic() - began_s, _processor_s() - began_used_s))
        return result

    timed("import", lambda: _fill(folder, count, dimension))
    timed("verify the gallery", lambda: verify(folder))
    timed("back up", lambda: back_up(folder, backup, lambda _: None))
    timed("verify the backup", lambda: verify(backup))
    file_mib = (backup / "data.mdb").stat().st_size / 2**20
    timed("restore", lambda: restore(backup, new))
    shutil.rmtree(new)
    shutil.rmtree(backup)
    longest_s = timed("rewrite, and erase the old file", lambda: _rewritten(folder, dimension))
    return steps, file_mib, longest_s


def _processor_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _opened(folder: Path, dimension: int) -> LmdbGallery:
    return LmdbGallery(
        folder, vector_search=ExactSearch(), model_contract_id=CONTRACT, dimension=dimension
    )


def _fill(folder: Path, count: int, dimension: int) -> None:
    shown = progress(range(count), "import", count)

    def advance() -> None:
        next(shown, None)

    with closing(_opened(folder, dimension)) as gallery:
        records = as_records(unit_rows(count, dimension, seed=0), advance)
        asyncio.run(gallery.import_records(DEFAULT_GALLERY_ID, CONTRACT, records))


def _rewritten(folder: Path, dimension: int) -> float:
    """Deletes a person, has the file rewritten, and enrolls meanwhile; returns the seconds of the longest enrollment."""

    async def rewrite(gallery: LmdbGallery) -> float:
        await gallery.delete_identity(DEFAULT_GALLERY_ID, f"{0:09}")
        erasing = asyncio.create_task(gallery.erase_deleted())
        longest_s, number = 0.0, _FIRST_ENROLLED
        rows = unit_rows(1, dimension, seed=1)
        while not erasing.done():
            began_s = time.monotonic()
            await gallery.enroll(
                DEFAULT_GALLERY_ID,
                NewIdentity(str(number), create=True),
                [EnrollmentResult(f"{number:032x}")],
                np.ascontiguousarray(rows),
            )
            longest_s = max(longest_s, time.monotonic() - began_s)
            number += 1
        await erasing
        return longest_s

    with closing(_opened(folder, dimension)) as gallery:
        return asyncio.run(rewrite(gallery))


if __name__ == "__main__":
    run(main)
