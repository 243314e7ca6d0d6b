"""`facewire identity not`: a face is not a person, which is listed and taken back."""

import json

import cv2
import pytest

import facewire
from fakes.server import FakeServer


@pytest.fixture
def fake(portrait):
    with FakeServer() as server:
        with facewire.Client(server.address) as client:
            client.enroll("ada", portrait[:, 8:])
        yield server


@pytest.fixture
def picture(portrait, tmp_path):
    path = tmp_path / "not her.png"
    cv2.imwrite(str(path), portrait[:, :, ::-1])
    return path


def listed(fake) -> list[facewire.NegativeExample]:
    with facewire.Client(fake.address) as client:
        return list(client.negative_examples("ada"))


def test_a_face_that_is_not_a_person_is_taken_back_by_the_printed_command(run, fake, picture):
    added = run("identity", "not", "ada", picture, server=fake.address)
    assert (added.returncode, added.stdout) == (0, "")
    (example,) = listed(fake)
    assert example.source == "not her.png"
    assert added.stderr.splitlines()[-1] == (
        "If that was wrong: facewire identity delete-negative-example --gallery default -- "
        f"{example.negative_example_id}"
    )
    shown = run("identity", "negative-examples", "ada", server=fake.address).stdout
    assert example.negative_example_id in shown
    assert "not her.png" in shown
    back = ["identity", "delete-negative-example", "--gallery", "default", "--", example.negative_example_id]  # fmt: skip
    assert "is deleted" in run(*back, server=fake.address).stderr
    assert listed(fake) == []
    again = run(*back, server=fake.address)
    assert again.returncode == 4
    assert "facewire identity negative-examples" in again.stderr


def test_programs_add_list_and_take_back_in_json(run, fake, picture):
    added = json.loads(
        run("identity", "not", "ada", picture, "--json", server=fake.address).stdout
    )["added"]
    (example,) = listed(fake)
    assert added["example"]["negative_example_id"] == example.negative_example_id
    assert added["similarity"] <= 1
    (line,) = run("identity", "negative-examples", "ada", "--json", server=fake.address).stdout.splitlines()  # fmt: skip
    assert json.loads(line)["negative_example"]["identity_id"] == "ada"
    deleted = run("identity", "delete-negative-example", example.negative_example_id, "--json", server=fake.address)  # fmt: skip
    assert json.loads(deleted.stdout)["status"] == "deleted"


def test_a_face_far_from_the_person_is_said_to_change_little(run, fake, picture, portrait):
    cv2.imwrite(str(picture), portrait[::-1, ::-1])
    added = run("identity", "not", "ada", picture, server=fake.address)
    assert added.returncode == 0, added.stderr
    assert "it may change little" in added.stderr


def test_a_picture_without_a_face_and_a_person_who_is_not_there_are_refused(run, fake, picture):
    missing = run("identity", "not", "bo", picture, server=fake.address)
    assert missing.returncode == 4
    picture.write_bytes(b"no picture")
    refused = run("identity", "not", "ada", picture, server=fake.address)
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr
    assert listed(fake) == []
