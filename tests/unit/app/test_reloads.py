"""A line about a reload that cannot be kept is an event, and holds nothing up."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import pytest

from facewire_server.access.audit_lines import AuditLineError
from facewire_server.app import reloads
from facewire_server.events import AuditFailed, Event


class Trail:
    """Keeps a line by doing something."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def keep(self, fields: Mapping[str, Any]) -> None:
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()  # a disk that hangs


@pytest.mark.parametrize(
    ("error", "kind"),
    [(OSError("full"), OSError), (AuditLineError("no line"), AuditLineError), (None, TimeoutError)],
)
async def test_a_line_that_cannot_be_kept_is_an_event(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None, kind: type[Exception]
) -> None:
    monkeypatch.setattr(reloads, "_KEEP_S", 0.01)
    events: list[Event] = []
    await reloads.Reloads(cast(Any, None), Trail(error), events.append).keep({"complete": True})
    (event,) = events
    assert isinstance(event, AuditFailed)
    assert event.error is kind
