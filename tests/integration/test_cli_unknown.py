"""`facewire unknown`: who was seen is listed, looked at, named and erased."""

import json

import pytest

from facewire.v1 import face_pb2, gallery_pb2
from fakes.server import TRACKED, FakeServer

QUALITY = face_pb2.Quality(inter_eye_px=40.0)


@pytest.fixture
def fake():
    with FakeServer(features=TRACKED) as server:
        server.galleries.unknown = {}
        yield server


def keep(fake, unknown_id, *jpegs, cameras=("door",)):
    pictures = [
        gallery_pb2.UnknownPicture(
            image=face_pb2.Image(format=face_pb2.IMAGE_FORMAT_JPEG, data=jpeg),
            quality=QUALITY,
            camera_id=cameras[0],
            last_seen_us=1_795_000_000_000_000,
        )
        for jpeg in jpegs
    ]
    person = gallery_pb2.UnknownPerson(
        unknown_id=unknown_id,
        visit_count=3,
        first_seen_us=1_795_000_000_000_000,
        last_seen_us=1_795_003_600_000_000,
        camera_ids=cameras,
        picture_count=len(jpegs),
    )
    fake.galleries.unknown[unknown_id] = person, pictures


def test_people_are_listed_for_people_and_for_programs(fake, run):
    keep(fake, 1_795_000_000_000_001, b"one", cameras=("door", "yard"))
    keep(fake, 1_795_000_000_000_002)
    shown = run("unknown", "list", server=fake.address)
    assert shown.returncode == 0, shown.stderr
    row = next(line for line in shown.stdout.splitlines() if "1795000000000001" in line)
    for cell in ("3", "door, yard", "2026-11-18 11:06"):
        assert cell in row, row
    assert "2 unknown people, gallery 'default'" in shown.stderr
    listed = run("unknown", "list", "--json", server=fake.address)
    first, second = (json.loads(line)["unknown"] for line in listed.stdout.splitlines())
    assert (first["visit_count"], first["camera_ids"]) == (3, ["door", "yard"])
    assert second["picture_count"] == 0


def test_pictures_are_written_for_their_owner_to_an_empty_folder(fake, run, tmp_path):
    keep(fake, 7, b"first jpeg", b"second jpeg")
    folder = tmp_path / "who"
    result = run("unknown", "pictures", "7", folder, server=fake.address)
    assert result.returncode == 0, result.stderr
    files = sorted(folder.iterdir())
    assert [(path.name, path.read_bytes()) for path in files] == [
        ("1.jpg", b"first jpeg"),
        ("2.jpg", b"second jpeg"),
    ]
    assert {path.stat().st_mode & 0o077 for path in (folder, *files)} == {0}
    again = run("unknown", "pictures", "7", folder, server=fake.address)
    assert (again.returncode, "not an empty folder" in again.stderr) == (2, True)


def test_a_person_is_named(fake, run):
    keep(fake, 7, b"good", b"")
    result = run("unknown", "name", "7", "ada", "--display-name", "Ada", server=fake.address)
    assert result.returncode == 0, result.stderr
    assert "1 picture of ada enrolled, 1 refused" in result.stderr
    assert "Refused: no face" in result.stderr
    people = run("identities", "--json", server=fake.address)
    assert json.loads(people.stdout)["identity"]["display_name"] == "Ada"
    assert fake.galleries.unknown == {}
    gone = run("unknown", "name", "7", "ada", server=fake.address)
    assert gone.returncode == 4
    assert "no such unknown person" in gone.stderr


def test_who_cannot_be_enrolled_stays_unknown(fake, run):
    keep(fake, 7, b"")
    result = run("unknown", "name", "7", "ada", "--json", server=fake.address)
    assert result.returncode == 1
    assert json.loads(result.stdout)["enrolled"]["pictures"][0]["refusal"] == "NO_FACE"
    assert 7 in fake.galleries.unknown


def test_people_are_forgotten_one_or_all(fake, run):
    for unknown_id in (1, 2, 3):
        keep(fake, unknown_id)
    result = run("unknown", "forget", "2", server=fake.address)
    assert "1 unknown person erased" in result.stderr
    assert list(fake.galleries.unknown) == [1, 3]
    result = run("unknown", "forget", "--all", "--json", server=fake.address)
    assert json.loads(result.stdout) == {"forgotten_count": 2}


@pytest.mark.parametrize("wrong", [("forget",), ("forget", "1", "--all"), ("forget", "0")])
def test_what_names_no_one_is_an_error_of_usage(fake, run, wrong):
    keep(fake, 1)
    result = run("unknown", *wrong, server=fake.address)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert 1 in fake.galleries.unknown


def test_a_server_that_keeps_none_says_what_to_set(fake, run):
    fake.galleries.unknown = None
    result = run("unknown", "list", server=fake.address)
    assert result.returncode == 5
    assert "FACEWIRE_KEEP_UNKNOWN_HOURS" in result.stderr
