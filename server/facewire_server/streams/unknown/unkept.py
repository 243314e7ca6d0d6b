"""What stands in while the operator does not allow unknown visits to be kept: nothing is written."""

from collections.abc import Sequence
from typing import NoReturn

from facewire_server.errors import UnknownPeopleNotKept
from facewire_server.streams.unknown.values import UnknownPerson, UnknownVisit

__all__ = ["NotKeptUnknown"]


class NotKeptUnknown:
    """Keeps no one; see the ports `UnknownVisits` and `UnknownPeople`."""

    are_kept = False

    def saw(self, visit: UnknownVisit) -> None:
        """Does nothing."""

    async def of_gallery(self, gallery_id: str) -> Sequence[UnknownPerson]:
        """Refuses."""
        _refuse()

    async def person(self, gallery_id: str, unknown_id: int) -> UnknownPerson:
        """Refuses."""
        _refuse()

    async def forget(self, gallery_id: str, unknown_id: int) -> None:
        """Refuses."""
        _refuse()

    async def forget_all(self, gallery_id: str) -> int:
        """Refuses."""
        _refuse()

    async def forget_gallery(self, gallery_id: str) -> None:
        """Does nothing."""

    async def forget_enrolled(self) -> None:
        """Does nothing."""


def _refuse() -> NoReturn:
    raise UnknownPeopleNotKept("the operator does not allow unknown visits to be kept")
