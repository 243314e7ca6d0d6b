"""Which changes of a gallery the lines of an audit log account for: each line for one revision, some for more."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

__all__ = ["Span", "gap_after", "ranges_of", "spans_of"]

_MAX_RANGES: Final = 64
"""Most ranges that a line states, so that it stays below its 4096 bytes: 64 of two numbers of 16 digits are 2.3 kB. The changes of
others, of an import beside very many enrollments, count as if they had no line."""


class Span(NamedTuple):
    """Revisions of a gallery that a line accounts for.

    Attributes:
        before: the last revision before them.
        last: the last of them.
        is_gone: the gallery was deleted: nothing of a backup made before was left.
    """

    before: int
    last: int
    is_gone: bool = False


def ranges_of(revisions: Sequence[int]) -> list[tuple[int, int]]:
    """Returns rising revisions as ranges, first and last, for a line; the first `_MAX_RANGES`."""
    ranges: list[tuple[int, int]] = []
    for one in revisions:
        if ranges and ranges[-1][1] == one - 1:
            ranges[-1] = ranges[-1][0], one
        else:
            ranges.append((one, one))
    return ranges[:_MAX_RANGES]


def spans_of(action: str, revision: int, fields: Mapping[str, Any]) -> Iterator[Span]:
    """Yields what a line accounts for.

    An earlier version's line of an import or a restore accounts for its last revision only: what else it changed is unknown.

    Args:
        action: that the line is of.
        revision: of the gallery after it.
        fields: of the line; of an import its `revisions`, of a restore the revision that it `replaced`.
    """
    yield Span(
        0 if action == "delete_gallery" else revision - 1, revision, action == "delete_gallery"
    )
    match fields:
        case {"revisions": [*ranges]}:
            for one in ranges:
                match one:
                    case [int(first), int(last)]:
                        yield Span(first - 1, last)
        case {"replaced": int(replaced)}:
            yield Span(replaced, revision)


def gap_after(spans: Collection[Span], revision: int) -> str:
    """Returns, for people, which changes after a revision no line accounts for; "" = each has one."""
    if min((one.last for one in spans), default=revision + 1) > revision:
        return "the audit log begins after the backup"
    gone_at = {one.last for one in spans if one.is_gone}
    reached = revision
    for one in sorted(spans):
        # A gallery that is made again, or brought back, begins above the revision of its deletion.
        if one.before > reached and reached not in gone_at:
            return f"the audit log has no line of the changes from revision {reached} to {one.last}"
        reached = max(reached, one.last)
    return ""
