"""A process of its own on a gallery: reads calls as JSON lines, answers each with one."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.galleries.records import (
    EnrollmentResult,
    IdentityInfo,
    NewIdentity,
    NewNegativeExample,
)
from facewire_server.types import Quality

DIMENSION = 128
CONTRACT = "c" * 64


def vector(number: int) -> np.ndarray:
    """(1, 128) float32: the unit vector that belongs to a number."""
    row = np.random.default_rng(number).standard_normal((1, DIMENSION)).astype(np.float32)
    return row / np.linalg.norm(row)


def negative_example_id(number: int) -> str:
    """Returns the id of the negative example that belongs to a number."""
    return f"{1_000_000 + number:032x}"


class Worker:
    """What the test may ask for."""

    def __init__(self, folder: str, map_bytes: int) -> None:
        self.gallery = LmdbGallery(
            Path(folder),
            vector_search=ExactSearch(),
            model_contract_id=CONTRACT,
            dimension=DIMENSION,
            map_bytes=map_bytes,
        )
        self._exports = AsyncExitStack()

    async def enroll(self, number: int) -> int:
        result = EnrollmentResult(f"{number:032x}")
        identity = NewIdentity(f"{number}", create=True)
        return (await self.gallery.enroll("default", identity, [result], vector(number))).revision

    async def enroll_range(self, first: int, last: int) -> int:
        for number in range(first, last):
            await self.enroll(number)
        return (await self.gallery.get_gallery("default")).revision

    async def enroll_many(self, number: int, templates: int) -> int:
        """One identity with many templates."""
        results = [EnrollmentResult(f"{number * 1000 + one:032x}") for one in range(templates)]
        identity = NewIdentity(f"{number}", create=True)
        rows = np.repeat(vector(number), templates, axis=0)
        return (await self.gallery.enroll("default", identity, results, rows)).revision

    async def add_negative_example(self, number: int) -> int:
        """A face that is not the identity; `negative_example_id` is its id."""
        example = NewNegativeExample(
            negative_example_id(number), f"{number}", Quality(1, 2, 3), 0.9, (0, 0, 9, 9)
        )
        row = vector(1_000_000 + number)[0]
        return (await self.gallery.add_negative_example("default", example, row)).revision

    async def enroll_forever(self, first: int) -> None:
        number = first
        while True:
            await self.enroll(number)
            print(json.dumps(number), flush=True)
            number += 1

    async def search(self, number: int) -> list:
        result = await self.gallery.search("default", vector(number), 1)
        best = [[one.identity_id, round(one.similarity, 4)] for one in result.candidates[0]]
        return [result.revision, best]

    async def search_until(self, template_count: int) -> int:
        """Searches without a pause until the gallery has this many templates; returns how often."""
        searches = 0
        while (await self.gallery.get_gallery("default")).template_count < template_count:
            await self.search(searches)
            searches += 1
        return searches

    async def delete(self, number: int) -> int:
        return (await self.gallery.delete_identity("default", f"{number}"))[1]

    async def counts(self) -> list[int]:
        info = await self.gallery.get_gallery("default")
        return [info.identity_count, info.template_count]

    async def start_export(self) -> str:
        _, records = await self._exports.enter_async_context(self.gallery.export_records("default"))
        first = await anext(records)
        assert isinstance(first, IdentityInfo)
        return first.identity_id


async def main() -> None:
    worker = Worker(sys.argv[1], int(sys.argv[2]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:  # blocks the loop, in which nothing else happens
        name, *arguments = json.loads(line)
        print(json.dumps(await getattr(worker, name)(*arguments)), flush=True)
    worker.gallery.close()


if __name__ == "__main__":
    asyncio.run(main())
