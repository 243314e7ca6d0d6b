"""What clients have had of the work in streams that ended, so that a client with a stream for each frame waits its turn."""

from typing import Final

__all__ = ["Debts"]

_MOST_CLIENTS: Final = 1024
"""Clients that are remembered; beyond, the one whose streams ended first is forgotten. Chosen, not measured: about as many as
there may be connections by default."""


class Debts:
    """By client: the virtual time at which its latest ended streams would have had their next turn, seconds."""

    def __init__(self) -> None:
        self._virtual_s: dict[str, float] = {}

    def of(self, client: str) -> float:
        """Returns the virtual time before which the client's next stream has no turn; 0 if any."""
        return self._virtual_s.get(client, 0.0)

    def leave(self, client: str, virtual_s: float, *, now_s: float) -> None:
        """Remembers what an ended stream has had, if it is more than all have had (`now_s`)."""
        virtual_s = max(virtual_s, self._virtual_s.pop(client, 0.0))
        if virtual_s <= now_s:
            return
        self._virtual_s[client] = virtual_s
        if len(self._virtual_s) > _MOST_CLIENTS:
            del self._virtual_s[next(iter(self._virtual_s))]
