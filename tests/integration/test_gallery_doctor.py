"""`facewire-server gallery doctor`: finds the faults of a real gallery beside a running server, and writes nothing."""

import hashlib
import json
import math
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from facewire_server.app.values import read_model_contract
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.configuration.settings import Settings
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.types import Quality
from harness.running import running_server
from integration.test_gallery_backups import command

CONTRACT = read_model_contract(Settings().model_contract)
GOOD = Quality(80.0, 100.0, 120.0, 30.0, 12.0, 0.0, 0.0)
NAME = "Ada \x1b[2J Lovelace"
NOTHING = "nothing was found"


def axis(number: int) -> NDArray[np.float32]:
    return np.eye(CONTRACT.dimension, dtype=np.float32)[number]


def resembling(number: int, similarity: float, other: int) -> NDArray[np.float32]:
    """A vector of unit length with this cosine to an axis; `other` is another axis."""
    made = similarity * axis(number) + math.sqrt(1 - similarity**2) * axis(other)
    return made.astype(np.float32)


class Made:
    """Galleries in a data folder, and the ids of their templates."""

    def __init__(self, data: Path, contract_id: str = CONTRACT.id) -> None:
        self.gallery = LmdbGallery(
            data / "gallery",
            vector_search=ExactSearch(),
            model_contract_id=contract_id,
            dimension=CONTRACT.dimension,
        )
        self._count = 0

    async def enroll(
        self, identity_id: str, *pictures: NDArray[np.float32], quality: Quality = GOOD
    ) -> list[str]:
        """Enrolls a person; returns the ids of the templates."""
        numbers = range(self._count, self._count + len(pictures))
        self._count += len(pictures)
        results = [EnrollmentResult(f"{number:032x}", quality=quality) for number in numbers]
        who = NewIdentity(identity_id, NAME, create=True)
        await self.gallery.enroll("default", who, results, np.stack(pictures))
        return [one.template_id for one in results]


def contents(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file but LMDB's tables of readers, which reading changes."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "lock" not in path.name
    }


def doctor(data: Path, *arguments: str) -> dict[str, list[dict[str, object]]]:
    """What the command lists of the only gallery, by kind."""
    status, text = command(data, "doctor", "--json", *arguments)
    assert status == 0, text
    (one,) = json.loads(text)["galleries"]
    found: dict[str, list[dict[str, object]]] = {}
    for kind, findings in one["findings"].items():
        assert findings["total"] >= len(findings["listed"])
        if findings["total"]:
            found[kind] = findings["listed"]
    return found


def values(found: Sequence[dict[str, object]]) -> list[tuple[object, object]]:
    return [(one["identity_ids"], one["template_ids"]) for one in found]


async def test_each_fault_is_found_beside_a_running_server_and_no_file_changes(
    models: Path, tmp_path: Path
) -> None:
    with closing((made := Made(tmp_path)).gallery):
        (ada,) = await made.enroll("ada", axis(0))
        (twice,) = await made.enroll("ada two", resembling(0, 0.8, 10))
        (bob,) = await made.enroll("bob", axis(1))
        (alike,) = await made.enroll("-bill", resembling(1, 0.45, 11))
        _, wrong, _ = await made.enroll(
            "eve", axis(2), resembling(1, 0.7, 20), resembling(2, 0.9, 12)
        )
        either = await made.enroll("dan", axis(3), axis(30))
        (poor,) = await made.enroll("pat", axis(4), quality=GOOD._replace(inter_eye_px=18.0))
        smeared = await made.enroll(
            "sam", axis(5), axis(5), quality=GOOD._replace(directional_sharpness=3.0)
        )
    with running_server(data=tmp_path) as server, server.channel() as channel:
        galleries = gallery_pb2_grpc.GalleryServiceStub(channel)
        galleries.GetGallery(gallery_pb2.GetGalleryRequest())
        before = contents(tmp_path / "gallery")
        found = doctor(tmp_path)
        assert contents(tmp_path / "gallery") == before
        assert {kind: values(listed) for kind, listed in found.items()} == {
            "probable_double": [(["ada", "ada two"], [ada, twice])],
            "confusable": [(["bob", "-bill"], [bob, alike])],
            "left_out": [(["eve"], [wrong])],
            "disagreeing": [(["dan"], either)],
            "poor_picture": [(["pat"], [poor])],
            "refused_template": [(["sam"], [each]) for each in smeared],
        }
        numbers = [one["value"] for listed in found.values() for one in listed]
        assert numbers == pytest.approx([0.8, 0.45, 0.0, 0.0, 0.75, 1.0, 1.0], abs=1e-5)
        assert found["probable_double"][0]["next"] == (
            "if both are one person, merge them: "
            "facewire identity merge --gallery default -- ada 'ada two'"
        )
        assert found["poor_picture"][0]["faults"] == ["TOO_SMALL"]
        assert found["refused_template"][0]["faults"] == ["BLURRED"]
        assert found["left_out"][0]["resembled"] == ["bob"]
        assert found["left_out"][0]["next"] == (
            "if it shows another person, delete it: "
            f"facewire identity delete-template --gallery default -- eve {wrong}"
        )
        with facewire.Client(server.address) as client:
            checkup = client.check_gallery()
        assert contents(tmp_path / "gallery") == before
        by_call = {each.kind.value.lower(): each.listed for each in checkup.findings}
        assert {
            kind: [
                ([one.identity_id for one in each.people], list(each.template_ids))
                for each in listed
            ]
            for kind, listed in by_call.items()
        } == {kind: values(listed) for kind, listed in found.items()}
        assert [each.value for listed in by_call.values() for each in listed] == pytest.approx(
            numbers
        )
        assert by_call["poor_picture"][0].faults == (facewire.QualityFault.TOO_SMALL,)
        assert by_call["refused_template"][0].faults == (facewire.QualityFault.BLURRED,)
        resembled = by_call["left_out"][0].resembled
        assert resembled is not None
        assert resembled.identity_id == "bob"
        assert by_call["left_out"][0].resembled_similarity == pytest.approx(0.7, abs=1e-5)
        assert by_call["probable_double"][0].people[0].display_name == NAME
        # The server goes on writing, and the next look sees that.
        galleries.DeleteIdentity(gallery_pb2.DeleteIdentityRequest(identity_id="ada two"))
        galleries.DeleteTemplate(gallery_pb2.DeleteTemplateRequest(template_id=wrong))
        assert list(doctor(tmp_path)) == [
            "confusable",
            "disagreeing",
            "poor_picture",
            "refused_template",
        ]


async def test_one_upside_down_picture_of_several_is_found_by_its_embedding(tmp_path: Path) -> None:
    upside_down = CONTRACT.upside_down
    assert upside_down is not None
    mixed = 0.8 * upside_down + 0.6 * axis(6)
    with closing((made := Made(tmp_path)).gallery):
        good, poor = await made.enroll("una", axis(6), mixed / np.linalg.norm(mixed))
    (found,) = doctor(tmp_path)["refused_template"]
    assert (found["template_ids"], found["faults"]) == ([poor], ["UPSIDE_DOWN"])
    assert str(found["next"]).endswith(f"delete-template --gallery default -- una {poor}")
    assert good not in str(found["next"])
    assert "refused_template" not in doctor(tmp_path, "--enroll-max-upside-down", "0")


async def test_ids_are_printed_and_names_only_if_asked_for(tmp_path: Path) -> None:
    with closing((made := Made(tmp_path)).gallery):
        for number in range(4):
            await made.enroll(f"id-{number}", resembling(0, 0.9, number + 1))
    status, text = command(tmp_path, "doctor")
    assert (status, "id-0" in text, "Lovelace" in text) == (0, True, False)
    assert "threshold 0.4" in text
    assert "(by the wanted error rate)" in text
    assert ": 6\n" in text
    status, text = command(tmp_path, "doctor", "--names", "--limit", "2")
    assert (status, "Lovelace" in text, "\x1b" in text) == (0, True, False)
    assert ": 6, the worst 2 of them\n" in text
    assert len(doctor(tmp_path, "--limit", "3")["probable_double"]) == 3
    assert "display_names" not in doctor(tmp_path)["probable_double"][0]
    assert doctor(tmp_path, "--names")["probable_double"][0]["display_names"] == [NAME, NAME]


async def test_only_with_check_does_the_exit_status_say_that_something_was_found(
    tmp_path: Path,
) -> None:
    with closing((made := Made(tmp_path)).gallery):
        assert command(tmp_path, "doctor", "--check")[0] == 0  # an empty gallery
        await made.enroll("one", axis(0))
        status, text = command(tmp_path, "doctor", "--check")
        assert (status, NOTHING in text) == (0, True)
        await made.enroll("two", axis(0))
        assert command(tmp_path, "doctor")[0] == 0
        assert command(tmp_path, "doctor", "--check")[0] == 1


async def test_without_a_calibration_the_threshold_is_a_guess_and_is_called_one(
    tmp_path: Path,
) -> None:
    with closing((made := Made(tmp_path, "c" * 64)).gallery):
        await made.enroll("one", axis(0))
    text = command(tmp_path, "doctor")[1]
    assert "threshold 0.420 (a guess: the gallery is of another model" in text
    assert (
        "threshold 0.300 (set by the operator)"
        in command(tmp_path, "doctor", "--threshold", "0.3")[1]
    )


async def test_what_cannot_be_examined_is_named(tmp_path: Path) -> None:
    status, text = command(tmp_path, "doctor")
    assert (status, "there is no gallery in" in text) == (1, True)
    with closing((made := Made(tmp_path)).gallery) as gallery:
        await made.enroll("one", axis(0))
        await gallery.create_gallery("other", "")
    assert "default:" not in command(tmp_path, "doctor", "--gallery", "other")[1]
    status, text = command(tmp_path, "doctor", "--gallery", "missing")
    assert (status, "there is no gallery 'missing'" in text) == (1, True)
    assert command(tmp_path, "doctor", "--limit", "0")[0] == 2
    assert command(tmp_path, "doctor", tmp_path)[0] == 2
    # A vector is not what was written: the other gallery is examined nevertheless.
    file = tmp_path / "gallery" / "data.mdb"
    data = file.read_bytes()
    assert (where := data.find(axis(0).tobytes())) > 0
    file.write_bytes(data.replace(axis(0).tobytes(), axis(1).tobytes()))
    status, text = command(tmp_path, "doctor")
    assert (status, "default: damaged" in text, "other: 0 people" in text) == (0, True, True)
    assert command(tmp_path, "doctor", "--check")[0] == 1
    assert where
