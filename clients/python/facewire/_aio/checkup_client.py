"""The part of the asyncio client that examines galleries."""

from facewire._aio.running import AsyncCalls
from facewire._values.checkup import GalleryCheckup
from facewire._wire import checkup_requests

__all__ = ["AsyncCheckupClient"]


class AsyncCheckupClient(AsyncCalls):
    """The method that examines a gallery; it may raise what that of `Client` raises."""

    async def check_gallery(
        self,
        *,
        gallery: str = "default",
        max_findings: int = 20,
        timeout_s: float = checkup_requests.CHECK_TIMEOUT_S,
    ) -> GalleryCheckup:
        """Finds what in a gallery harms its recognition. See `Client.check_gallery`."""
        return await self._run(checkup_requests.check_gallery(gallery, max_findings), timeout_s)
