"""How many streams the processes of one server have, each of its own and of the others."""

from typing import Protocol

__all__ = ["Alone", "Loads"]


class Loads(Protocol):
    """The streams of all workers, as one of them sees them."""

    def publish(self, stream_count: int) -> None:
        """Shows the others how many streams this worker has."""
        ...

    @property
    def elsewhere(self) -> int:
        """Streams of all other workers, those that are about to end included."""
        ...

    @property
    def least_elsewhere(self) -> int | None:
        """Streams of the other worker that takes calls and has fewest; None if there is none."""
        ...


class Alone(Loads):
    """Of a server of one process."""

    elsewhere = 0
    least_elsewhere = None

    def publish(self, stream_count: int) -> None:
        """Shows it to no other."""
