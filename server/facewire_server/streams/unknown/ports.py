"""The ports of the unknown people: what a camera calls, what a request calls, and the store behind both."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from facewire_server.streams.unknown.values import UnknownPerson, UnknownVisit

__all__ = ["UnknownPeople", "UnknownStore", "UnknownVisits"]


class UnknownVisits(Protocol):
    """The call of a camera.

    Attributes:
        are_kept: whether the operator allows unknown visits to be kept.
    """

    are_kept: bool

    def saw(self, visit: UnknownVisit) -> None:
        """Takes a visit that ended, or has been broken off; does not wait, and raises nothing."""
        ...


class UnknownPeople(Protocol):
    """The calls of requests.

    All but `forget_gallery` and `forget_enrolled` raise UnknownPeopleNotKept if the operator does not allow unknown visits to be kept,
    and StorageBusy if their files cannot be used now.
    """

    async def of_gallery(self, gallery_id: str) -> Sequence[UnknownPerson]:
        """Returns the unknown people of a gallery in order of their ids, with the data of their pictures left out."""
        ...

    async def person(self, gallery_id: str, unknown_id: int) -> UnknownPerson:
        """Returns a person with their pictures; raises UnknownPersonNotFound."""
        ...

    async def forget(self, gallery_id: str, unknown_id: int) -> None:
        """Erases a person; raises UnknownPersonNotFound."""
        ...

    async def forget_all(self, gallery_id: str) -> int:
        """Erases all unknown people of a gallery; returns how many."""
        ...

    async def forget_gallery(self, gallery_id: str) -> None:
        """Erases all unknown people of a gallery that is deleted. Raises nothing."""
        ...

    async def forget_enrolled(self) -> None:
        """Erases the people whom their gallery knows by now; before it forgets one of them. Raises nothing."""
        ...


class UnknownStore(Protocol):
    """Where unknown people are kept, shared by the processes of a server.

    All methods block, and raise OSError if the files cannot be used.
    """

    def people(self) -> Sequence[UnknownPerson]:
        """Returns all people in order of their ids, with the data of their pictures left out."""
        ...

    def person(self, unknown_id: int) -> UnknownPerson | None:
        """Returns a person with their pictures."""
        ...

    def add(
        self,
        visit: UnknownVisit,
        person_of: Callable[[UnknownVisit, Sequence[UnknownPerson]], UnknownPerson | None],
    ) -> UnknownPerson:
        """Adds a visit while no other process adds one.

        Args:
            visit: of an unknown person.
            person_of: says which one of the people of its gallery it shows; None = another one.

        Returns:
            The person, without the data of the pictures.
        """
        ...

    def erase(self, unknown_ids: Collection[int]) -> int:
        """Erases people; returns how many there were."""
        ...

    def erase_old(self) -> None:
        """Erases the visits that are older than they are kept, and what a killed process left."""
        ...
