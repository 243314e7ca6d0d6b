"""A process of its own on a journal and its gallery: reads calls as JSON lines, answers each with one."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.errors import ServerError
from facewire_server.events import Event
from facewire_server.streams.journal import JournaledStream
from fakes.journals import open_in
from fakes.tracks import known, track_event


def fail_on(event: Event) -> None:
    raise AssertionError(event)


class Worker:
    """What the test may ask for."""

    def __init__(self, folder: Path) -> None:
        self.gallery = LmdbGallery(
            folder / "gallery",
            vector_search=ExactSearch(),
            model_contract_id="c" * 64,
            dimension=128,
        )
        self.journal, replaced = open_in(folder / "journal", self.gallery, fail_on)
        assert replaced is None
        self.streams: dict[str, JournaledStream] = {}

    def close(self) -> None:
        self.journal.close()
        self.gallery.close()

    async def open(self, camera_id: str, token: str = "") -> list[Any]:
        stream = await self.journal.open_stream(camera_id, "default", bytes.fromhex(token))
        self.streams[camera_id] = stream
        tracks = [[one.event.track_id, list(one.numbers)] for one in stream.tracks]
        return [stream.token.hex(), stream.after_sequence, tracks]

    async def record(self, camera_id: str, track_id: int, person: str = "") -> int:
        event = track_event(track_id, known(person) if person else None, camera_id=camera_id)
        (recorded,) = await self.streams[camera_id].record([event])
        return recorded.event_id

    async def record_many(self, camera_id: str, count: int) -> list[int]:
        return [await self.record(camera_id, self.journal.new_track_id()) for _ in range(count)]

    async def track_ids(self, count: int) -> list[int]:
        found = []
        for number in range(count):
            found.append(self.journal.new_track_id())
            if number % 1000 == 0:
                await self.journal.maintain()
        return found

    async def save(self, camera_id: str, track_id: int, numbers: list[float]) -> None:
        await self.streams[camera_id].save({track_id: numbers})

    async def account(self, camera_id: str, sequence: int) -> str:
        try:
            self.streams[camera_id].account(sequence)
        except ServerError as error:
            return type(error).__name__
        return ""

    async def account_forever(self, camera_id: str) -> None:
        """Says each sequence after it was accounted for, as a server sends the result then."""
        sequence = 0
        while True:
            sequence += 1
            self.streams[camera_id].account(sequence)
            print(json.dumps(sequence), flush=True)

    async def record_forever(self, camera_id: str) -> None:
        while True:
            print(json.dumps(await self.record(camera_id, 1)), flush=True)

    async def maintain(self) -> None:
        await self.journal.maintain()

    async def delete(self, person: str) -> None:
        await self.gallery.delete_identity("default", person)


async def main() -> None:
    worker = Worker(Path(sys.argv[1]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:  # blocks the loop, in which nothing else happens
        name, *arguments = json.loads(line)
        print(json.dumps(await getattr(worker, name)(*arguments)), flush=True)
    worker.close()


if __name__ == "__main__":
    asyncio.run(main())
