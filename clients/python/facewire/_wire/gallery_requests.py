"""The calls of the gallery service as values; see `facewire._wire.requests`."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from facewire._values.galleries import Gallery, Identity, IdentityPage, Template
from facewire._wire.read_galleries import read_gallery, read_identity, read_template
from facewire._wire.requests import Call
from facewire.v1 import gallery_pb2

__all__ = [
    "PURGE_TIMEOUT_S",
    "Page",
    "create_gallery",
    "create_identity",
    "delete_gallery",
    "delete_identity",
    "delete_template",
    "galleries",
    "gallery",
    "identities",
    "identity",
    "identity_page",
    "merge_identities",
    "pages",
    "purge_deleted",
    "rename_identity",
    "split_identity",
    "template",
    "templates",
]

T = TypeVar("T")
Page = tuple[Iterator[T], "Call[Page[T]] | None"]
"""The items of a page, and the call of the next one."""

PURGE_TIMEOUT_S = 600.0
"""Seconds: the server copies all its galleries, a million templates in tens of seconds."""

_PAGE_SIZE = 1000
"""Rows: the contract's limit, which makes the fewest calls. A page of identities then has some 100 kB."""


def gallery(gallery: str) -> Call[Gallery]:
    """Reads a gallery."""
    request = gallery_pb2.GetGalleryRequest(gallery_id=gallery)
    return Call(lambda stubs: stubs.galleries.GetGallery, request, _gallery)


def galleries() -> Call[Page[Gallery]]:
    """Lists galleries, page by page."""
    request = gallery_pb2.ListGalleriesRequest(page_size=_PAGE_SIZE)
    return pages(
        lambda stubs: stubs.galleries.ListGalleries,
        request,
        lambda page: map(read_gallery, page.galleries),
    )


def create_gallery(gallery: str, display_name: str) -> Call[Gallery]:
    """Creates a gallery."""
    request = gallery_pb2.CreateGalleryRequest(gallery_id=gallery, display_name=display_name)
    return Call(lambda stubs: stubs.galleries.CreateGallery, request, _gallery, repeatable=False)


def delete_gallery(gallery: str) -> Call[int]:
    """Deletes a gallery."""
    request = gallery_pb2.DeleteGalleryRequest(gallery_id=gallery)
    return Call(lambda stubs: stubs.galleries.DeleteGallery, request, _revision, repeatable=False)


def identities(gallery: str) -> Call[Page[Identity]]:
    """Lists the identities of a gallery, page by page."""
    request = gallery_pb2.ListIdentitiesRequest(gallery_id=gallery, page_size=_PAGE_SIZE)
    return pages(
        lambda stubs: stubs.galleries.ListIdentities,
        request,
        lambda page: map(read_identity, page.identities),
    )


def identity_page(gallery: str, page_size: int, page_token: str) -> Call[IdentityPage]:
    """Lists one page of the identities of a gallery."""
    request = gallery_pb2.ListIdentitiesRequest(
        gallery_id=gallery, page_size=page_size, page_token=page_token
    )
    return Call(
        lambda stubs: stubs.galleries.ListIdentities,
        request,
        lambda page: IdentityPage(tuple(map(read_identity, page.identities)), page.next_page_token),
    )


def identity(identity_id: str, gallery: str) -> Call[Identity]:
    """Reads an identity."""
    request = gallery_pb2.GetIdentityRequest(gallery_id=gallery, identity_id=identity_id)
    return Call(lambda stubs: stubs.galleries.GetIdentity, request, _identity)


def create_identity(identity_id: str, gallery: str, display_name: str) -> Call[Identity]:
    """Creates an identity."""
    request = gallery_pb2.CreateIdentityRequest(
        gallery_id=gallery, identity_id=identity_id, display_name=display_name
    )
    return Call(lambda stubs: stubs.galleries.CreateIdentity, request, _identity, repeatable=False)


def rename_identity(identity_id: str, gallery: str, display_name: str) -> Call[Identity]:
    """Changes a display name."""
    request = gallery_pb2.UpdateIdentityRequest(
        gallery_id=gallery, identity_id=identity_id, display_name=display_name
    )
    return Call(lambda stubs: stubs.galleries.UpdateIdentity, request, _identity, repeatable=False)


def delete_identity(identity_id: str, gallery: str) -> Call[int]:
    """Deletes an identity."""
    request = gallery_pb2.DeleteIdentityRequest(gallery_id=gallery, identity_id=identity_id)
    return Call(lambda stubs: stubs.galleries.DeleteIdentity, request, _revision, repeatable=False)


def templates(identity_id: str, gallery: str) -> Call[Page[Template]]:
    """Lists the templates of an identity, page by page."""
    request = gallery_pb2.ListTemplatesRequest(
        gallery_id=gallery, identity_id=identity_id, page_size=_PAGE_SIZE
    )
    return pages(
        lambda stubs: stubs.galleries.ListTemplates,
        request,
        lambda page: map(read_template, page.templates),
    )


def template(template_id: str, gallery: str) -> Call[Template]:
    """Reads a template."""
    request = gallery_pb2.GetTemplateRequest(gallery_id=gallery, template_id=template_id)
    return Call(
        lambda stubs: stubs.galleries.GetTemplate,
        request,
        lambda response: read_template(response.template),
    )


def delete_template(template_id: str, gallery: str) -> Call[int]:
    """Deletes a template."""
    request = gallery_pb2.DeleteTemplateRequest(gallery_id=gallery, template_id=template_id)
    return Call(lambda stubs: stubs.galleries.DeleteTemplate, request, _revision, repeatable=False)


def merge_identities(identity_id: str, merged_identity_id: str, gallery: str) -> Call[Identity]:
    """Makes two identities one."""
    request = gallery_pb2.MergeIdentitiesRequest(
        gallery_id=gallery, identity_id=identity_id, merged_identity_id=merged_identity_id
    )
    return Call(lambda stubs: stubs.galleries.MergeIdentities, request, _identity, repeatable=False)


def split_identity(
    identity_id: str,
    template_ids: Sequence[str],
    new_identity_id: str,
    gallery: str,
    display_name: str,
) -> Call[Identity]:
    """Makes one identity two."""
    request = gallery_pb2.SplitIdentityRequest(
        gallery_id=gallery,
        identity_id=identity_id,
        template_ids=template_ids,
        new_identity_id=new_identity_id,
        display_name=display_name,
    )
    return Call(lambda stubs: stubs.galleries.SplitIdentity, request, _identity, repeatable=False)


def purge_deleted() -> Call[bool]:
    """Erases what was deleted."""
    request = gallery_pb2.PurgeDeletedRequest()
    return Call(
        lambda stubs: stubs.galleries.PurgeDeleted,
        request,
        lambda response: bool(response.rewritten),
    )


def pages(
    method: Callable[[Any], Any], request: Any, items: Callable[[Any], Iterator[T]]
) -> Call[Page[T]]:
    """Lists something page by page: the call of a page, what it asks for, and the items that a page has."""

    def read(page: Any) -> Page[T]:
        if not page.next_page_token:
            return items(page), None
        following = type(request)()
        following.CopyFrom(request)
        following.page_token = page.next_page_token
        return items(page), pages(method, following, items)

    return Call(method, request, read)


def _gallery(response: Any) -> Gallery:
    return read_gallery(response.gallery)


def _identity(response: Any) -> Identity:
    return read_identity(response.identity)


def _revision(response: Any) -> int:
    return int(response.revision)
