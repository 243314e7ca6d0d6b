"""What parent and worker say to each other: one JSON string a line, over a pair of sockets."""

from typing import Final

__all__ = ["METRICS", "RELOAD", "SERVES", "STOP", "STOP_AT_ONCE", "WORK"]

WORK: Final = "work"
"""The command that is a worker. Its arguments: file descriptor of the table, number of slots, own slot, file descriptor of its socket."""

STOP: Final = "stop"
"""To a worker: serve on for `lame_duck_s`, then drain."""

STOP_AT_ONCE: Final = "stop_at_once"
"""To a worker: drain now."""

RELOAD: Final = "reload"
"""To a worker: read tokens and certificates again."""

METRICS: Final = "metrics"
"""To a worker: send the metrics. To the parent, before a space and the text of the metrics: here they are."""

SERVES: Final = "serves"
"""To the parent: the worker takes calls."""
