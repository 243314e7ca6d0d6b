"""What a server owes to its parent if it is one of several workers."""

from collections.abc import Callable
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

    def obey(self, signals: Signals, metrics: Callable[[], str]) -> None:
        """Follows the parent's orders from now on; to be called in the event loop.

        Args:
            signals: are set by orders.
            metrics: returns the text of this process's metrics, in another thread; raises TimeoutError.
        """
        ...

    def serves(self) -> None:
        """Says that this worker takes calls."""
        ...
