"""What a served model is to the server: replicas, each of which takes calls at one address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable

__all__ = ["Answer", "Declined", "ServedModel", "ServedReplica"]


class Declined(ModelUnavailable):
    """The replica has not begun the call, since it has no thread or no place in a queue for it.

    Attributes:
        is_limit: the replica said that a limit is reached; else only that it is not available.
        was_alone: no other call to the replica was in flight here.
    """

    def __init__(self, message: str, *, is_limit: bool) -> None:
        super().__init__(message)
        self.is_limit = is_limit
        self.was_alone = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The outputs of one prediction, and the version that made them."""

    version: int
    outputs: dict[str, NDArray]


class ServedReplica(Protocol):
    """A model in another process, at one address."""

    @property
    def address(self) -> str:
        """IP address and port, for the log."""
        ...

    @property
    def connection(self) -> int:
        """Changes whenever the connection is lost."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether a connection is open now."""
        ...

    async def answer(self, inputs: Mapping[str, NDArray], timeout_s: float | None) -> Answer:
        """Runs the model once.

        Args:
            inputs: by name.
            timeout_s: how long to wait; None = no limit.

        Raises:
            Declined: it is overloaded.
            ModelUnavailable: it does not answer, or returns no outputs of the signature.
            TimedOut: it has not answered in time.
        """
        ...

    async def check(self) -> None:
        """Checks that a version is loaded and has the expected signature.

        Raises:
            Declined: it is overloaded.
            ModelUnavailable: no version passes the check; the text says what was expected and found.
            TimedOut: it has not answered in time.
        """
        ...


class ServedModel(Protocol):
    """A model in other processes."""

    @property
    def name(self) -> str:
        """The row of the table of servables, for messages."""
        ...

    async def replicas(self) -> Sequence[ServedReplica]:
        """Returns the replicas that there are now, looking up the addresses of names; raises nothing.

        A replica that was there before is the same object.
        """
        ...
