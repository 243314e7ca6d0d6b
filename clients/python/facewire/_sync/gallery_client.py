"""The part of the client that manages galleries, identities and templates."""

import os
from collections.abc import Iterator, Sequence

import grpc

from facewire._sync.checkup_client import CheckupClient
from facewire._sync.negative_client import NegativeClient
from facewire._sync.unknown_client import UnknownClient
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

__all__ = ["GalleryClient"]


class GalleryClient(UnknownClient, CheckupClient, NegativeClient):
    """Methods for galleries; each may raise what `Client` lists."""

    def gallery(self, gallery: str = "default", *, timeout_s: float | None = None) -> Gallery:
        """Reads a gallery's size, revision and model contract.

        Raises:
            NotFoundError: no such gallery.
        """
        return self._run(gallery_requests.gallery(gallery), timeout_s)

    def galleries(self, *, timeout_s: float | None = None) -> Iterator[Gallery]:
        """Lists all galleries in the order of their ids."""
        return self._walk(gallery_requests.galleries(), timeout_s)

    def create_gallery(
        self, gallery: str, *, display_name: str = "", timeout_s: float | None = None
    ) -> Gallery:
        """Creates an empty gallery.

        Args:
            gallery: its id, 1 to 64 of a-z, 0-9, "-", "_", ".".
            display_name: for people. Default: the id.

        Raises:
            AlreadyExistsError: a gallery of this id exists.
        """
        return self._run(gallery_requests.create_gallery(gallery, display_name), timeout_s)

    def delete_gallery(self, gallery: str, *, timeout_s: float | None = None) -> int:
        """Deletes a gallery with all identities; "default" is emptied and stays.

        Returns:
            The gallery's last revision.

        Raises:
            NotFoundError: no such gallery.
        """
        return self._run(gallery_requests.delete_gallery(gallery), timeout_s)

    def identities(
        self, *, gallery: str = "default", timeout_s: float | None = None
    ) -> Iterator[Identity]:
        """Lists the identities of a gallery in the order of their ids, page by page.

        Raises:
            NotFoundError: no such gallery.
        """
        return self._walk(gallery_requests.identities(gallery), timeout_s)

    def identity_page(
        self,
        *,
        gallery: str = "default",
        page_size: int = 100,
        page_token: str = "",
        timeout_s: float | None = None,
    ) -> IdentityPage:
        """Lists one page of the identities of a gallery: for a page that shows some at a time.

        Args:
            gallery: the gallery.
            page_size: most identities of it. Range [1, 1000].
            page_token: `IdentityPage.next_page_token` of the page before. Default: the first page.

        Raises:
            NotFoundError: no such gallery.
            InvalidRequestError: `page_size` is out of range, or the server has not returned `page_token`.
        """
        return self._run(gallery_requests.identity_page(gallery, page_size, page_token), timeout_s)

    def identity(
        self, identity_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> Identity:
        """Reads an identity.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
        """
        return self._run(gallery_requests.identity(identity_id, gallery), timeout_s)

    def create_identity(
        self,
        identity_id: str,
        *,
        gallery: str = "default",
        display_name: str = "",
        timeout_s: float | None = None,
    ) -> Identity:
        """Creates an identity without templates. `enroll` creates identities, too.

        Args:
            identity_id: 1 to 128 bytes of UTF-8, all of which can be seen: no control or format
                characters, no spaces but plain ones inside. Composed and decomposed spellings of
                a name are one id, and the server returns the composed one (Unicode's NFC).
            gallery: the gallery to add to.
            display_name: for people. Default: the id.

        Raises:
            AlreadyExistsError: an identity of this id exists in the gallery.
            NotFoundError: no such gallery.
        """
        return self._run(
            gallery_requests.create_identity(identity_id, gallery, display_name), timeout_s
        )

    def rename_identity(
        self,
        identity_id: str,
        display_name: str,
        *,
        gallery: str = "default",
        timeout_s: float | None = None,
    ) -> Identity:
        """Changes an identity's display name.

        Not tried again if the response is lost: that could undo a later change by another client.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
        """
        return self._run(
            gallery_requests.rename_identity(identity_id, gallery, display_name), timeout_s
        )

    def delete_identity(
        self, identity_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> int:
        """Deletes an identity with all its templates; the next search does not find it.

        Returns:
            The gallery's revision after the write.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
        """
        return self._run(gallery_requests.delete_identity(identity_id, gallery), timeout_s)

    def templates(
        self, identity_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> Iterator[Template]:
        """Lists the templates of an identity, oldest first.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
        """
        return self._walk(gallery_requests.templates(identity_id, gallery), timeout_s)

    def template(
        self, template_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> Template:
        """Reads one template, whosever it is.

        Raises:
            NotFoundError: no such gallery, or no such template in it.
        """
        return self._run(gallery_requests.template(template_id, gallery), timeout_s)

    def delete_template(
        self, template_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> int:
        """Deletes one template; its identity stays, even without any.

        Returns:
            The gallery's revision after the write.

        Raises:
            NotFoundError: no such gallery, or no such template in it.
        """
        return self._run(gallery_requests.delete_template(template_id, gallery), timeout_s)

    def merge_identities(
        self,
        identity_id: str,
        merged_identity_id: str,
        *,
        gallery: str = "default",
        timeout_s: float | None = None,
    ) -> Identity:
        """Makes two identities that are one person into one.

        The templates of `merged_identity_id` become the other's, and it is deleted; what was seen of it is about the other one
        from then on. To be able to take it back with `split_identity`, list the templates of both before.

        Returns:
            Who stays, with the templates of both.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
            InvalidRequestError: they are the same.
            NotSupportedError: crops are kept with templates, and the server has no key for them.
        """
        return self._run(
            gallery_requests.merge_identities(identity_id, merged_identity_id, gallery), timeout_s
        )

    def split_identity(
        self,
        identity_id: str,
        template_ids: Sequence[str],
        new_identity_id: str,
        *,
        gallery: str = "default",
        display_name: str = "",
        timeout_s: float | None = None,
    ) -> Identity:
        """Makes one identity that is two people into two: some of its templates become a new identity's.

        The first identity stays, even without any template; what was seen of it in the past is still about it.

        Args:
            identity_id: whose the templates are.
            template_ids: of the other person, 1 to 1000.
            new_identity_id: the other person's id.
            gallery: of both.
            display_name: of the new identity; its id if it is "".
            timeout_s: seconds for the call. Default: the client's.

        Returns:
            The new identity.

        Raises:
            NotFoundError: no such gallery, no such identity in it, or a template is not its.
            AlreadyExistsError: there is an identity of the new id.
            NotSupportedError: crops are kept with templates, and the server has no key for them.
        """
        return self._run(
            gallery_requests.split_identity(
                identity_id, template_ids, new_identity_id, gallery, display_name
            ),
            timeout_s,
        )

    def purge_deleted(self, *, timeout_s: float = gallery_requests.PURGE_TIMEOUT_S) -> bool:
        """Erases at once what was deleted from all galleries; else the server does it in its time.

        When this returns, no vector, name or id that was deleted before the call is in any file of the server's galleries.
        Searches and writes go on meanwhile; exports end and must be started again.

        Args:
            timeout_s: seconds for the call, in which the server copies all galleries.

        Returns:
            Whether something had to be erased.

        Raises:
            UnavailableError: the files are rewritten already, or a process still uses the old ones; call again.
            LimitError: the server's disk has no room for a second copy.
            NotSupportedError: the server is older than this method.
        """
        return self._run(gallery_requests.purge_deleted(), timeout_s)

    def export_gallery(
        self,
        path: str | os.PathLike[str],
        *,
        gallery: str = "default",
        progress: Progress | None = None,
    ) -> Gallery:
        """Writes a snapshot of a gallery to a file that only its owner may read.

        The file holds embeddings: biometric data. It replaces a file at `path` once it is
        complete; if the export fails, nothing is left. There is no deadline.

        Args:
            path: the file to write.
            gallery: the gallery to export.
            progress: called after each template with how many there were and will be.

        Returns:
            The gallery of the snapshot.

        Raises:
            NotFoundError: no such gallery.
            LimitError: the file is written too slowly for the server to wait.
            OSError: the file cannot be written.
        """
        request = gallery_pb2.ExportGalleryRequest(gallery_id=gallery)

        def attempt(_: Deadline) -> Gallery:
            with ExportFile(path, progress) as file:
                responses = self._stubs.galleries.ExportGallery(
                    request, metadata=self._address.metadata
                )
                try:
                    for response in responses:
                        if file.take(response.record):
                            file.write()
                finally:
                    responses.cancel()
                return file.exported()

        return self._repeat(attempt)

    def import_gallery(
        self,
        path: str | os.PathLike[str],
        *,
        gallery: str = "default",
        progress: Progress | None = None,
    ) -> ImportResult:
        """Adds the identities of an exported file to a gallery, which must exist.

        Templates that are there already are skipped, so an interrupted import can be
        run again. The whole file is checked before anything is sent. There is no
        deadline. An import is not gated as `enroll` is: templates of poor faces, of an older server, are added,
        and `templates_poor` of the result counts them. Enroll these people again.

        Args:
            path: a file of `export_gallery`.
            gallery: the gallery to add to.
            progress: called after each template with how many were sent and will be.

        Raises:
            NotFoundError: no such gallery.
            ContractMismatchError: the export was made with another model.
            LimitError: the gallery is full.
            OSError: the file cannot be read.
            ValueError: it is not an export, or is damaged.
        """

        def attempt(_: Deadline) -> ImportResult:
            requests = ImportRequests(path, gallery, progress, is_closed=self._closed.is_set)
            method = self._stubs.galleries.ImportGallery
            try:
                response = method(iter(requests), metadata=self._address.metadata)
            except grpc.RpcError:
                requests.check()
                raise
            return read_import_result(response)

        return self._repeat(attempt)
