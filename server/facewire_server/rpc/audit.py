"""Emits and keeps the events of the gallery service: who changed or exported a gallery."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from facewire_server.access.audit_lines import AuditLineError
from facewire_server.access.audit_spans import ranges_of
from facewire_server.access.audit_trail import Trail, to_the_end
from facewire_server.errors import ServerError, StorageBusy
from facewire_server.events import (
    AuditFailed,
    Emit,
    GalleryAction,
    GalleryChanged,
    GalleryExported,
)
from facewire_server.galleries.ports import People
from facewire_server.galleries.records import (
    ExportedNegativeExample,
    ExportedTemplate,
    GalleryInfo,
    GalleryRecord,
    IdentityInfo,
    ImportCounts,
)

__all__ = ["Audit", "Importing", "WrittenNote"]


class WrittenNote(str):
    """A note on an error that is for its client: what the call wrote before it failed."""

    __slots__ = ()

    @classmethod
    def of(cls, parts: Sequence[ImportCounts]) -> "WrittenNote":
        """Returns the note of an import whose `parts` were committed."""
        identity_count = sum(part.identities_added for part in parts)
        template_count = sum(part.templates_added for part in parts)
        negative_count = sum(part.negative_examples_added for part in parts)
        return cls(
            f"{identity_count} identities, {template_count} templates and {negative_count} negative examples were written before "
            "that; send the import again: what exists is skipped"
        )


@dataclass(slots=True)
class Importing:
    """An import so far.

    Attributes:
        parts: counts of each part that was committed.
        poor_count: templates that an enrollment would have refused.
    """

    parts: list[ImportCounts] = field(default_factory=list)
    poor_count: int = 0


class Audit:
    """Emits the events, and keeps them in the audit log; a `context` is that of the call.

    A change that cannot be kept there was made nevertheless, and is not taken back: people can be deleted while the log's disk is
    full. An export that cannot be kept is refused.
    """

    def __init__(self, emit: Emit, trail: Trail, people: People) -> None:
        """Takes what the events go to, where they are kept, and the references to people that are kept for their ids."""
        self._emit = emit
        self._trail = trail
        self._people = people

    async def _record_of(self, gallery_id: str, identity_id: str) -> int | None:
        """Returns the number of an identity's record; None if there is none."""
        with suppress(ServerError):  # the change was made
            found = await self._people.references(gallery_id, [identity_id])
            return next((one.number for one in found.values()), None)
        return None

    async def changed(
        self,
        context: Any,
        action: GalleryAction,
        gallery_id: str,
        revision: int,
        identity_count: int = 0,
        template_count: int = 0,
        record: int | None = None,
        identity_id: str = "",
        other_record: int | None = None,
        template: int | None = None,
        negative_example_count: int = 0,
    ) -> None:
        """Emits `GalleryChanged` for a committed write, and keeps it, whatever becomes of the caller.

        Args:
            context, action, gallery_id, revision, identity_count, template_count: of the event.
            record: number of the identity that was deleted or, by a correction, got templates.
            identity_id: of the one that was made or changed, whose record is still found.
            other_record: number of the identity that templates were taken from.
            template: number of the template or negative example that was deleted.
            negative_example_count: of the event.
        """
        event = GalleryChanged(
            action,
            gallery_id,
            context.peer(),
            identity_count,
            template_count,
            revision,
            negative_example_count=negative_example_count,
        )
        records = {"record": record, "other_record": other_record, "template": template}
        await to_the_end(self._changed(event, records, identity_id))

    async def forgot_unknown(self, context: Any, gallery_id: str, people_count: int) -> None:
        """Keeps that unknown people were erased at a caller's request, whatever becomes of them."""
        fields = {"gallery": gallery_id, "people": people_count}
        await to_the_end(self._kept("forget_unknown", context.peer(), fields))

    @asynccontextmanager
    async def importing(self, context: Any, gallery_id: str) -> AsyncIterator[Importing]:
        """Emits and keeps `GalleryChanged` at the end of the block, however it ends.

        If nothing was added there is no event, and the line states no revision: that is of another change, whose own line may be
        missing. An error of the block gets a `WrittenNote` if parts were committed before it.

        Yields:
            What the caller keeps up to date.
        """
        so_far = Importing()
        parts = so_far.parts
        is_complete = False
        # First: the end may never come, and parts are committed before it.
        await self._keep("import_begins", context.peer(), {"gallery": gallery_id})
        try:
            yield so_far
            is_complete = True
        except Exception as error:
            if parts:
                error.add_note(WrittenNote.of(parts))
            raise
        finally:
            if added := [part for part in parts if part.added_count]:
                event = GalleryChanged(
                    "import",
                    gallery_id,
                    context.peer(),
                    sum(part.identities_added for part in added),
                    sum(part.templates_added for part in added),
                    added[-1].revision,
                    is_complete,
                    so_far.poor_count,
                    sum(part.negative_examples_added for part in added),
                )
                ranges = ranges_of([part.revision for part in added])
                await to_the_end(self._changed(event, {"revisions": ranges}))
            else:
                nothing = {"gallery": gallery_id, "complete": is_complete}
                await to_the_end(self._kept("import", context.peer(), nothing))

    @asynccontextmanager
    async def exporting(
        self, context: Any, gallery: GalleryInfo
    ) -> AsyncIterator[Callable[[GalleryRecord], None]]:
        """Emits and keeps `GalleryExported` at the end of the block, however it ends.

        Yields:
            A function to call with each record before it is sent: one whose sending failed may
            have arrived.

        Raises:
            StorageBusy: its beginning could not be kept.
        """
        sent: Counter[type[GalleryRecord]] = Counter()
        is_complete = False
        about = {"gallery": gallery.gallery_id}
        if not await self._keep("export_begins", context.peer(), about):
            raise StorageBusy("the audit log cannot be written, so no templates leave the server")
        try:
            yield lambda record: sent.update([type(record)])
            is_complete = True
        finally:
            counts = sent[IdentityInfo], sent[ExportedTemplate], sent[ExportedNegativeExample]
            event = GalleryExported(
                gallery.gallery_id, context.peer(), *counts, gallery.revision, is_complete
            )
            self._emit(event)
            await to_the_end(self._exported(event))

    async def _exported(self, event: GalleryExported) -> None:
        await self._keep("export", event.peer, _counts(event))

    async def _kept(self, what: str, peer: str, fields: Mapping[str, Any]) -> None:
        await self._keep(what, peer, fields)

    async def _changed(
        self,
        event: GalleryChanged,
        fields: Mapping[str, Any],
        identity_id: str = "",
    ) -> None:
        self._emit(event)
        if identity_id:
            fields = {**fields, "record": await self._record_of(event.gallery_id, identity_id)}
        about = {name: value for name, value in fields.items() if value is not None}
        await self._keep(event.action, event.peer, {**_counts(event), **about})

    async def _keep(self, what: str, peer: str, fields: Mapping[str, Any]) -> bool:
        """Keeps a line; returns False, after an `AuditFailed`, if that failed."""
        try:
            await self._trail.keep({"peer": peer, "what": what, **fields})
        except (OSError, AuditLineError) as error:
            self._emit(AuditFailed(type(error), str(error)))
            return False
        return True


def _counts(event: GalleryChanged | GalleryExported) -> dict[str, Any]:
    return {
        "gallery": event.gallery_id,
        "identities": event.identity_count,
        "templates": event.template_count,
        "negative_examples": event.negative_example_count,
        "revision": event.revision,
        "complete": event.is_complete,
    }
