"""The part of the asyncio client that manages galleries, identities and templates."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Sequence

import grpc

from facewire._aio.checkup_client import AsyncCheckupClient
from facewire._aio.ending import Ending
from facewire._aio.negative_client import AsyncNegativeClient
from facewire._aio.threads import in_thread, metadata_of
from facewire._aio.unknown_client import AsyncUnknownClient
from facewire._values.galleries import (
    Gallery,
    Identity,
    IdentityPage,
    ImportResult,
    Template,
)
from facewire._wire import gallery_requests
from facewire._wire.export_file import ExportFile
from facewire._wire.gallery_file import Progress
from facewire._wire.import_requests import ImportRequests
from facewire._wire.read_galleries import read_import_result
from facewire._wire.retries import Deadline
from facewire.v1 import gallery_pb2

__all__ = ["AsyncGalleryClient"]


class AsyncGalleryClient(AsyncUnknownClient, AsyncCheckupClient, AsyncNegativeClient):
    """Methods for galleries; each may raise what `Client` lists."""

    async def gallery(self, gallery: str = "default", *, timeout_s: float | None = None) -> Gallery:
        """Reads a gallery's size, revision and model contract. See `Client.gallery`."""
        return await self._run(gallery_requests.gallery(gallery), timeout_s)

    def galleries(self, *, timeout_s: float | None = None) -> AsyncIterator[Gallery]:
        """Lists all galleries in the order of their ids. See `Client.galleries`."""
        return self._walk(gallery_requests.galleries(), timeout_s)

    async def create_gallery(
        self, gallery: str, *, display_name: str = "", timeout_s: float | None = None
    ) -> Gallery:
        """Creates an empty gallery. See `Client.create_gallery`."""
        return await self._run(gallery_requests.create_gallery(gallery, display_name), timeout_s)

    async def delete_gallery(self, gallery: str, *, timeout_s: float | None = None) -> int:
        """Deletes a gallery with all identities; "default" is emptied and stays. See `Client.delete_gallery`."""
        return await self._run(gallery_requests.delete_gallery(gallery), timeout_s)

    def identities(
        self, *, gallery: str = "default", timeout_s: float | None = None
    ) -> AsyncIterator[Identity]:
        """Lists the identities of a gallery in the order of their ids, page by page. See `Client.identities`."""
        return self._walk(gallery_requests.identities(gallery), timeout_s)

    async def identity_page(
        self,
        *,
        gallery: str = "default",
        page_size: int = 100,
        page_token: str = "",
        timeout_s: float | None = None,
    ) -> IdentityPage:
        """Lists one page of the identities of a gallery. See `Client.identity_page`."""
        return await self._run(
            gallery_requests.identity_page(gallery, page_size, page_token), timeout_s
        )

    async def identity(
        self, identity_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> Identity:
        """Reads an identity. See `Client.identity`."""
        return await self._run(gallery_requests.identity(identity_id, gallery), timeout_s)

    async def create_identity(
        self,
        identity_id: str,
        *,
        gallery: str = "default",
        display_name: str = "",
        timeout_s: float | None = None,
    ) -> Identity:
        """Creates an identity without templates. `enroll` creates identities, too. See `Client.create_identity`."""
        return await self._run(
            gallery_requests.create_identity(identity_id, gallery, display_name), timeout_s
        )

    async def rename_identity(
        self,
        identity_id: str,
        display_name: str,
        *,
        gallery: str = "default",
        timeout_s: float | None = None,
    ) -> Identity:
        """Changes an identity's display name. See `Client.rename_identity`."""
        return await self._run(
            gallery_requests.rename_identity(identity_id, gallery, display_name), timeout_s
        )

    async def delete_identity(
        self, identity_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> int:
        """Deletes an identity with all its templates; the next search does not find it. See `Client.delete_identity`."""
        return await self._run(gallery_requests.delete_identity(identity_id, gallery), timeout_s)

    def templates(
        self, identity_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> AsyncIterator[Template]:
        """Lists the templates of an identity, oldest first. See `Client.templates`."""
        return self._walk(gallery_requests.templates(identity_id, gallery), timeout_s)

    async def template(
        self, template_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> Template:
        """Reads one template, whosever it is. See `Client.template`."""
        return await self._run(gallery_requests.template(template_id, gallery), timeout_s)

    async def delete_template(
        self, template_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> int:
        """Deletes one template; its identity stays, even without any. See `Client.delete_template`."""
        return await self._run(gallery_requests.delete_template(template_id, gallery), timeout_s)

    async def merge_identities(
        self,
        identity_id: str,
        merged_identity_id: str,
        *,
        gallery: str = "default",
        timeout_s: float | None = None,
    ) -> Identity:
        """Makes two identities that are one person into one. See `Client.merge_identities`."""
        return await self._run(
            gallery_requests.merge_identities(identity_id, merged_identity_id, gallery), timeout_s
        )

    async def split_identity(
        self,
        identity_id: str,
        template_ids: Sequence[str],
        new_identity_id: str,
        *,
        gallery: str = "default",
        display_name: str = "",
        timeout_s: float | None = None,
    ) -> Identity:
        """Makes one identity that is two people into two. See `Client.split_identity`."""
        return await self._run(
            gallery_requests.split_identity(
                identity_id, template_ids, new_identity_id, gallery, display_name
            ),
            timeout_s,
        )

    async def purge_deleted(self, *, timeout_s: float = gallery_requests.PURGE_TIMEOUT_S) -> bool:
        """Erases at once what was deleted from all galleries. See `Client.purge_deleted`."""
        return await self._run(gallery_requests.purge_deleted(), timeout_s)

    async def export_gallery(
        self,
        path: str | os.PathLike[str],
        *,
        gallery: str = "default",
        progress: Progress | None = None,
    ) -> Gallery:
        """Writes a gallery to a file that only its owner may read. See `Client.export_gallery`."""
        request = gallery_pb2.ExportGalleryRequest(gallery_id=gallery)

        async def attempt(_: Deadline) -> Gallery:
            file = ExportFile(path, progress)
            try:
                await in_thread(file.open)
                responses = self._stubs.galleries.ExportGallery(
                    request, metadata=await metadata_of(self._address)
                )
                try:
                    async for response in responses:
                        if file.take(response.record):
                            await in_thread(file.write)
                finally:  # an export that is not read to its end would hold a snapshot on the server
                    responses.cancel()
                exported = file.exported()
                await in_thread(file.finish)
                return exported
            finally:
                await in_thread(file.discard)

        return await self._repeat(attempt)

    async def import_gallery(
        self,
        path: str | os.PathLike[str],
        *,
        gallery: str = "default",
        progress: Progress | None = None,
    ) -> ImportResult:
        """Adds the identities of an exported file to a gallery. See `Client.import_gallery`."""

        async def attempt(_: Deadline) -> ImportResult:
            left = threading.Event()
            requests = await in_thread(
                lambda: ImportRequests(
                    path, gallery, progress, is_closed=lambda: left.is_set() or self._closed
                ),
                leave_off=left.set,
            )
            method = self._stubs.galleries.ImportGallery
            call = method(_sent(requests), metadata=await metadata_of(self._address))
            ending = Ending(call)
            try:
                return read_import_result(await call)
            except grpc.RpcError:
                requests.check()
                raise await ending.status() from None
            except asyncio.CancelledError:  # also how grpc.aio ends a call whose requests break off
                requests.check()
                raise

        return await self._repeat(attempt)


async def _sent(requests: ImportRequests) -> AsyncIterator[gallery_pb2.ImportGalleryRequest]:
    """Requests read in threads; the caller's `progress` is called in the loop."""
    batches = requests.batches()
    try:
        while batch := await in_thread(lambda: next(batches, None)):
            for request in batch:
                yield request
                requests.count(request)
    except (GeneratorExit, asyncio.CancelledError):  # the call ended before the file did
        raise
    except BaseException as error:
        raise requests.broken_off(error) from error
