"""Many people: each enrolled from one picture is known in another, and nobody is taken for another.

The pictures are research material lent beside the checkout; where they are absent, these tests are skipped.
"""

import csv
from collections import defaultdict
from pathlib import Path

import pytest

import facewire
from facewire import FaceSelection, Outcome


@pytest.fixture(scope="module")
def people(shared: Path) -> dict[str, list[Path]]:
    """Twenty people of the groups set, of each two pictures or more, evenly from all groups."""
    by_person: dict[str, list[Path]] = defaultdict(list)
    with (shared / "groups" / "images.csv").open(newline="", encoding="utf-8") as table:
        for row in csv.DictReader(table):
            if row["source"] == "LFW" and row["use_in_pairs"] == "1":
                by_person[row["identity"]].append(shared / "groups" / row["path"])
    several = [name for name, pictures in sorted(by_person.items()) if len(pictures) > 1]
    return {name: by_person[name] for name in several[:: max(1, len(several) // 20)][:20]}


def decision_of(face: facewire.Face) -> facewire.Decision:
    """The decision that every face of a recognition has."""
    assert face.decision is not None
    return face.decision


def test_people_are_known_in_other_pictures_and_never_as_another(
    client: facewire.Client, gallery: str, people: dict[str, list[Path]]
) -> None:
    for name, (portrait, *_) in people.items():
        central = FaceSelection.MOST_CENTRAL
        result = client.enroll(name, portrait, gallery=gallery, selection=central)
        assert result.accepted_count == 1, f"{name}: {result.pictures[0].detail}"
    right: list[str] = []
    wrong: set[str] = set()
    for name, (_, other, *_) in people.items():
        faces = client.recognize(other, gallery=gallery).faces
        known = {
            decision_of(f).identity_id for f in faces if decision_of(f).outcome is Outcome.KNOWN
        }
        right += [name] if name in known else []
        wrong |= known - {name}
    assert wrong == set()
    assert len(right) >= len(people) - 2, f"not known: {set(people) - set(right)}"


def test_strangers_are_unknown(
    client: facewire.Client, gallery: str, people: dict[str, list[Path]]
) -> None:
    enrolled, strangers = list(people)[::2], list(people)[1::2]
    for name in enrolled:
        client.enroll(name, people[name][0], gallery=gallery, selection=FaceSelection.LARGEST)
    for name in strangers:
        for face in client.recognize(people[name][1], gallery=gallery).faces:
            assert decision_of(face).outcome is not Outcome.KNOWN
