"""What differs between the tokens of two times, for the audit log: labels only, and not more than a line has room for."""

from collections.abc import Iterable
from typing import Any, Final

from facewire_server.access.tokens import Token

__all__ = ["differences"]

_MOST_LABELS: Final = 12
"""Labels of a list: three lists of labels of 64 characters are shorter than a line of the log. Chosen, not measured."""


def differences(before: Iterable[Token], after: Iterable[Token]) -> dict[str, Any]:
    """Returns how many tokens there are now, and the labels of those that were added, revoked and changed.

    Of a list that is longer than a line has room for, the first labels are named, and the others are counted.
    """
    old = {token.label: token for token in before}
    new = {token.label: token for token in after}
    return {
        "tokens": len(new),
        "added": _named(label for label in new if label not in old),
        "revoked": _named(label for label in old if label not in new),
        "changed": _named(label for label in new if label in old and new[label] != old[label]),
    }


def _named(labels: Iterable[str]) -> list[str]:
    found = list(labels)
    more = len(found) - _MOST_LABELS
    return [*found[:_MOST_LABELS], *([f"... and {more} more"] if more > 0 else [])]
