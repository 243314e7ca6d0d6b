"""When a stream is opened again, after its server or its connection was lost."""

import random
from collections.abc import Callable
from typing import TypeAlias

from facewire._values.enums import ErrorReason
from facewire._values.errors import FacewireError, ReconnectError

__all__ = ["OnReopen", "Reopening", "lacked_frames"]

OnReopen: TypeAlias = Callable[[FacewireError, float], object]

_FIRST_BACKOFF_S = 1.0
"""Longest pause before a new stream, seconds. Chosen, not measured: a server restarts within seconds."""

_LONGEST_BACKOFF_S = 30.0
"""Longest pause, seconds. Chosen, not measured: the longest delay until a returned server is noticed."""


class Reopening:
    """Pauses that double until a result comes, of which a random part is waited, at least a quarter.

    Before its first call is open, a stream is opened again only if a facewire server has said that it has no place
    now: an address at which no server responds may be wrong, and is reported at once.

    Attributes:
        count: how often the stream was opened again.
    """

    def __init__(self, *, is_wanted: bool, note: OnReopen | None) -> None:
        self.count = 0
        self._is_wanted = is_wanted
        self._note = note
        self._was_open = False
        self._backoff_s = _FIRST_BACKOFF_S

    def opened(self) -> None:
        """Counts a call that is open."""
        self.count += self._was_open
        self._was_open = True

    def progressed(self) -> None:
        """Begins with short pauses again: a result has come."""
        self._backoff_s = _FIRST_BACKOFF_S

    def goes_on(self, error: FacewireError) -> bool:
        """Returns whether a new call may follow an error."""
        is_place_lacking = error.reason is not ErrorReason.UNSPECIFIED
        return self._is_wanted and error.retryable and (self._was_open or is_place_lacking)

    def pause_s(self, error: FacewireError) -> float:
        """Returns the pause before a new call, seconds, and reports it."""
        pause_s = error.retry_after_s or 0.0
        is_chosen = (
            isinstance(error, ReconnectError) and pause_s > 0
        )  # by the server, for this stream
        if not is_chosen:
            pause_s += self._backoff_s * random.uniform(0.25, 1.0)
            self._backoff_s = min(2 * self._backoff_s, _LONGEST_BACKOFF_S)
        if self._note is not None:
            self._note(error, pause_s)
        return pause_s


def lacked_frames(error: FacewireError) -> bool:
    """Whether the server ended the stream because it had no frame for long: a new one is opened with the next frame."""
    idle = isinstance(error, ReconnectError) and error.reason is ErrorReason.TOO_MANY_STREAMS
    return idle or error.reason is ErrorReason.TIMED_OUT
