"""The part of the client that keeps galleries, identities and templates."""

from collections.abc import Callable, Iterator
from typing import Any

from facewire._calls import Calls
from facewire._galleries import Gallery, Identity, Template
from facewire.v1 import gallery_pb2

__all__ = ["GalleryClient"]

_PAGE_SIZE = 1000


class GalleryClient(Calls):
    """Keeps galleries; every method may raise what `Client` lists."""

    def gallery(self, gallery: str = "default") -> Gallery:
        """Reads a gallery's size, revision and model contract.

        Raises:
            NotFoundError: no such gallery.
        """
        request = gallery_pb2.GetGalleryRequest(gallery_id=gallery)
        response = self._call(self._galleries.GetGallery, request, repeatable=True)
        return Gallery.from_wire(response.gallery)

    def galleries(self) -> Iterator[Gallery]:
        """Walks all galleries in the order of their ids."""
        request = gallery_pb2.ListGalleriesRequest(page_size=_PAGE_SIZE)
        for page in self._pages(self._galleries.ListGalleries, request):
            yield from map(Gallery.from_wire, page.galleries)

    def create_gallery(self, gallery: str, *, display_name: str = "") -> Gallery:
        """Makes an empty gallery.

        Args:
            gallery: its id, 1 to 64 of a-z, 0-9, "-", "_", ".".
            display_name: for people; the id where it is empty.

        Raises:
            AlreadyExistsError: a gallery of this id exists.
        """
        request = gallery_pb2.CreateGalleryRequest(gallery_id=gallery, display_name=display_name)
        response = self._call(self._galleries.CreateGallery, request, repeatable=False)
        return Gallery.from_wire(response.gallery)

    def delete_gallery(self, gallery: str) -> int:
        """Deletes a gallery with everybody in it; "default" is emptied and stays.

        Returns:
            The gallery's last revision.

        Raises:
            NotFoundError: no such gallery.
        """
        request = gallery_pb2.DeleteGalleryRequest(gallery_id=gallery)
        response = self._call(self._galleries.DeleteGallery, request, repeatable=False)
        return int(response.revision)

    def identities(self, *, gallery: str = "default") -> Iterator[Identity]:
        """Walks everybody in a gallery in the order of their ids, page by page.

        Raises:
            NotFoundError: no such gallery.
        """
        request = gallery_pb2.ListIdentitiesRequest(gallery_id=gallery, page_size=_PAGE_SIZE)
        for page in self._pages(self._galleries.ListIdentities, request):
            yield from map(Identity.from_wire, page.identities)

    def identity(self, identity_id: str, *, gallery: str = "default") -> Identity:
        """Reads an identity.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
        """
        request = gallery_pb2.GetIdentityRequest(gallery_id=gallery, identity_id=identity_id)
        response = self._call(self._galleries.GetIdentity, request, repeatable=True)
        return Identity.from_wire(response.identity)

    def create_identity(
        self, identity_id: str, *, gallery: str = "default", display_name: str = ""
    ) -> Identity:
        """Adds an identity without templates. `enroll` makes identities, too.

        Args:
            identity_id: 1 to 128 bytes of UTF-8 without control characters.
            gallery: where.
            display_name: for people; the id where it is empty.

        Raises:
            AlreadyExistsError: an identity of this id exists in the gallery.
            NotFoundError: no such gallery.
        """
        request = gallery_pb2.CreateIdentityRequest(
            gallery_id=gallery, identity_id=identity_id, display_name=display_name
        )
        response = self._call(self._galleries.CreateIdentity, request, repeatable=False)
        return Identity.from_wire(response.identity)

    def rename_identity(
        self, identity_id: str, display_name: str, *, gallery: str = "default"
    ) -> Identity:
        """Changes an identity's display name.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
        """
        request = gallery_pb2.UpdateIdentityRequest(
            gallery_id=gallery, identity_id=identity_id, display_name=display_name
        )
        response = self._call(self._galleries.UpdateIdentity, request, repeatable=True)
        return Identity.from_wire(response.identity)

    def delete_identity(self, identity_id: str, *, gallery: str = "default") -> int:
        """Deletes an identity with all its templates; the next search does not find it.

        Returns:
            The gallery's revision after the write.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
        """
        request = gallery_pb2.DeleteIdentityRequest(gallery_id=gallery, identity_id=identity_id)
        response = self._call(self._galleries.DeleteIdentity, request, repeatable=False)
        return int(response.revision)

    def templates(self, identity_id: str, *, gallery: str = "default") -> Iterator[Template]:
        """Walks the templates of an identity, oldest first.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
        """
        request = gallery_pb2.ListTemplatesRequest(
            gallery_id=gallery, identity_id=identity_id, page_size=_PAGE_SIZE
        )
        for page in self._pages(self._galleries.ListTemplates, request):
            yield from map(Template.from_wire, page.templates)

    def delete_template(self, template_id: str, *, gallery: str = "default") -> int:
        """Deletes one template; its identity stays, even without any.

        Returns:
            The gallery's revision after the write.

        Raises:
            NotFoundError: no such gallery, or no such template in it.
        """
        request = gallery_pb2.DeleteTemplateRequest(gallery_id=gallery, template_id=template_id)
        response = self._call(self._galleries.DeleteTemplate, request, repeatable=False)
        return int(response.revision)

    def _pages(self, method: Callable[..., Any], request: Any) -> Iterator[Any]:
        """Asks for page after page; `request` is written to."""
        while True:
            page = self._call(method, request, repeatable=True)
            yield page
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
