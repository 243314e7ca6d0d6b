"""The subjects of a gallery: names, as CompreFace has them, over identities, which have ids.

A subject is every identity of one display name. Renaming one subject to the name of another merges their identities in the gallery, so that the two are one for
every client. New identities get random ids, so that no id contains a name. An image id is a template's id, written as a UUID: both are 128 bits.
"""

import asyncio
import unicodedata
import uuid
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass

from facewire import DetectionOptions, ErrorReason, Identity, Image, NotFoundError, Template
from facewire_console.compreface.errors import Code, DoorError, of_refusal
from facewire_console.console import Console

__all__ = ["Example", "Subject", "Subjects", "image_id_of", "template_id_of"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A name, and the identities that have it, in the order of their ids."""

    name: str
    identities: tuple[Identity, ...]

    @property
    def example_count(self) -> int:
        """Templates of all its identities."""
        return sum(identity.template_count for identity in self.identities)


@dataclass(frozen=True, slots=True)
class Example:
    """A template, as CompreFace lists it."""

    image_id: str
    subject: str


def image_id_of(template_id: str) -> str:
    """Returns a template's id as a UUID."""
    return str(uuid.UUID(hex=template_id))


def template_id_of(image_id: str) -> str:
    """Returns the id of the template that an image id is of.

    Raises:
        DoorError: it is no UUID.
    """
    try:
        return uuid.UUID(image_id).hex
    except ValueError:
        raise DoorError(Code.INVALID, "image_id must be a UUID") from None


class Subjects:
    """Reads and changes the subjects of one gallery. Its changes come one at a time, those of other clients at any time."""

    def __init__(self, console: Console, gallery: str) -> None:
        self._console = console
        self._client = console.client
        self._gallery = gallery
        self._changing = asyncio.Lock()

    async def all(self) -> list[Subject]:
        """Returns all subjects, in the order of their first identities' ids."""
        named: dict[str, list[Identity]] = {}
        async for identity in self._client.identities(gallery=self._gallery):
            named.setdefault(identity.display_name, []).append(identity)
        return [Subject(name, tuple(identities)) for name, identities in named.items()]

    async def find(self, name: str) -> Subject | None:
        """Returns the subject of a name, or of one that differs in case only: Double Take lower-cases names.

        Raises:
            DoorError: none has the name, and several differ in case only.
        """
        alike = [each for each in await self.all() if _folded(each.name) == _folded(name)]
        exact = [each for each in alike if each.name == name]
        if exact:
            return exact[0]
        if len(alike) > 1:
            raise DoorError(Code.INVALID, "Several subjects differ from this name in case only")
        return alike[0] if alike else None

    async def found(self, name: str) -> Subject:
        """Returns the subject that `find` does; raises DoorError if there is none."""
        subject = await self.find(name)
        if subject is None:
            raise DoorError(Code.SUBJECT_NOT_FOUND, "Subject not found")
        return subject

    async def create(self, name: str) -> str:
        """Creates a subject without examples, and returns its name; raises DoorError if it exists."""
        async with self._changing:
            if await self.find(name) is not None:
                raise DoorError(Code.SUBJECT_EXISTS, "Subject already exists")
            create = self._client.create_identity
            return (await create(_new_id(), gallery=self._gallery, display_name=name)).display_name

    async def add(self, name: str, picture: bytes, detection: DetectionOptions) -> Example:
        """Adds an example of a subject, which is created if there is none.

        Raises:
            DoorError: the picture does not show one face, or one that is too poor.
        """
        async with self._changing:
            subject = await self.find(name)
            identity_id = subject.identities[0].identity_id if subject else _new_id()
            result = await self._client.enroll(
                identity_id,
                [Image(picture)],
                gallery=self._gallery,
                display_name=name,
                detection=detection,
            )
        enrolled = result.pictures[0]
        if enrolled.refusal is not None:
            raise of_refusal(enrolled.refusal, enrolled.detail)
        return Example(image_id_of(enrolled.template_id), subject.name if subject else name)

    async def rename(self, name: str, new_name: str) -> None:
        """Sets another name for a subject; if another subject has that name, the first one's identities are merged into it.

        Raises:
            DoorError: no subject has the name.
        """
        async with self._changing:
            subject = await self.found(name)
            target = await self.find(new_name)
            for identity in subject.identities:
                if target is None or target == subject:
                    await self._client.rename_identity(
                        identity.identity_id, new_name, gallery=self._gallery
                    )
                else:
                    await self._client.merge_identities(
                        target.identities[0].identity_id,
                        identity.identity_id,
                        gallery=self._gallery,
                    )

    async def delete(self, name: str) -> Subject:
        """Deletes a subject with its examples, and returns what it was; raises DoorError if there is none."""
        async with self._changing:
            subject = await self.found(name)
            await self._delete(subject)
            return subject

    async def delete_all(self) -> list[Subject]:
        """Deletes every subject, and returns what they were."""
        async with self._changing:
            subjects = await self.all()
            for subject in subjects:
                await self._delete(subject)
            return subjects

    async def examples(self, name: str, first: int, most: int) -> tuple[list[Example], int]:
        """Returns a page of the examples of a subject, or of all if the name is "", and how many there are in all.

        Args:
            name: of a subject; one that does not exist has none.
            first: number of the first one wanted, from 0.
            most: how many are wanted.
        """
        subjects = await self.all() if not name else [await self.find(name)]
        identities = [each for subject in subjects if subject for each in subject.identities]
        page: list[Example] = []
        at = 0
        for identity in identities:
            skipped = max(0, first - at)
            at += identity.template_count
            if len(page) < most and skipped < identity.template_count:
                templates = [each async for each in self._templates(identity)]
                page += [_example(each, identity) for each in templates[skipped:]]
        return page[:most], at

    async def owner_of(self, image_id: str) -> str:
        """Returns the name of the subject that an example belongs to; raises DoorError if there is no such example."""
        gallery = self._gallery
        try:
            template = await self._client.template(template_id_of(image_id), gallery=gallery)
            identity = await self._client.identity(template.identity_id, gallery=gallery)
        except NotFoundError as error:
            if error.reason is ErrorReason.GALLERY_NOT_FOUND:
                raise
            raise DoorError(Code.IMAGE_NOT_FOUND, "Image not found") from None
        return identity.display_name

    async def delete_example(self, image_id: str) -> Example:
        """Deletes an example, and with its last one the subject; raises DoorError if there is no such example."""
        async with self._changing:
            name = await self.owner_of(image_id)
            template_id = template_id_of(image_id)
            await self._client.delete_template(template_id, gallery=self._gallery)
            subject = await self.find(name)
            if subject is not None and not subject.example_count:
                await self._delete(subject)
            return Example(str(uuid.UUID(image_id)), name)

    async def _delete(self, subject: Subject) -> None:
        for identity in subject.identities:
            with suppress(NotFoundError):  # another client was faster
                await self._console.delete_identity(identity.identity_id, self._gallery)

    async def _templates(self, identity: Identity) -> AsyncGenerator[Template, None]:
        """Yields the templates of an identity, none if it was deleted meanwhile."""
        if not identity.template_count:
            return
        with suppress(NotFoundError):
            async for template in self._client.templates(
                identity.identity_id, gallery=self._gallery
            ):
                yield template


def _example(template: Template, identity: Identity) -> Example:
    return Example(image_id_of(template.template_id), identity.display_name)


def _new_id() -> str:
    return uuid.uuid4().hex


def _folded(name: str) -> str:
    """Returns a name without its case, composed: "É" may be one code point or two."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
