"""Whose pictures a folder holds."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["People", "Person", "people_of"]

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}


@dataclass(slots=True)
class Person:
    """Somebody with their pictures, in the order of the names of these."""

    identity_id: str
    pictures: list[Path] = field(default_factory=list)

    @property
    def display_name(self) -> str:
        """The id as people write it: underscores are spaces."""
        return self.identity_id.replace("_", " ").strip() or self.identity_id


@dataclass(frozen=True, slots=True)
class People:
    """Everybody in a folder.

    Attributes:
        people: in the order of their ids.
        ignored: files that are no JPEG, PNG, WebP or BMP by their names.
    """

    people: list[Person]
    ignored: list[Path]

    @property
    def picture_count(self) -> int:
        """Pictures of all together."""
        return sum(len(person.pictures) for person in self.people)


def people_of(folder: Path) -> People:
    """Finds people and their pictures.

    A sub-folder is a person, whatever lies how deep in it. A picture in the folder itself
    is the person of its name less a trailing number: Ada.jpg, Ada_02.jpg. Hidden files
    are passed over, links are followed.

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
        # The same name on every system: file systems of macOS take letters and accents apart.
        identity_id = unicodedata.normalize("NFC", name)
        people.setdefault(identity_id, Person(identity_id)).pictures.append(path)
    return People([people[key] for key in sorted(people)], ignored)


def _files(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """All files under a folder that are not hidden, in the order of their names."""
    here = folder.resolve()
    if here in above:  # a link to where it lies in: it has no end
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _files(path, (*above, here))
        else:
            yield path
