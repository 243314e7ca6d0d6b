"""A server whose log drops every event: the baseline of `bench.metrics_overhead`."""

import sys

from facewire_server.__main__ import main
from facewire_server.events import Event
from facewire_server.logs.listener import LogListener

__all__: list[str] = []


def _drop(listener: LogListener, event: Event) -> None:
    """Stands in for `LogListener.__call__`."""


if __name__ == "__main__":
    setattr(LogListener, "__call__", _drop)  # noqa: B010 - mypy refuses to assign a method
    sys.exit(main())
