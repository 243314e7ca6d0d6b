"""Exact search in the gallery, compared with one matrix in memory; and the memory of the reading processes.

    python -m bench.gallery_search [--largest 100000] [--dimension 128] [--dimension 512]

Prints, for each number of templates (one an identity) and of probes: median and 90th percentile
of a search (awaited, entering a thread included), of `np.dot` on one matrix in memory with the same probes, and their ratio; both take turns
in one process, on one BLAS thread. "top" is `np.dot` with the five best of each probe
picked out, which is what a search returns. Then the memory of three processes that searched
the same gallery: proportional set sizes, to which each process' share of the map counts.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Annotated

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
    ExportedTemplate,
    GalleryRecord,
    IdentityInfo,
    TemplateInfo,
)
from facewire_server.types import Quality

CONTRACT = "0" * 64
SIZES = (1_000, 10_000, 100_000, 1_000_000)
PROBES = (1, 8)
BEST = 5
READERS = 3

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
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


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
    """Returns the milliseconds of each call in each round; the calls take turns."""
    times = np.empty((len(calls), rounds))
    for turn in range(-2, rounds):  # two rounds to warm up, which later ones overwrite
        for number, call in enumerate(calls):
            start = time.perf_counter()
            await call()
            times[number, turn] = 1e3 * (time.perf_counter() - start)
    return list(times)


async def dot(matrix: NDArray[np.float32], columns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the similarity of every row to every probe."""
    products: NDArray[np.float32] = np.dot(matrix, columns)
    return products


async def top(matrix: NDArray[np.float32], probes: NDArray[np.float32]) -> NDArray[np.intp]:
    """Returns the rows most similar to each probe."""
    scores = np.ascontiguousarray(np.dot(matrix, probes.T).T)
    return np.argpartition(scores, -BEST, axis=1)[:, -BEST:]


async def measure(
    gallery: LmdbGallery, matrix: NDArray[np.float32], count: int, rounds: int
) -> tuple[str, ...]:
    """A row of the table."""
    count_rows = len(matrix)
    probes = unit_rows(count, matrix.shape[1], seed=1)
    columns = np.ascontiguousarray(probes.T)
    search, product, best = await timed(
        (
            lambda: gallery.search(DEFAULT_GALLERY_ID, probes, BEST),
            lambda: dot(matrix, columns),
            lambda: top(matrix, probes),
        ),
        rounds,
    )
    (p50, p90), (dot50, dot90) = (np.percentile(one, (50, 90)) for one in (search, product))
    return (
        f"{count_rows:,} × {matrix.shape[1]}",
        f"{count}",
        f"{p50:.2f}",
        f"{p90:.2f}",
        f"{dot50:.2f}",
        f"{dot90:.2f}",
        f"{p50 / dot50:.2f}",
        f"{p50 / np.median(best):.2f}",
    )


async def in_gallery(
    folder: Path, matrix: NDArray[np.float32], rounds: int, advance: Callable[[], None]
) -> tuple[list[tuple[str, ...]], float]:
    """Returns the rows of the table for one gallery, and the templates imported a second."""
    gallery = LmdbGallery(
        folder,
        vector_search=ExactSearch(),
        model_contract_id=CONTRACT,
        dimension=matrix.shape[1],
    )
    with closing(gallery):
        start = time.perf_counter()
        await gallery.import_records(DEFAULT_GALLERY_ID, CONTRACT, as_records(matrix, advance))
        pace = len(matrix) / (time.perf_counter() - start)
        return [await measure(gallery, matrix, count, rounds) for count in PROBES], pace


def proportional_mib(folder: Path, dimension: int, searches: int) -> list[float]:
    """Returns the proportional set size, MiB, of each of several processes that have the gallery open."""
    command = [sys.executable, "-c", READER, str(folder), str(dimension), str(searches)]
    readers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(READERS)
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
    speed = Table(title="exact search, ms")
    for name in ("templates", "probes", "p50", "p90", "dot p50", "dot p90", "÷ dot", "÷ top"):
        speed.add_column(name, justify="right")
    memory = Table(title=f"proportional set size of {READERS} processes, MiB")
    for name in (
        "templates",
        "the vectors",
        "before a search, each",
        "after one, each",
        "import/s",
    ):
        memory.add_column(name, justify="right")
    sizes = [size for size in SIZES if size < largest] + [largest]
    with Progress(console=Console(stderr=True)) as progress:
        for width in dimension:
            for size in sizes:
                task = progress.add_task(f"{size:,} × {width}", total=size)
                matrix = unit_rows(size, width, seed=0)
                with tempfile.TemporaryDirectory() as name:
                    folder = Path(name)
                    rows, pace = asyncio.run(
                        in_gallery(folder, matrix, rounds, partial(progress.advance, task))
                    )
                    for row in rows:
                        speed.add_row(*row)
                    idle, busy = (np.mean(proportional_mib(folder, width, n)) for n in (0, 1))
                    memory.add_row(
                        f"{size:,} × {width}",
                        f"{matrix.nbytes / 2**20:.1f}",
                        f"{idle:.1f}",
                        f"{busy:.1f}",
                        f"{pace:,.0f}",
                    )
    console.print(speed)
    console.print(memory)
    console.print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    typer.run(main)
