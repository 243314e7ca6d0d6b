"""`facewire doctor`: what was found is listed with what to do, for people without names, and for programs."""

import json

import pytest

from facewire.v1 import face_pb2, gallery_pb2
from fakes.server import FakeServer


@pytest.fixture
def fake():
    with FakeServer() as server:
        yield server


def finding(*identity_ids, value=0.5, faults=()):
    people = [
        gallery_pb2.FoundPerson(identity_id=each, display_name="Secret") for each in identity_ids
    ]
    return gallery_pb2.GalleryFinding(
        people=people, template_ids=["a" * 32], value=value, faults=faults
    )


def test_nothing_is_found(fake, run):
    result = run("doctor", server=fake.address)
    assert (result.returncode, result.stdout) == (0, "")
    assert "0 people compared, nothing was found." in result.stderr


def test_findings_are_listed_with_the_next_step(fake, run):
    fake.galleries.found = {
        gallery_pb2.FINDING_KIND_PROBABLE_DOUBLE: [finding("ada", "a\x1b[2J"), finding("bo", "cy")],
        gallery_pb2.FINDING_KIND_POOR_PICTURE: [
            finding("pat", value=0.75, faults=[face_pb2.QUALITY_FAULT_TOO_SMALL])
        ],
    }
    result = run("doctor", "--limit", "1", server=fake.address)
    assert result.returncode == 0, result.stderr
    doubles, first, poor, second = result.stdout.splitlines()
    assert "`facewire identity merge` them" in doubles
    assert doubles.endswith(": 2, the worst 1 of them")
    assert first == f"  0.500 ada a\\x1b[2J template {'a' * 32}"
    assert poor.endswith(": 1")
    assert second == f"  0.750 pat template {'a' * 32} too small"
    assert "Secret" not in result.stdout


def test_a_program_gets_each_kind(fake, run):
    fake.galleries.found = {gallery_pb2.FINDING_KIND_LEFT_OUT: [finding("ada")]}
    result = run("doctor", "--json", server=fake.address)
    found = {
        one["findings"]["kind"]: one["findings"]
        for one in map(json.loads, result.stdout.splitlines())
    }
    assert {kind: each["total_count"] for kind, each in found.items()} == {
        "PROBABLE_DOUBLE": 0, "CONFUSABLE": 0, "LEFT_OUT": 1, "DISAGREEING": 0, "POOR_PICTURE": 0,
        "REFUSED_TEMPLATE": 0,
    }  # fmt: skip
    (only,) = found["LEFT_OUT"]["listed"]
    assert only["people"] == [{"identity_id": "ada", "display_name": "Secret"}]
    assert only["resembled"] is None


def test_a_template_is_listed_with_whom_it_resembles_and_the_command_that_deletes_it(fake, run):
    wrong = finding("ada")
    wrong.resembled.identity_id = "bo"
    wrong.resembled_similarity = 0.75
    fake.galleries.found = {
        gallery_pb2.FINDING_KIND_LEFT_OUT: [wrong],
        gallery_pb2.FINDING_KIND_REFUSED_TEMPLATE: [
            finding("pat", faults=[face_pb2.QUALITY_FAULT_UPSIDE_DOWN])
        ],
    }
    left_out, first, refused, second = run("doctor", server=fake.address).stdout.splitlines()
    assert first == f"  0.500 ada template {'a' * 32} resembles bo 0.750"
    assert second == f"  0.500 pat template {'a' * 32} upside down"
    assert all("`facewire identity delete-template`" in each for each in (left_out, refused))
