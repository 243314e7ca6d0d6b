"""Reads what pictures show: a folder with one folder a person, a table of pictures, or a table of pairs."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["LabelError", "LabeledPair", "LabeledPicture", "Labels", "read_labels"]

_SUFFIXES: Final = frozenset((".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".avif"))
_TRUTHS: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
"""What the column `same` may say."""

_FORMS: Final = (
    "name a folder with one folder a person, a CSV file with the columns path,person[,group][,faces], "
    "or one with path_a,path_b,same[,group][,person_a,person_b]"
)


class LabelError(Exception):
    """The labels cannot be used; the text names the file, the line and the next step."""


class LabeledPicture(NamedTuple):
    """A picture and who it shows.

    Attributes:
        path: of the file.
        name: the path as the labels have it.
        person: who it shows; "" if the picture is one of no person.
        group: of the person; "" = not known.
        face_count: faces that the picture shows; None = not known.
    """

    path: Path
    name: str
    person: str
    group: str
    face_count: int | None


class LabeledPair(NamedTuple):
    """Two pictures, by their places in `Labels.pictures`."""

    first: int
    second: int
    is_mated: bool
    group: str


@dataclass(frozen=True, slots=True)
class Labels:
    """All that is known about the pictures.

    Attributes:
        pictures: each once.
        pairs: that are compared; None = each picture with each other.
        people_are_known: who each picture shows is stated, or its folder says it; else people are known from pairs alone, and two
            of them may be one.
        remark: how people were distinguished; "" = as stated.
    """

    pictures: tuple[LabeledPicture, ...]
    pairs: tuple[LabeledPair, ...] | None
    people_are_known: bool
    remark: str = ""


def read_labels(path: Path) -> Labels:
    """Reads a folder or a table.

    Raises:
        LabelError: it cannot be read, or is not of such a form.
    """
    if path.is_dir():
        return _folder(path)
    if not path.is_file():
        raise LabelError(f"{path} does not exist: {_FORMS}")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            columns = {name.strip() for name in table.fieldnames or ()}
            rows = list(_rows(table))
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path} is not a CSV file in UTF-8 ({error}): save it as one") from error
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}") from error
    if {"path_a", "path_b", "same"} <= columns:
        return _pairs(path, rows, knows_people={"person_a", "person_b"} <= columns)
    if "path" in columns and columns & {"person", "identity"}:
        return _pictures(path, rows)
    raise LabelError(
        f"{path}, line 1: the columns are {', '.join(sorted(columns)) or 'missing'}; {_FORMS}"
    )


def _rows(table: "csv.DictReader[str]") -> Iterator[tuple[int, dict[str, str]]]:
    """Yields line number and cells of each row; what a row lacks is ""."""
    for row in table:
        cells = {
            name.strip(): (value or "").strip()
            for name, value in row.items()
            if isinstance(name, str)
        }
        if any(cells.values()):
            yield table.line_num, cells


def _folder(folder: Path) -> Labels:
    pictures = [
        LabeledPicture(file, str(file.relative_to(folder)), person.name, "", None)
        for person in sorted(folder.iterdir())
        if person.is_dir() and not person.name.startswith(".")
        for file in sorted(person.rglob("*"))
        if file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")
    ]
    if not pictures:
        raise LabelError(f"{folder} holds no folder with pictures: {_FORMS}")
    return Labels(tuple(pictures), None, people_are_known=True)


def _pictures(table: Path, rows: Sequence[tuple[int, dict[str, str]]]) -> Labels:
    pictures: dict[str, LabeledPicture] = {}
    groups: dict[str, str] = {}
    for line, row in rows:
        name, person, group = (
            row["path"],
            row.get("person") or row.get("identity", ""),
            row.get("group", ""),
        )
        faces = row.get("faces", "")
        if not name:
            raise LabelError(
                f"{table}, line {line}: path is empty: name a picture, or remove the line"
            )
        if faces and not faces.isdecimal():
            raise LabelError(
                f"{table}, line {line}: faces is {faces!r}: write a number, or nothing"
            )
        if not person and faces != "0":
            raise LabelError(
                f"{table}, line {line}: person is empty: write who it is, or 0 as faces of a picture of no person"
            )
        if name in pictures and pictures[name].person != person:
            raise LabelError(
                f"{table}, line {line}: {name} is of {pictures[name].person!r} above and of {person!r} here: "
                "keep the line that is right"
            )
        if person and groups.setdefault(person, group) != group:
            raise LabelError(
                f"{table}, line {line}: {person} is of the group {groups[person]!r} above and of {group!r} here: "
                "a person has one group"
            )
        pictures[name] = LabeledPicture(
            table.parent / name, name, person, group, int(faces) if faces else None
        )
    if not pictures:
        raise LabelError(f"{table} has no row: write one a picture")
    return Labels(tuple(pictures.values()), None, people_are_known=True)


def _pairs(
    table: Path, rows: Sequence[tuple[int, dict[str, str]]], *, knows_people: bool
) -> Labels:
    places: dict[str, int] = {}
    stated: dict[str, str] = {}
    groups: dict[str, str] = {}
    pairs: list[LabeledPair] = []
    for line, row in rows:
        truth = _TRUTHS.get(row["same"].lower())
        if truth is None:
            raise LabelError(f"{table}, line {line}: same is {row['same']!r}: write 1 or 0")
        ends = row["path_a"], row["path_b"]
        if not all(ends) or ends[0] == ends[1]:
            raise LabelError(f"{table}, line {line}: name two pictures as path_a and path_b")
        first, second = (places.setdefault(end, len(places)) for end in ends)
        group = row.get("group", "")
        pairs.append(LabeledPair(first, second, truth, group))
        for end, column in zip(ends, ("person_a", "person_b"), strict=True):
            groups.setdefault(end, group)
            person = row.get(column, "")
            if knows_people and (not person or stated.setdefault(end, person) != person):
                raise LabelError(
                    f"{table}, line {line}: {column} is {person!r}; write the one person that {end} shows in each of its lines"
                )
        if knows_people and (stated[ends[0]] == stated[ends[1]]) is not truth:
            raise LabelError(
                f"{table}, line {line}: same is {row['same']}, but the people are {stated[ends[0]]!r} and "
                f"{stated[ends[1]]!r}: correct the one or the other"
            )
    if not pairs:
        raise LabelError(f"{table} has no row: write one a pair")
    people, remark = (stated, "") if knows_people else _people_of(list(places), pairs)
    pictures = tuple(
        LabeledPicture(table.parent / name, name, people[name], groups[name], None)
        for name in places
    )
    return Labels(pictures, tuple(pairs), knows_people or remark.startswith("each"), remark)


def _people_of(names: Sequence[str], pairs: Sequence[LabeledPair]) -> tuple[dict[str, str], str]:
    """Distinguishes people if the table of pairs does not: by folder if all pairs agree with it, else by the mated pairs."""
    folders = [str(Path(name).parent) for name in names]
    if all((folders[pair.first] == folders[pair.second]) is pair.is_mated for pair in pairs):
        return dict(
            zip(names, folders, strict=True)
        ), "each folder is taken for one person, since all pairs agree with it"
    roots = list(range(len(names)))

    def root(place: int) -> int:
        while roots[place] != place:
            roots[place] = roots[roots[place]]
            place = roots[place]
        return place

    for pair in pairs:
        if pair.is_mated:
            roots[root(pair.first)] = root(pair.second)
    members: dict[int, list[str]] = defaultdict(list)
    for place, name in enumerate(names):
        members[root(place)].append(name)
    people = {name: min(group) for group in members.values() for name in group}
    return people, (
        "people are distinguished by the pairs of one person alone, so one person may count as several and intervals may be "
        "too narrow: write person_a and person_b, and identification can be measured, too"
    )
