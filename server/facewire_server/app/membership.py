"""What a server owes to its parent if it is one of several workers."""

from typing import Protocol

from facewire_server.host.signals import Signals
from facewire_server.streams.loads import Loads

__all__ = ["Membership"]


class Membership(Protocol):
    """The parent, as a worker sees it."""

    @property
    def loads(self) -> Loads:
        """The streams of all workers."""
        ...

    def obey(self, signals: Signals) -> None:
        """Sets these signals by the parent's orders from now on; to be called in the event loop."""
        ...

    def serves(self) -> None:
        """Says that this worker takes calls."""
        ...
