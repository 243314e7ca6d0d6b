"""What the log says of each event."""

import logging
from typing import get_args

import pytest

from facewire_server.errors import SlowReader
from facewire_server.events import (
    Event,
    GalleryChanged,
    ModelStateChanged,
    StreamEnded,
    StreamOpened,
    TokenRefused,
)
from facewire_server.logs.entries import ENTRIES, entry_of
from fakes.events import PEER, SAMPLES, stream_ended

FOR_METRICS = {
    "PictureFinished",
    "FrameRead",
    "FrameAccounted",
    "FrameLookedAt",
    "FramesSkipped",
    "TrackChanged",
}
CALLERS = {
    "TokenRefused",
    "CallRefused",
    "TlsFailed",
    "StreamOpened",
    "StreamRefused",
    "StreamEnded",
}


def test_every_event_is_logged_but_those_of_each_frame() -> None:
    silent = {kind.__name__ for kind in set(get_args(Event)) - set(ENTRIES)}
    assert silent <= FOR_METRICS
    assert {type(sample) for sample in SAMPLES} == set(ENTRIES), "each needs a sample"


def test_entries_of_one_name_have_the_same_fields() -> None:
    fields: dict[str, set[str]] = {}
    for sample in SAMPLES:
        entry = entry_of(sample)
        assert fields.setdefault(entry.name, set(entry.fields)) == set(entry.fields)
        assert not {"time", "level", "event"} & set(entry.fields), "the formatter's own"


def test_what_a_client_can_cause_is_limited_and_what_it_changed_is_not() -> None:
    limited = {kind.__name__ for kind, how in ENTRIES.items() if how.is_limited}
    assert limited >= CALLERS
    assert not limited & {"GalleryChanged", "GalleryExported"}


@pytest.mark.parametrize(
    ("event", "level", "reason"),
    [
        (stream_ended(), logging.INFO, "closed"),
        (stream_ended(is_drained=True), logging.INFO, "drained"),
        (stream_ended(error=SlowReader), logging.WARNING, "SlowReader"),
    ],
)
def test_a_stream_ends_for_a_reason(event: StreamEnded, level: int, reason: str) -> None:
    entry = entry_of(event)
    assert (entry.level, entry.fields["reason"]) == (level, reason)
    assert (entry.name, entry.fields["duration_s"]) == ("stream_ended", 12.346)


@pytest.mark.parametrize(
    ("peer", "shown"),
    [
        ("ipv4:10.0.0.7:4433", "10.0.0.7:4433"),
        (PEER, "[::1]:4433"),
        ("unix:/run/facewire.sock", "unix:/run/facewire.sock"),
    ],
)
def test_an_address_is_shown_as_people_write_it(peer: str, shown: str) -> None:
    assert entry_of(TokenRefused(peer)).fields == {"peer": shown}
    assert entry_of(StreamOpened("", peer)).fields["peer"] == shown


def test_a_change_says_who_what_how_much_and_to_which_revision() -> None:
    assert entry_of(GalleryChanged("import", "staff", PEER, 2, 30, 9, False)).fields == {
        "action": "import",
        "gallery_id": "staff",
        "peer": "[::1]:4433",
        "identity_count": 2,
        "template_count": 30,
        "revision": 9,
        "is_complete": False,
        "poor_count": 0,
        "negative_example_count": 0,
    }


def test_an_import_of_poor_templates_is_a_warning() -> None:
    entry = entry_of(GalleryChanged("import", "staff", PEER, 2, 30, 9, True, 7))
    assert (entry.level, entry.fields["poor_count"]) == (logging.WARNING, 7)
    assert entry_of(GalleryChanged("import", "staff", PEER, 2, 30, 9)).level == logging.INFO


def test_a_model_with_one_refused_version_is_a_warning() -> None:
    assert entry_of(ModelStateChanged("m", True, (1,), "")).level == logging.INFO
    assert entry_of(ModelStateChanged("m", True, (1,), "version 2: wrong")).level == logging.WARNING


def test_a_person_sees_the_settings_that_were_changed() -> None:
    entry = entry_of(SAMPLES[0])
    assert entry.shown["settings"] == {"FACEWIRE_DATA": "my data"}
    assert len(entry.fields["settings"]) == 2
