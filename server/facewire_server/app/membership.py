"""What a server owes to its parent if it is one of several workers."""

from collections.abc import Callable
from typing import Protocol

from facewire_server.host.signals import Signals
from facewire_server.streams.loads import Loads

__all__ = ["Membership", "SharedHealth"]


class SharedHealth(Protocol):
    """What each worker of a server serves, as one of them sees it."""

    def publish_health(self, services: int) -> None:
        """Shows the others which services this worker serves, a bit each."""
        ...

    def health_elsewhere(self, all_services: int) -> int:
        """Returns the services that every other worker serves which takes calls; to be called each second."""
        ...


class Membership(Protocol):
    """The parent, as a worker sees it."""

    @property
    def loads(self) -> Loads:
        """The streams of all workers."""
        ...

    @property
    def health(self) -> SharedHealth:
        """What all workers serve."""
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

    def leaves(self) -> None:
        """Sends the last metrics of this worker, in a thread other than the event loop's."""
        ...
