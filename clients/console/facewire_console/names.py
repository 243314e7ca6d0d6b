"""The present names of people: read from the gallery when they are shown."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from typing import Final

from facewire import AsyncClient, AuthenticationError, NotFoundError

__all__ = ["Names", "PresentNames"]

PresentNames = dict[str, str | None]
"""Names by identity id; None: the gallery has no such person."""

_AT_ONCE: Final = 8
"""People who are read at the same time. Chosen, not measured."""


class Names:
    """The names that were read last, in bounded memory. For one event loop."""

    def __init__(self, client: AsyncClient, most: int) -> None:
        """Starts without names, and keeps at most this many."""
        self._client = client
        self._most = most
        self._kept: OrderedDict[tuple[str, str], tuple[int, str]] = OrderedDict()
        self._reading = asyncio.Semaphore(_AT_ONCE)

    async def of(self, gallery: str, people: Collection[str]) -> PresentNames:
        """Returns the present names of people; "" if the token may not read people.

        Raises:
            FacewireError: the server cannot be asked.
        """
        if not people:
            return {}
        try:
            revision = (await self._client.gallery(gallery)).revision
            asked = list(people)
            names = await asyncio.gather(*(self._name(gallery, each, revision) for each in asked))
        except NotFoundError:
            return dict.fromkeys(people)  # the gallery itself was deleted
        except AuthenticationError:
            return dict.fromkeys(people, "")
        return dict(zip(asked, names, strict=True))

    def forget(self, gallery: str, identity_id: str) -> None:
        """Forgets the name of a person."""
        self._kept.pop((gallery, identity_id), None)

    async def _name(self, gallery: str, identity_id: str, revision: int) -> str | None:
        """Returns the name of a person; None if there is no such person.

        Args:
            gallery: of the person.
            identity_id: the person.
            revision: of the gallery: a name that was read at another one may have changed.
        """
        key = (gallery, identity_id)
        read_at, name = self._kept.get(key, (0, ""))
        if read_at == revision:
            return name
        try:
            async with self._reading:
                name = (await self._client.identity(identity_id, gallery=gallery)).display_name
        except NotFoundError:
            self.forget(gallery, identity_id)
            return None
        self._kept[key] = (revision, name)
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return name
