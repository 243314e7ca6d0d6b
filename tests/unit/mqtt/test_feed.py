"""The feed of a bridge: each gap is said once, with the event that follows it."""

import asyncio

import facewire
from facewire._mqtt.feed import EventFeed
from facewire.v1 import recognition_pb2
from fakes.server import TRACKED, FakeServer
from fakes.track_journal import FakeJournal
from harness.model_servers import free_port


def happens(journal: FakeJournal) -> int:
    event = recognition_pb2.TrackEvent(camera_id="door", track_id=7, state="TRACK_STATE_ENDED")
    return journal.record(event).event_id


async def test_every_gap_is_said_with_the_event_after_it() -> None:
    journal, port = FakeJournal(), free_port()
    happened, found = [], []
    async with facewire.AsyncClient(f"127.0.0.1:{port}") as client, asyncio.timeout(60):
        feed = EventFeed(client, cameras=(), after_event=1, report=lambda *_: None)
        reading = asyncio.create_task(feed.read())
        for is_gap in (False, True, True):
            if is_gap:
                journal.lost_before = happens(journal)
                journal.events.pop()
            happened += [(happens(journal), is_gap), (happens(journal), False)]
            with FakeServer(features=TRACKED, port=port, journal=journal):
                found += [await feed.next(), await feed.next()]
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert [(event.event_id, is_after_loss) for event, is_after_loss in found] == happened
