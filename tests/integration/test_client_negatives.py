"""Negative examples through the client: the real server and the fake pass the same tests."""

import uuid

import pytest

import facewire
from facewire import DecidingRule, ErrorReason, Outcome


@pytest.fixture
def client(address, connect):
    with connect(address) as connected:
        yield connected


@pytest.fixture
def ada(client, portrait):
    """A gallery with Ada, enrolled from a part of the picture."""
    gallery = client.create_gallery(f"test-{uuid.uuid4().hex}").gallery_id
    client.enroll("ada", portrait[:, 8:], gallery=gallery, display_name="Ada")
    return gallery


def decided(client, gallery, picture) -> facewire.Decision:
    (face,) = client.recognize(picture, gallery=gallery, max_candidates=2).faces
    return face.decision


def test_a_face_nearer_to_a_negative_example_has_no_name_until_that_is_taken_back(
    client, ada, portrait
):
    before = decided(client, ada, portrait)
    assert before.outcome is Outcome.KNOWN
    assert before.candidates[0].negative_example_similarity is None
    added = client.add_negative_example("ada", portrait, gallery=ada, source="door")
    assert (added.example.identity_id, added.example.source) == ("ada", "door")
    assert added.threshold < added.similarity < 1
    assert added.revision == client.gallery(ada).revision > before.gallery_revision
    assert list(client.negative_examples("ada", gallery=ada)) == [added.example]
    assert client.identity("ada", gallery=ada).negative_example_count == 1
    assert client.gallery(ada).negative_example_count == 1
    after = decided(client, ada, portrait)
    assert (after.outcome, after.identity_id) == (Outcome.UNKNOWN, "")
    assert after.similarity == pytest.approx(before.similarity, abs=1e-5)
    assert after.candidates[0].negative_example_similarity == pytest.approx(1, abs=0.02)
    assert decided(client, ada, portrait[:, 8:]).outcome is Outcome.KNOWN, "she is herself"
    client.delete_negative_example(added.example.negative_example_id, gallery=ada)
    assert list(client.negative_examples("ada", gallery=ada)) == []
    assert decided(client, ada, portrait).outcome is Outcome.KNOWN


def test_a_face_that_is_passed_over_gets_the_next_name(client, ada, portrait):
    with pytest.warns(facewire.SimilarIdentityWarning):
        client.enroll("bo", portrait[8:], gallery=ada, display_name="Bo")
    for other in ("ada", "bo"):
        client.add_negative_example(other, portrait, gallery=ada)
    assert decided(client, ada, portrait).outcome is Outcome.UNKNOWN
    (example,) = client.negative_examples("bo", gallery=ada)
    client.delete_negative_example(example.negative_example_id, gallery=ada)
    decision = decided(client, ada, portrait)
    assert (decision.outcome, decision.display_name) == (Outcome.KNOWN, "Bo")
    assert decision.margin == 0, "no one else could have it"


@pytest.mark.parametrize("who", ["nobody", "ada"])
def test_what_is_not_there_is_not_found(client, ada, portrait, who):
    if who == "ada":
        client.delete_identity("ada", gallery=ada)
    for call in (
        lambda: client.add_negative_example(who, portrait, gallery=ada),
        lambda: list(client.negative_examples(who, gallery=ada)),
    ):
        with pytest.raises(facewire.NotFoundError) as caught:
            call()
        assert caught.value.reason is ErrorReason.IDENTITY_NOT_FOUND
    with pytest.raises(facewire.NotFoundError) as caught:
        client.delete_negative_example("0" * 32, gallery=ada)
    assert caught.value.reason is ErrorReason.NEGATIVE_EXAMPLE_NOT_FOUND
    with pytest.raises(facewire.InvalidRequestError) as wrong:
        client.delete_negative_example("no id", gallery=ada)
    assert wrong.value.field == "negative_example_id"


def test_a_picture_that_cannot_be_used_adds_nothing(client, ada, portrait):
    with pytest.raises(facewire.InvalidPictureError):
        client.add_negative_example("ada", b"no picture", gallery=ada)
    assert list(client.negative_examples("ada", gallery=ada)) == []
    assert decided(client, ada, portrait).outcome is Outcome.KNOWN


def test_a_deleted_person_leaves_no_negative_example(client, ada, portrait):
    added = client.add_negative_example("ada", portrait, gallery=ada)
    client.delete_identity("ada", gallery=ada)
    with pytest.raises(facewire.NotFoundError):
        client.delete_negative_example(added.example.negative_example_id, gallery=ada)
    client.create_identity("ada", gallery=ada)
    assert list(client.negative_examples("ada", gallery=ada)) == []


@pytest.mark.parametrize("address", ["real"], indirect=True)  # the fake explains nothing
def test_the_explained_decision_says_whom_the_face_is_nearer_to(client, ada, portrait):
    client.add_negative_example("ada", portrait, gallery=ada)
    (face,) = client.recognize(portrait, gallery=ada, explain=True).faces
    judgment = face.decision.judgment
    assert judgment is not None
    assert judgment.deciding_rule is DecidingRule.NEARER_TO_NEGATIVE_EXAMPLE
    assert judgment.passed_over_similarity == pytest.approx(face.decision.similarity)
    assert judgment.negative_example_similarity == pytest.approx(1, abs=0.02)
