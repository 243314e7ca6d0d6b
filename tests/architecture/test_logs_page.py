"""docs/logs.md lists the entries of the log: these, and no others, with these fields."""

import logging
import re
from pathlib import Path
from typing import NamedTuple, get_args

import pytest

from facewire_server.events import GalleryAction
from facewire_server.logs.entries import ENTRIES, entry_of
from facewire_server.logs.formatters import JsonLines, Text
from facewire_server.logs.listener import LIBRARY_MESSAGE, LOOP_LAG_S
from facewire_server.logs.rate_limit import _BURST, _REFILL_S
from fakes.events import SAMPLES, stream_ended

# Written by the log itself, of no event.
OTHERS = {
    "suppressed": ["suppressed_event", "count"],
    LIBRARY_MESSAGE: ["logger", "message", "stack"],
}


class Row(NamedTuple):
    levels: set[str]
    fields: list[str]


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "logs.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def rows(page: str) -> dict[str, Row]:
    table = re.findall(r"^\| `(\w+)` \| ([^|]*) \| ([^|]*)\|", page, re.MULTILINE)
    return {
        event: Row(
            set(levels.split(", ")),
            re.findall(r"`(\w+)`", fields),
        )
        for event, levels, fields in table
    }


def test_the_page_has_every_entry_with_its_fields(rows: dict[str, Row]) -> None:
    fields = {(entry := entry_of(sample)).name: list(entry.fields) for sample in SAMPLES}
    assert {event: row.fields for event, row in rows.items()} == fields | OTHERS


def test_the_page_has_every_level(rows: dict[str, Row]) -> None:
    levels: dict[str, set[str]] = {}
    for sample in SAMPLES:
        entry = entry_of(sample)
        levels.setdefault(entry.name, set()).add(logging.getLevelName(entry.level).lower())
    assert {event: row.levels for event, row in rows.items() if event not in OTHERS} == levels


def test_the_page_names_the_actions_and_what_is_limited(page: str) -> None:
    changed = page.partition("## Who changed a gallery")[2].partition("##")[0]
    assert set(get_args(GalleryAction)) <= set(re.findall(r"`(\w+)`", changed))
    floods = page.partition("## Floods")[2].partition("##")[0]
    names = {entry_of(each).name for each in SAMPLES if ENTRIES[type(each)].is_limited}
    assert set(re.findall(r"`(\w+)`", floods)) == names | {LIBRARY_MESSAGE, "suppressed"}
    assert (_BURST, _REFILL_S, LOOP_LAG_S) == (100, 10.0, 0.5), "the page says so in words"


def test_the_page_shows_lines_as_they_are(page: str) -> None:
    counts = {"recognized": 871, "failed": 0, "skipped": 12, "searched": 81, "tracks": 4}
    event = stream_ended(peer="ipv4:10.0.0.7:44060", duration_s=36.2, median_s=0.041, **counts)
    entry = entry_of(event)
    record = logging.makeLogRecord(
        {
            "msg": entry.name,
            "levelname": "INFO",
            "created": 1795695667.666,
            "fields": entry.fields,
            "shown": entry.shown,
        }
    )
    assert f"\n{JsonLines().format(record)}\n" in page
    text = Text().format(record)
    assert text.partition(" ")[2] in page, "but for the time of day, which is local"
