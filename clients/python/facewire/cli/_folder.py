"""The people of a folder, and their pictures."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["People", "Person", "people_of"]

_SUFFIXES = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo"),
    *(".png", ".apng", ".webp", ".bmp", ".dib", ".gif", ".avif"),
    *(".heic", ".heif", ".hif"),
}
"""How names of pictures end: of JPEG, of the other formats that servers read, and of HEIC, which is converted."""


@dataclass(slots=True)
class Person:
    """A person with their pictures, in the order of the names of these."""

    identity_id: str
    pictures: list[Path] = field(default_factory=list)

    @property
    def display_name(self) -> str:
        """The id with spaces for underscores; "" if nothing is left, for which the server takes the id."""
        return self.identity_id.replace("_", " ").strip()


@dataclass(frozen=True, slots=True)
class People:
    """The people of a folder.

    Attributes:
        people: with a picture each, in the order of their ids.
        ignored: files that are no pictures by their names.
        without_picture: ids of people in whose folders no picture lies, in order.
    """

    people: list[Person]
    ignored: list[Path]
    without_picture: list[str]

    @property
    def picture_count(self) -> int:
        """The number of all pictures."""
        return sum(len(person.pictures) for person in self.people)


def people_of(folder: Path) -> People:
    """Finds people and their pictures.

    Each sub-folder is a person, with all pictures at any depth. A picture in the folder itself
    shows the person of its name without a trailing number: Ada.jpg, Ada_02.jpg. Hidden files
    are skipped, links are followed.

    Raises:
        OSError: a folder cannot be read.
    """
    people: dict[str, Person] = {}
    ignored = []
    for path in _files(folder):
        parts = path.relative_to(folder).parts
        if path.suffix.lower() not in _SUFFIXES:
            ignored.append(path)
            continue
        name = parts[0] if len(parts) > 1 else re.sub(r"_\d+$", "", path.stem) or path.stem
        identity_id = _identity_id(name)
        people.setdefault(identity_id, Person(identity_id)).pictures.append(path)
    folders = {_identity_id(path.name) for path in _visible(folder) if path.is_dir()}
    return People([people[key] for key in sorted(people)], ignored, sorted(folders - people.keys()))


def _identity_id(name: str) -> str:
    """The same id on every system: file systems of macOS store letters and accents separately."""
    return unicodedata.normalize("NFC", name)


def _visible(folder: Path) -> list[Path]:
    """What is in a folder and not hidden, in the order of the names."""
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]


def _files(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """All files under a folder that are not hidden, in the order of their names."""
    here = folder.resolve()
    if here in above:  # a link to a folder that it is in: without end
        return
    for path in _visible(folder):
        if path.is_dir():
            yield from _files(path, (*above, here))
        else:
            yield path
