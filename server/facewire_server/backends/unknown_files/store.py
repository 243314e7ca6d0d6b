"""The store of unknown people: a file each, read again only when it changed, written by one process at a time."""

import fcntl
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.erasable_files import ErasableFiles
from facewire_server.backends.unknown_files.person_file import PersonFormat, UnreadablePerson
from facewire_server.host.private_files import make_private_folder, open_private
from facewire_server.streams.unknown.values import UnknownPerson, UnknownVisit

__all__ = ["MAX_PEOPLE", "UnknownFiles"]

MAX_PEOPLE: Final = 1000
"""People kept, of all galleries: who was not seen for longest makes room. Chosen, not measured: 200 MB at most, with five
pictures each."""

_SUFFIX: Final = ".unknown"
"""Of a person's file."""


class _Read(NamedTuple):
    """A file as it was read last."""

    state: tuple[int, int]
    person: UnknownPerson | None  # without the data of the pictures; None: it cannot be read


class UnknownFiles:
    """The unknown people in a folder; see the port `UnknownStore`. For one thread of each process."""

    def __init__(
        self,
        folder: Path,
        *,
        keep_s: float,
        keys: CropKeys | None,
        model_contract_id: str,
        max_people: int = MAX_PEOPLE,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        """Opens the folder, and makes it if there is none; blocks.

        Args:
            folder: on a local file system.
            keep_s: seconds that a visit is kept after its end.
            keys: of the operator; None: the files are not encrypted.
            model_contract_id: of the embeddings.
            max_people: most people.
            now_us: returns microseconds since 1970-01-01 UTC.

        Raises:
            OSError: the folder cannot be used.
        """
        make_private_folder(folder)
        self._lock = folder / "lock"
        self._files = _files_in(folder)
        self._format = PersonFormat(keys, model_contract_id)
        self._keep_us = round(keep_s * 1e6)
        self._max_people = max_people
        self._now_us = now_us
        self._read: dict[int, _Read] = {}

    def people(self) -> Sequence[UnknownPerson]:
        """See the port."""
        states = self._files.states()
        self._read = {
            unknown_id: read for unknown_id, read in self._read.items() if unknown_id in states
        }
        for unknown_id, state in states.items():
            known = self._read.get(unknown_id)
            if known is None or known.state != state:
                person = self._person(unknown_id)
                self._read[unknown_id] = _Read(state, person and _without_data(person))
        found = [(unknown_id, read.person) for unknown_id, read in self._read.items()]
        return [person for _, person in sorted(found) if person is not None]

    def person(self, unknown_id: int) -> UnknownPerson | None:
        """See the port."""
        return self._person(unknown_id)

    def add(
        self,
        visit: UnknownVisit,
        person_of: Callable[[UnknownVisit, Sequence[UnknownPerson]], UnknownPerson | None],
    ) -> UnknownPerson:
        """See the port."""
        with self._alone():
            people = self.people()
            of_gallery = [one for one in people if one.gallery_id == visit.gallery_id]
            found = person_of(visit, of_gallery)
            whole = found and self._person(found.unknown_id)
            person = whole.with_visit(visit) if whole else UnknownPerson(visit.track_id, (visit,))
            self._files.write(person.unknown_id, self._format.data_of(person))
            longest_away = sorted(self.people(), key=lambda one: one.last_seen_us)
            too_many = max(0, len(longest_away) - self._max_people)
            self._files.erase([one.unknown_id for one in longest_away[:too_many]])
            return _without_data(person)

    def erase(self, unknown_ids: Collection[int]) -> int:
        """See the port."""
        with self._alone():
            there = self._files.states().keys() & set(unknown_ids)
            self._files.erase(there)
            return len(there)

    def erase_old(self) -> None:
        """See the port."""
        now_us = self._now_us()
        kept_us = range(now_us - self._keep_us, now_us + self._keep_us)
        with self._alone():  # a write in progress has a second name for the file that it replaces
            for person in self.people():
                if any(visit.last_seen_us not in kept_us for visit in person.visits):
                    self._erase_visits(person.unknown_id, kept_us)
            unreadable = [
                unknown_id
                for unknown_id, (state, person) in self._read.items()
                if person is None and state[1] // 1000 not in kept_us
            ]
            self._files.erase(unreadable)
            self._files.erase_strays(self._read)

    def _erase_visits(self, unknown_id: int, kept_us: range) -> None:
        person = self._person(unknown_id)
        left = person and person.within(kept_us)
        if left is None:
            self._files.erase([unknown_id])
        else:
            self._files.write(unknown_id, self._format.data_of(left))

    @staticmethod
    def erase_all(folder: Path) -> None:
        """Erases everybody who is kept in a folder, if there is one; blocks.

        Raises:
            OSError: the folder cannot be used.
        """
        _files_in(folder).erase_all()

    def _person(self, unknown_id: int) -> UnknownPerson | None:
        data = self._files.read(unknown_id)
        if data is None:
            return None
        try:
            return self._format.person_of(unknown_id, data)
        except UnreadablePerson:
            return None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Holds the lock of the folder; each process writes for some milliseconds."""
        file = open_private(self._lock)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)  # lets the lock go


def _files_in(folder: Path) -> ErasableFiles:
    return ErasableFiles(folder / "people", _SUFFIX)


def _without_data(person: UnknownPerson) -> UnknownPerson:
    """Returns the person with pictures of which only the quality is left, to keep in memory."""
    visits = [
        replace(visit, picture=visit.picture and replace(visit.picture, jpeg=b""))
        for visit in person.visits
    ]
    return UnknownPerson(person.unknown_id, tuple(visits))
