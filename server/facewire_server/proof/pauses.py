"""Pauses between calls to a replica that is not available, or full of other callers' calls: each twice as long as the one before."""

import asyncio
from typing import Final

__all__ = ["Pauses"]

_FIRST_S: Final = 0.02
_LONGEST_S: Final = 0.5
"""Seconds of the first pause, and most of any. Chosen, not measured."""


class Pauses:
    """The pauses of one call."""

    def __init__(self) -> None:
        self._next_s = _FIRST_S

    @property
    def are_long(self) -> bool:
        """Whether the call has paused for 0.6 s, in five pauses."""
        return self._next_s >= _LONGEST_S

    async def pause(self) -> None:
        """Waits for the next pause."""
        await asyncio.sleep(self._next_s)
        self._next_s = min(2 * self._next_s, _LONGEST_S)
