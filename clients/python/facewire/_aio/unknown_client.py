"""The part of the asyncio client for people whom a gallery does not know."""

from collections.abc import AsyncIterator

from facewire._aio.running import AsyncCalls
from facewire._values.galleries import EnrollResult
from facewire._values.unknown import UnknownPerson, UnknownPicture
from facewire._wire import unknown_requests
from facewire._wire.enrollment import warn_of_similar

__all__ = ["AsyncUnknownClient"]


class AsyncUnknownClient(AsyncCalls):
    """Methods for unknown people; each may raise what those of `Client` raise."""

    def unknown_people(
        self, *, gallery: str = "default", timeout_s: float | None = None
    ) -> AsyncIterator[UnknownPerson]:
        """Lists the unknown people of a gallery in the order in which they were first seen. See `Client.unknown_people`."""
        return self._walk(unknown_requests.unknown_people(gallery), timeout_s)

    async def unknown_pictures(
        self, unknown_id: int, *, gallery: str = "default", timeout_s: float | None = None
    ) -> tuple[UnknownPicture, ...]:
        """Returns the pictures of an unknown person, best first. See `Client.unknown_pictures`."""
        return await self._run(unknown_requests.unknown_pictures(unknown_id, gallery), timeout_s)

    async def enroll_unknown(
        self,
        unknown_id: int,
        identity_id: str,
        *,
        gallery: str = "default",
        display_name: str = "",
        source: str = "",
        create_identity: bool = True,
        timeout_s: float | None = None,
    ) -> EnrollResult:
        """Enrolls an unknown person from their pictures. See `Client.enroll_unknown`."""
        result = await self._run(
            unknown_requests.enroll_unknown(
                unknown_id, identity_id, gallery, display_name, source, create_identity
            ),
            timeout_s,
        )
        warn_of_similar(result)
        return result

    async def forget_unknown(
        self, unknown_id: int, *, gallery: str = "default", timeout_s: float | None = None
    ) -> None:
        """Erases an unknown person. See `Client.forget_unknown`."""
        await self._run(unknown_requests.forget_unknown(gallery, unknown_id), timeout_s)

    async def forget_all_unknown(
        self, *, gallery: str = "default", timeout_s: float | None = None
    ) -> int:
        """Erases all unknown people of a gallery; returns how many. See `Client.forget_all_unknown`."""
        return await self._run(unknown_requests.forget_unknown(gallery, None), timeout_s)
