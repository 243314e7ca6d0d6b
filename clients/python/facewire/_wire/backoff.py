"""Pauses before the attempts to reach what was lost: a server by a stream, a feed by its client, a camera by its reader."""

import random

__all__ = ["Backoff"]

_FIRST_S = 1.0
"""Longest pause before the first attempt, seconds. Chosen, not measured: a server restarts within seconds, a camera at once."""

_LONGEST_S = 30.0
"""Longest pause, seconds. Chosen, not measured: the longest delay until a returned server or camera is noticed."""


class Backoff:
    """Pauses that double until something comes, of which a random part is waited, at least half.

    The random part is what keeps the clients of a server that returns from coming at the same moment.
    """

    def __init__(self) -> None:
        self._bound_s = _FIRST_S

    def next_s(self) -> float:
        """Returns the pause before the next attempt, seconds."""
        pause_s = self._bound_s * random.uniform(0.5, 1.0)
        self._bound_s = min(2 * self._bound_s, _LONGEST_S)
        return pause_s

    def reset(self) -> None:
        """Begins with short pauses again. Not when something was opened: some open, and send nothing."""
        self._bound_s = _FIRST_S
