"""Exact search in the gallery beside one matrix in memory; callers at once; writing; memory of the processes that read.

    python -m bench.gallery_search [--largest 1000000] [--dimension 128] [--dimension 512]

Prints, for each number of templates (one an identity) and of probes: milliseconds of processor time of a search (awaited, entering
a thread included), of `np.dot` on one private matrix with the same probes, and the median of the ratios of each round; all
take turns in one process, on one BLAS thread. A search has a fixed part, which is that of a gallery of five people, all of whom it returns, and a
marginal one, the rest. "shared" is `np.dot` on a matrix in memory that processes share: numpy asks for pages of 2 MiB for a
private one, and shared pages have 4 KiB, as a file's. "top" is `np.dot` on the private one with the five best of each probe
picked out, which is what a search returns. "together" are eight callers of one probe each at once, divided by the same eight one
after the other. Then the pace of an import and of enrollments; and proportional set sizes, to which each process' share of the map
counts: of one process that has searched the gallery, of each of four, and of one that has not. At last what an empty step in a
thread costs, which each search takes.
"""

import asyncio
import mmap
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.galleries.records import (
    DEFAULT_GALLERY_ID,
    EnrollmentResult,
    ExportedTemplate,
    GalleryRecord,
    IdentityInfo,
    NewIdentity,
    TemplateInfo,
)
from facewire_server.types import Quality
from facewire_server.work.threads import run_in_thread

CONTRACT = "0" * 64
SIZES = (5, 1_000, 10_000, 100_000, 1_000_000)
PROBES = (1, 8)
BEST = 5
CALLERS = 8
ENROLLED = 50
HOPS = 1_000
READERS = (1, 4)

READER = """
import asyncio
import sys
from pathlib import Path
import numpy as np
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
dimension, searches = int(sys.argv[2]), int(sys.argv[3])
gallery = LmdbGallery(
    Path(sys.argv[1]), vector_search=ExactSearch(), model_contract_id="0" * 64, dimension=dimension
)
async def search():
    for _ in range(searches):
        await gallery.search("default", np.eye(1, dimension, dtype=np.float32), 5)
asyncio.run(search())
print("ready", flush=True)
sys.stdin.read()
gallery.close()
"""


def unit_rows(count: int, dimension: int, seed: int) -> NDArray[np.float32]:
    """Returns random unit rows, (count, dimension)."""
    rows = np.random.default_rng(seed).standard_normal((count, dimension), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


async def as_records(
    matrix: NDArray[np.float32], advance: Callable[[], None]
) -> AsyncIterator[GalleryRecord]:
    """One identity with one template for each row."""
    for number, row in enumerate(matrix):
        identity_id = f"{number:09}"
        yield IdentityInfo(identity_id, identity_id, 1, 0)
        info = TemplateInfo(f"{number:032x}", identity_id, Quality(64.0, 1.0, 1.0), 0.99, 0, "")
        yield ExportedTemplate(info, row)
        advance()


async def timed(
    calls: tuple[Callable[[], Awaitable[object]], ...], rounds: int
) -> list[NDArray[np.float64]]:
    """Returns the milliseconds of processor time of each call in each round; the calls take turns."""
    times = np.empty((len(calls), 2 + rounds))
    for turn in range(2 + rounds):
        for number, call in enumerate(calls):
            start = time.process_time()
            await call()
            times[number, turn] = 1e3 * (time.process_time() - start)
    return list(times[:, 2:])  # without two rounds to warm up


async def dot(matrix: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the similarity of every row to every probe."""
    products: NDArray[np.float32] = np.dot(matrix, columns)
    return products


async def top(matrix: NDArray[np.float32], probes: NDArray[np.float32]) -> NDArray[np.intp]:
    """Returns the rows most similar to each probe."""
    scores = np.ascontiguousarray(np.dot(matrix, probes.T).T)
    wanted = min(BEST, len(matrix))
    return np.argpartition(scores, -wanted, axis=1)[:, -wanted:]


def shared(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns a copy in memory that processes can share."""
    copied = np.ndarray(matrix.shape, np.float32, mmap.mmap(-1, matrix.nbytes))
    copied[:] = matrix
    return copied


async def hop_us() -> float:
    """Returns the microseconds of processor time of a step in a thread that does nothing."""
    with ThreadPoolExecutor(1) as threads:
        start = time.process_time()
        for _ in range(HOPS):
            await run_in_thread(threads, lambda: None)
        return 1e6 * (time.process_time() - start) / HOPS


async def measure(
    gallery: LmdbGallery,
    matrix: NDArray[np.float32],
    count: int,
    rounds: int,
    fixed: dict[tuple[int, int], float],
) -> tuple[str, ...]:
    """A row of the table; `fixed` has milliseconds by dimension and probes, and takes those of the first gallery."""
    probes = unit_rows(count, matrix.shape[1], seed=1)
    columns = np.ascontiguousarray(probes.T)
    in_shared = shared(matrix)
    search, product, product_shared, best = await timed(
        (
            lambda: gallery.search(DEFAULT_GALLERY_ID, probes, BEST),
            lambda: dot(matrix, columns),
            lambda: dot(in_shared, columns),
            lambda: top(matrix, probes),
        ),
        rounds,
    )
    size, width = matrix.shape
    fixed_ms = fixed.setdefault((width, count), float(np.median(search)))
    return (
        f"{size:,} × {width}",
        f"{count}",
        f"{np.median(search):.2f}",
        f"{fixed_ms:.2f}",
        f"{np.median(product):.2f}",
        f"{np.median(search / product):.2f}",
        f"{np.median((search - fixed_ms) / product):.2f}",
        f"{np.median(search / product_shared):.2f}",
        f"{np.median(search / best):.2f}",
    )


async def together(gallery: LmdbGallery, dimension: int, rounds: int) -> float:
    """Returns the processor time of callers at once, as a share of that of the same callers one after the other."""
    probes = unit_rows(CALLERS, dimension, seed=2)

    async def at_once() -> None:
        await asyncio.gather(
            *(gallery.search(DEFAULT_GALLERY_ID, probe[None], BEST) for probe in probes)
        )

    async def in_turn() -> None:
        for probe in probes:
            await gallery.search(DEFAULT_GALLERY_ID, probe[None], BEST)

    gathered, alone = await timed((at_once, in_turn), rounds)
    return float(np.median(gathered / alone))


async def enrolled(gallery: LmdbGallery, dimension: int) -> tuple[float, float]:
    """Returns the enrollments of one template a second, and the milliseconds of processor time of one."""
    rows = unit_rows(ENROLLED, dimension, seed=3)
    start, started = time.perf_counter(), time.process_time()
    for number, row in enumerate(rows):
        await gallery.enroll(
            DEFAULT_GALLERY_ID,
            NewIdentity(f"new-{number}", create=True),
            [EnrollmentResult(f"{10**9 + number:032x}")],
            row[None],
        )
    used_s = time.process_time() - started
    return ENROLLED / (time.perf_counter() - start), 1e3 * used_s / ENROLLED


class Measured(NamedTuple):
    """Of one gallery: rows of the first table, and cells of the second one."""

    searches: list[tuple[str, ...]]
    writing: tuple[str, ...]


async def in_gallery(
    folder: Path,
    matrix: NDArray[np.float32],
    rounds: int,
    fixed: dict[tuple[int, int], float],
    advance: Callable[[], None],
) -> Measured:
    """Fills a gallery, and measures it."""
    width = matrix.shape[1]
    gallery = LmdbGallery(
        folder, vector_search=ExactSearch(), model_contract_id=CONTRACT, dimension=width
    )
    with closing(gallery):
        start = time.perf_counter()
        await gallery.import_records(DEFAULT_GALLERY_ID, CONTRACT, as_records(matrix, advance))
        pace = len(matrix) / (time.perf_counter() - start)
        searches = [await measure(gallery, matrix, count, rounds, fixed) for count in PROBES]
        share = await together(gallery, width, max(1, rounds // 4))
        enrollments, enrollment_ms = await enrolled(gallery, width)
        return Measured(
            searches,
            (
                f"{share:.2f}",
                f"{pace:,.0f}",
                f"{enrollments:,.0f}",
                f"{enrollment_ms:.1f}",
            ),
        )


def proportional_mib(folder: Path, dimension: int, searches: int, processes: int) -> list[float]:
    """Returns the proportional set size, MiB, of each of some processes that have the gallery open."""
    command = [sys.executable, "-c", READER, str(folder), str(dimension), str(searches)]
    readers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(processes)
    ]
    try:
        sizes = []
        for reader in readers:
            assert reader.stdout is not None
            if reader.stdout.readline() != "ready\n":
                raise RuntimeError("a reader did not start")
        for reader in readers:
            lines = Path(f"/proc/{reader.pid}/smaps_rollup").read_text().splitlines()
            (kib,) = (int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            sizes.append(kib / 1024)
        return sizes
    finally:
        for reader in readers:
            reader.communicate()


def main(
    largest: Annotated[int, typer.Option(help="Most templates in a gallery.")] = 100_000,
    dimension: Annotated[list[int], typer.Option(help="Length of an embedding.")] = [128, 512],  # noqa: B006  # typer reads it only
    rounds: Annotated[int, typer.Option(help="Searches timed for each row.")] = 40,
) -> None:
    """Measures and prints."""
    console = Console(width=110)
    speed = Table(title="exact search, ms of processor time")
    fixed: dict[tuple[int, int], float] = {}
    columns = ("search", "fixed", "dot", "÷ dot", "marginal ÷ dot", "÷ shared", "÷ top")
    for name in ("templates", "probes", *columns):
        speed.add_column(name, justify="right")
    other = Table(title="callers at once, writing, proportional set sizes in MiB")
    for name in (
        "templates",
        "together",
        "import/s",
        "enroll/s",
        "ms each",
        "the vectors",
        "not searched",
        *(f"{count} of {count}" if count == 1 else f"each of {count}" for count in READERS),
    ):
        other.add_column(name, justify="right")
    sizes = [size for size in SIZES if size < largest] + [largest]
    with Progress(console=Console(stderr=True)) as progress:
        for width in dimension:
            for size in sizes:
                task = progress.add_task(f"{size:,} × {width}", total=size)
                matrix = unit_rows(size, width, seed=0)
                mib = matrix.nbytes / 2**20
                with tempfile.TemporaryDirectory() as name:
                    folder = Path(name)
                    measured = asyncio.run(
                        in_gallery(folder, matrix, rounds, fixed, partial(progress.advance, task))
                    )
                    del matrix
                    for row in measured.searches:
                        speed.add_row(*row)
                    idle = proportional_mib(folder, width, 0, 1)
                    busy = [proportional_mib(folder, width, 1, count) for count in READERS]
                    other.add_row(
                        f"{size:,} × {width}",
                        *measured.writing,
                        f"{mib:.1f}",
                        *(f"{np.mean(one):.1f}" for one in (idle, *busy)),
                    )
    console.print(speed)
    console.print(other)
    console.print(f"an empty step in a thread: {asyncio.run(hop_us()):.0f} µs of processor time")
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    typer.run(main)
