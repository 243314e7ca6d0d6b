"""Many people: each enrolled from one picture is known in another, and nobody is taken for another.

The pictures are research material lent beside the checkout; where they are absent, these tests are skipped.
"""

import csv
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

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


def frames_of(film: Path, *numbers: int) -> list[NDArray[np.uint8]]:
    """Some frames of a film, RGB."""
    capture = cv2.VideoCapture(str(film))
    frames = [np.asarray(capture.read()[1], np.uint8) for _ in range(max(numbers) + 1)]
    capture.release()
    return [np.ascontiguousarray(frames[number][:, :, ::-1]) for number in numbers]


def test_one_person_under_two_names_is_noticed_at_the_second(
    client: facewire.Client, gallery: str, shared: Path
) -> None:
    early, late = frames_of(shared / "video" / "woman_720p.mp4", 0, 90)
    (first,) = client.enroll("ann", early, gallery=gallery).pictures
    with pytest.warns(facewire.SimilarIdentityWarning):
        (second,) = client.enroll("anne", late, gallery=gallery).pictures
    assert (first.similar_identity_id, first.similar_identity_similarity) == ("", 0.0)
    assert second.similar_identity_id == "ann"
    assert 0.42 <= second.similar_identity_similarity <= 1.0
    assert second.accepted, "a similar identity is a hint and no refusal"


def test_one_picture_under_two_names_is_ambiguous_between_them(
    client: facewire.Client, gallery: str, shared: Path
) -> None:
    picture = shared / "scenes" / "quality" / "aws_photo1.jpg"
    largest_one = FaceSelection.LARGEST
    (first,) = client.enroll("same-1", picture, gallery=gallery, selection=largest_one).pictures
    with pytest.warns(facewire.SimilarIdentityWarning):
        (second,) = client.enroll(
            "same-2", picture, gallery=gallery, selection=largest_one
        ).pictures
    assert (first.similar_identity_id, second.similar_identity_id) == ("", "same-1")
    assert second.similar_identity_similarity == pytest.approx(1.0, abs=1e-4)
    faces = client.recognize(picture, gallery=gallery).faces
    largest = decision_of(max(faces, key=lambda face: face.box.width_px))
    assert largest.outcome is Outcome.AMBIGUOUS
    assert {each.identity_id for each in largest.ambiguous_between} == {"same-1", "same-2"}
