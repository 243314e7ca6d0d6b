"""What was acknowledged of the changes of a gallery, and the comparison with what it holds: the ledger of a test that kills servers.

A client has one call in progress at a time, on people of its own. If the call was cut off, its change may be there or not,
wholly; any other difference between the ledger and the gallery is a broken promise.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

__all__ = ["CHANGED", "FOUND", "LOST", "Difference", "Ledger", "Person"]

LOST = "acknowledged enrollments lost"
FOUND = "acknowledged deletions found"
CHANGED = "people not as acknowledged"


class Person(NamedTuple):
    """A person in a gallery, as far as clients see.

    Attributes:
        name: the display name.
        templates: ids.
        negative_examples: ids.
    """

    name: str
    templates: frozenset[str] = frozenset()
    negative_examples: frozenset[str] = frozenset()


class Difference(NamedTuple):
    """A person who is not as was acknowledged.

    Attributes:
        kind: LOST, FOUND or CHANGED.
        identity_id: of the person.
    """

    kind: str
    identity_id: str


class Ledger:
    """What was acknowledged to one client.

    Attributes:
        people: those who are enrolled, by id.
        revision: the last one that was acknowledged.
    """

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.revision = 0
        self._deleted: set[str] = set()
        self._pending: dict[str, Person | None] = {}

    def begin(self, after: Mapping[str, Person | None]) -> None:
        """Takes what a call is going to change: each person as they are afterwards, None = deleted."""
        self._pending = dict(after)

    def acknowledge(self, revision: int) -> None:
        """Takes that the call has succeeded."""
        for identity_id, person in self._pending.items():
            self._settle(identity_id, person)
        self._pending = {}
        self.revision = max(self.revision, revision)

    def compare(self, found: Mapping[str, Person]) -> list[Difference]:
        """Compares with the client's people in the gallery. What is there counts from here on, so that each difference is reported once."""
        known = {*self.people, *self._deleted, *self._pending, *found}
        has_happened = all(found.get(one) == person for one, person in self._pending.items())
        expected = {**self.people, **(self._pending if has_happened else {})}
        differences = [
            Difference(_kind(expected.get(one), found.get(one)), one)
            for one in sorted(known)
            if expected.get(one) != found.get(one)
        ]
        for identity_id in known:
            self._settle(identity_id, found.get(identity_id))
        self._pending = {}
        return differences

    def earlier(self) -> "Ledger":
        """Returns a copy: what was acknowledged until now."""
        copy = Ledger()
        copy.people, copy.revision = dict(self.people), self.revision
        copy._deleted, copy._pending = set(self._deleted), dict(self._pending)
        return copy

    def restricted_to(self, unchanged: Iterable[str]) -> "Ledger":
        """Returns a copy that speaks of these people only."""
        kept = set(unchanged)
        copy = self.earlier()
        copy.people = {one: person for one, person in copy.people.items() if one in kept}
        copy._deleted &= kept
        copy._pending = {}
        return copy

    def same_as(self, other: "Ledger") -> set[str]:
        """Returns the ids of the people who are the same in both ledgers, and of whom neither expects a change."""
        pending = self._pending.keys() | other._pending.keys()
        present = {one for one, who in self.people.items() if other.people.get(one) == who}
        return (present | (self._deleted & other._deleted)) - pending

    def _settle(self, identity_id: str, person: Person | None) -> None:
        if person is None:
            self.people.pop(identity_id, None)
            self._deleted.add(identity_id)
        else:
            self.people[identity_id] = person
            self._deleted.discard(identity_id)


def _kind(expected: Person | None, found: Person | None) -> str:
    if found is None:
        return LOST
    return FOUND if expected is None else CHANGED
