"""Compares an audit log with the revisions of the galleries: every change has raised one, so that a change without a line shows.

An end that was cut off together with the head is found so, as long as the galleries are not changed as well.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Logged"]

_BEGINS: Final = "import_begins"
_ENDS: Final = "import"


@dataclass(slots=True)
class Logged:
    """What a log says of galleries.

    Attributes:
        revisions: the highest revision of each gallery that a line states.
        imports: galleries of which an import has begun, and has no line of its end.
        begins_at_first: the log was read from its first line.
    """

    revisions: dict[str, int] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    begins_at_first: bool = False

    def take(self, line: bytes) -> None:
        """Takes a line that was verified."""
        fields = json.loads(line)
        self.begins_at_first |= fields["n"] == 1
        gallery_id, what = fields.get("gallery"), fields.get("what")
        if not isinstance(gallery_id, str):
            return
        if what == _BEGINS:
            self.imports.add(gallery_id)
        elif what == _ENDS:
            self.imports.discard(gallery_id)
        revision = fields.get("revision")
        if isinstance(revision, int):
            self.revisions[gallery_id] = max(revision, self.revisions.get(gallery_id, 0))

    def missing(self, galleries: Mapping[str, int]) -> dict[str, str]:
        """Returns of which galleries changes have no line, and what is known of them, for people.

        Args:
            galleries: the revision of each, read before the log was.
        """
        found: dict[str, str] = {}
        for gallery_id, revision in galleries.items():
            last = self.revisions.get(gallery_id)
            if last is None and self.begins_at_first:
                found[gallery_id] = f"it is at revision {revision}, and the log has no line of it"
            elif last is not None and last < revision and gallery_id not in self.imports:
                found[gallery_id] = (
                    f"it is at revision {revision}, and the last line of it says {last}"
                )
        return found
