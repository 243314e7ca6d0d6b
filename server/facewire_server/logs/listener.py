"""Logs events through one logger, at a bounded rate."""

import logging
from collections.abc import Mapping
from typing import Any, Final

from facewire_server.events import Event, LoopLag, Stopped
from facewire_server.logs.entries import ENTRIES, entry_of
from facewire_server.logs.rate_limit import RateLimit

__all__ = ["LIBRARY_MESSAGE", "LOOP_LAG_S", "LogListener"]

LIBRARY_MESSAGE: Final = "library_message"
"""Name of the entry for what a library logs by Python's `logging`."""

LOOP_LAG_S: Final = 0.5
"""Seconds of lag of the event loop from which on it is logged. Chosen, not measured: a camera notices it,
and a machine that is merely busy stays below."""

_log = logging.getLogger("facewire_server.events")


class LogListener:
    """An `Emit` that logs."""

    def __init__(self, limit: RateLimit) -> None:
        """Logs at most what `limit` admits; other listeners may share it."""
        self._limit = limit

    def __call__(self, event: Event) -> None:
        """Logs the event, if its class is logged and the limit admits it."""
        kind = ENTRIES.get(type(event))
        if kind is None:
            return
        # `LoopLag` is emitted twice a second, so summaries need no timer.
        if isinstance(event, (LoopLag, Stopped)):
            self._summarize(all_now=isinstance(event, Stopped))
        if isinstance(event, LoopLag) and event.lag_s < LOOP_LAG_S:
            return
        entry = entry_of(event)
        if not kind.is_limited or self._limit.admits(entry.name):
            _write(entry.level, entry.name, entry.fields, entry.shown)

    def _summarize(self, *, all_now: bool) -> None:
        for name, count in self._limit.take_suppressed(all_now=all_now):
            fields = {"suppressed_event": name, "count": count}
            _write(logging.WARNING, "suppressed", fields, fields)


def _write(level: int, name: str, fields: Mapping[str, Any], shown: Mapping[str, Any]) -> None:
    _log.log(level, name, extra={"fields": fields, "shown": shown})
