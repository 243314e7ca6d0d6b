"""Emits the events of the gallery service: who changed or exported a gallery."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from facewire_server.events import Emit, GalleryAction, GalleryChanged, GalleryExported
from facewire_server.galleries.records import (
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
        return cls(
            f"{identity_count} identities and {template_count} templates were written before that; "
            "send the import again: what exists is skipped"
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
    """Emits the events; a `context` is that of the call."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit

    def changed(
        self,
        context: Any,
        action: GalleryAction,
        gallery_id: str,
        revision: int,
        identity_count: int = 0,
        template_count: int = 0,
    ) -> None:
        """Emits `GalleryChanged` for a committed write."""
        counts = identity_count, template_count
        self._emit(GalleryChanged(action, gallery_id, context.peer(), *counts, revision))

    @contextmanager
    def importing(self, context: Any, gallery_id: str) -> Iterator[Importing]:
        """Emits `GalleryChanged` at the end of the block, however it ends, if it changed anything.

        An error of the block gets a `WrittenNote` if parts were committed before it.

        Yields:
            What the caller keeps up to date.
        """
        so_far = Importing()
        parts = so_far.parts
        is_complete = False
        try:
            yield so_far
            is_complete = True
        except Exception as error:
            if parts:
                error.add_note(WrittenNote.of(parts))
            raise
        finally:
            identity_count = sum(part.identities_added for part in parts)
            template_count = sum(part.templates_added for part in parts)
            if identity_count or template_count:
                counts = identity_count, template_count, parts[-1].revision
                peer = context.peer()
                poor_count = so_far.poor_count
                self._emit(
                    GalleryChanged("import", gallery_id, peer, *counts, is_complete, poor_count)
                )

    @contextmanager
    def exporting(
        self, context: Any, gallery: GalleryInfo
    ) -> Iterator[Callable[[GalleryRecord], None]]:
        """Emits `GalleryExported` at the end of the block, however it ends.

        Yields:
            A function to call with each record before it is sent: one whose sending failed may
            have arrived.
        """
        sent: Counter[type[GalleryRecord]] = Counter()
        is_complete = False
        try:
            yield lambda record: sent.update([type(record)])
            is_complete = True
        finally:
            counts = sent[IdentityInfo], sent[ExportedTemplate], gallery.revision
            event = GalleryExported(gallery.gallery_id, context.peer(), *counts, is_complete)
            self._emit(event)
