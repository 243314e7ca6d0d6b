"""Who of a backup was deleted after it, by what a log says of the changes since: numbers of records are never given twice."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeAlias

__all__ = ["Deleted", "LaterDeletions", "LoggedChange", "Seen", "deleted_after", "nothing_later"]


class LoggedChange(NamedTuple):
    """A change of a gallery that says where templates are, or that they are gone.

    Attributes:
        action: "delete_gallery", "delete_identity", "delete_template", "delete_negative_example", "merge_identities",
            "split_identity" or "restore".
        revision: of the gallery after it.
        record: number of the identity that is gone or, of a correction, that has the templates; None = unknown.
        other_record: number of the identity that had them, of a correction; None = unknown.
        template: number of the template or negative example that is gone; None = unknown.
    """

    action: str
    revision: int
    record: int | None = None
    other_record: int | None = None
    template: int | None = None


class Deleted(NamedTuple):
    """What of a backup of a gallery was deleted later.

    Attributes:
        is_gallery: the gallery as a whole was.
        records: numbers of identities of which nothing is left.
        templates: numbers of templates and negative examples, of which no two have the same.
        unclear: numbers of identities that hold, in the backup, templates of a person who was deleted, and perhaps of others.
        unknown_count: deletions, and corrections, of which the log does not say of whom: who was corrected may be deleted later.
    """

    is_gallery: bool
    records: frozenset[int]
    templates: frozenset[int]
    unclear: frozenset[int]
    unknown_count: int


class Seen(NamedTuple):
    """What is known of galleries beside a backup of them.

    Attributes:
        deleted: what of each gallery of the backup was deleted later, by gallery id.
        revision: the highest that is known of any gallery.
        number: the highest that is known of any record.
    """

    deleted: Mapping[str, Deleted]
    revision: int = 0
    number: int = 0


LaterDeletions: TypeAlias = Callable[[Mapping[str, int], Mapping[str, int]], Seen]
"""Takes the revisions of the galleries that there are, empty if they cannot be read, and those of a backup's galleries."""


def nothing_later(present: Mapping[str, int], backup: Mapping[str, int]) -> Seen:
    """Says that nothing is known beside the backup."""
    return Seen({})


class _Origins:
    """Where the templates of each identity are in the backup: in all of these records, and in parts of those."""

    def __init__(self) -> None:
        self._whole: dict[int, set[int]] = {}
        self._parts: dict[int, set[int]] = {}

    def of(self, record: int) -> tuple[set[int], set[int]]:
        return self._whole.setdefault(record, {record}), self._parts.setdefault(record, set())

    def merge(self, record: int, merged: int) -> None:
        for mine, others in zip(self.of(record), self.of(merged), strict=True):
            mine |= others

    def split(self, record: int, source: int) -> None:
        self.of(record)[1].update(*self.of(source))

    def restored(self) -> None:
        """Another backup took the galleries' place: whether merges before are in it is not known."""
        for record in self._whole:
            whole, parts = self.of(record)
            parts |= whole - {record}
            whole.intersection_update({record})


def deleted_after(changes: Iterable[LoggedChange], revision: int) -> Deleted:
    """Returns what of a gallery's backup was deleted later.

    Who was merged and then deleted is deleted as both; a merge alone deletes none of them. Who was split off an identity and
    then deleted cannot be distinguished, in the backup, from who stayed: that identity is `unclear`.

    Args:
        changes: of the gallery, in any order.
        revision: of the gallery in the backup.
    """
    origins = _Origins()
    is_gallery, unknown_count = False, 0
    records: set[int] = set()
    templates: set[int] = set()
    unclear: set[int] = set()
    for one in sorted(changes, key=lambda change: change.revision):
        if one.revision <= revision:
            continue
        match one:
            case LoggedChange("delete_gallery"):
                is_gallery = True
            case LoggedChange("delete_identity", record=int(record)):
                whole, parts = origins.of(record)
                records |= whole
                unclear |= parts
            case LoggedChange(
                "delete_template" | "delete_negative_example", template=int(template)
            ):
                templates.add(template)
            case LoggedChange("merge_identities", record=int(record), other_record=int(other)):
                origins.merge(record, other)
            case LoggedChange("split_identity", record=int(record), other_record=int(other)):
                origins.split(record, other)
            case LoggedChange("restore"):
                origins.restored()
            case _:
                unknown_count += 1
    return Deleted(
        is_gallery,
        frozenset(records),
        frozenset(templates),
        frozenset(unclear - records),
        unknown_count,
    )
