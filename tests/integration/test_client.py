"""The client against the real server, with the astronaut's as the only face, and against the fake.

Both servers pass the same tests: so the fake, which the tests of the client and the command rely on,
keeps the contract as the real one does.
"""

import re
import uuid
from datetime import UTC, datetime, timedelta

import cv2
import grpc
import numpy as np
import pytest

import facewire
from facewire import (
    CompareOutcome,
    ErrorReason,
    FaceSelection,
    FramePolicy,
    FrameStatus,
    ImageFormat,
    Outcome,
)
from facewire._wire.grpc_status import error_from_rpc
from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from fakes.server import FakeServer


@pytest.fixture
def client(address, connect):
    with connect(address) as connected:
        yield connected


@pytest.fixture
def gallery(client):
    """An empty gallery of the test's own."""
    return client.create_gallery(f"test-{uuid.uuid4().hex}").gallery_id


@pytest.fixture(scope="session")
def portrait_jpeg(portrait):
    return cv2.imencode(".jpg", portrait[:, :, ::-1])[1].tobytes()


@pytest.fixture(scope="session")
def nobody():
    """A JPEG of even gray: no face."""
    return cv2.imencode(".jpg", np.full((240, 320, 3), 128, np.uint8))[1].tobytes()


def test_somebody_who_was_enrolled_is_recognized(client, gallery, portrait, portrait_jpeg):
    enrolled = client.enroll("eileen", portrait, gallery=gallery, display_name="Eileen Collins")
    assert enrolled.accepted_count == 1
    found = client.recognize(portrait_jpeg, gallery=gallery)
    (face,) = found.faces
    assert (face.name, face.decision.identity_id) == ("Eileen Collins", "eileen")
    assert face.decision.outcome is Outcome.KNOWN
    assert face.decision.similarity > face.decision.threshold
    assert (found.width_px, found.height_px) == (256, 256)
    assert found.gallery_revision == enrolled.revision
    assert found.timings.total_us > 0


def test_nobody_is_known_in_an_empty_gallery(client, gallery, portrait_jpeg):
    (face,) = client.recognize(portrait_jpeg, gallery=gallery).faces
    assert face.decision.outcome is Outcome.UNKNOWN
    assert face.name is None


def test_every_kind_of_picture_gives_the_same_face(
    client, gallery, portrait, portrait_jpeg, tmp_path
):
    client.enroll("eileen", portrait, gallery=gallery)
    (tmp_path / "a.jpg").write_bytes(portrait_jpeg)
    kinds = [
        portrait,
        facewire.Image.from_array(portrait[:, :, ::-1], bgr=True),
        portrait_jpeg,
        tmp_path / "a.jpg",
        str(tmp_path / "a.jpg"),
        cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY),
    ]
    for picture in kinds:
        (face,) = client.recognize(picture, gallery=gallery).faces
        assert face.name == "eileen"


def test_a_picture_without_a_face_is_an_answer(client, gallery, nobody):
    assert client.recognize(nobody, gallery=gallery).faces == ()


def test_a_picture_that_is_none_is_an_error_that_names_it(client, gallery):
    with pytest.raises(facewire.InvalidPictureError) as caught:
        client.recognize(b"this is text", gallery=gallery)
    assert caught.value.reason is ErrorReason.IMAGE_UNDECODABLE
    assert caught.value.field == "image"


def test_a_picture_over_the_servers_limit_is_an_error_of_the_picture(client, gallery):
    with pytest.raises(facewire.InvalidPictureError) as caught:
        client.recognize(bytes(20 * 2**20), gallery=gallery)
    assert caught.value.reason is ErrorReason.IMAGE_TOO_MANY_BYTES


def test_two_pictures_of_one_person_are_the_same(client, portrait, portrait_jpeg):
    answer = client.compare(portrait, portrait_jpeg, selection=FaceSelection.LARGEST)
    assert answer.outcome is CompareOutcome.SAME
    assert answer.similarity > answer.threshold
    assert type(answer.first) is type(answer.second) is facewire.DetectedFace


def test_comparing_with_nobody_names_the_picture(client, portrait, nobody):
    with pytest.raises(facewire.NoFaceError) as caught:
        client.compare(portrait, nobody)
    assert caught.value.field == "second"


def test_any_number_of_pictures_is_enrolled_each_answered_in_order(
    client, gallery, portrait, nobody
):
    pictures = [portrait] * 11 + [nobody] + [portrait, b"text"]
    result = client.enroll("eileen", iter(pictures), gallery=gallery)
    assert [each.refusal for each in result.pictures] == [
        *[None] * 11, ErrorReason.NO_FACE, None, ErrorReason.IMAGE_UNDECODABLE
    ]  # fmt: skip
    ids = [template.template_id for template in client.templates("eileen", gallery=gallery)]
    assert ids == [each.template_id for each in result.pictures if each.accepted]
    assert client.identity("eileen", gallery=gallery).template_count == 12


def test_a_person_who_resembles_another_is_a_warning_without_an_id(
    client, gallery, portrait, nobody
):
    client.enroll("ann", portrait, gallery=gallery, display_name="Ann Example")
    lookalike = "\u0430nn"  # its first letter is Cyrillic, so it is another id
    with pytest.warns(facewire.SimilarIdentityWarning) as warned:
        result = client.enroll(lookalike, [portrait, nobody, portrait], gallery=gallery)
    (warning,) = warned
    assert "similar_identity_id" in str(warning.message)
    assert not {"ann", lookalike, "Example"} & set(re.findall(r"\w+", str(warning.message)))
    assert [each.similar_identity_id for each in result.pictures] == ["ann", "", "ann"]


def test_enrolling_nobody_known_can_be_refused(client, gallery, portrait):
    with pytest.raises(facewire.NotFoundError) as caught:
        client.enroll("eileen", portrait, gallery=gallery, create_identity=False)
    assert caught.value.reason is ErrorReason.IDENTITY_NOT_FOUND


def test_identities_are_made_listed_renamed_and_deleted(client, gallery):
    for number in range(7):
        client.create_identity(f"id-{number}", gallery=gallery)
    assert [each.identity_id for each in client.identities(gallery=gallery)] == [
        f"id-{number}" for number in range(7)
    ]
    with pytest.raises(facewire.AlreadyExistsError):
        client.create_identity("id-0", gallery=gallery)
    assert client.rename_identity("id-0", "Zoë", gallery=gallery).display_name == "Zoë"
    assert client.identity("id-0", gallery=gallery).display_name == "Zoë"
    revision = client.gallery(gallery).revision
    assert client.delete_identity("id-0", gallery=gallery) > revision
    with pytest.raises(facewire.NotFoundError):
        client.identity("id-0", gallery=gallery)


def test_identities_are_listed_one_page_at_a_time(client, gallery):
    for name in ("c", "a", "b"):
        client.create_identity(name, gallery=gallery)
    first = client.identity_page(gallery=gallery, page_size=2)
    assert [each.identity_id for each in first.identities] == ["a", "b"]
    last = client.identity_page(gallery=gallery, page_size=2, page_token=first.next_page_token)
    assert [each.identity_id for each in last.identities] == ["c"]
    assert last.next_page_token == ""


def test_a_template_is_read_by_its_id(client, gallery, portrait):
    (picture,) = client.enroll("ada", portrait, gallery=gallery).pictures
    template = client.template(picture.template_id, gallery=gallery)
    assert (template.template_id, template.identity_id) == (picture.template_id, "ada")
    client.delete_template(picture.template_id, gallery=gallery)
    with pytest.raises(facewire.NotFoundError) as caught:
        client.template(picture.template_id, gallery=gallery)
    assert caught.value.reason is ErrorReason.TEMPLATE_NOT_FOUND


def test_nothing_is_found_in_an_empty_gallery(client, gallery):
    checkup = client.check_gallery(gallery=gallery)
    assert checkup.is_sound
    assert [each.kind for each in checkup.findings] == list(facewire.FindingKind)[1:]
    assert checkup.gallery.gallery_id == gallery
    with pytest.raises(facewire.InvalidRequestError) as caught:
        client.check_gallery(gallery=gallery, max_findings=101)
    assert caught.value.field == "max_findings"


def test_somebody_who_was_deleted_is_not_recognized_any_more(client, gallery, portrait):
    client.enroll("eileen", portrait, gallery=gallery)
    client.delete_identity("eileen", gallery=gallery)
    (face,) = client.recognize(portrait, gallery=gallery).faces
    assert face.decision.outcome is Outcome.UNKNOWN


def test_a_template_is_deleted_and_the_identity_stays(client, gallery, portrait):
    result = client.enroll("eileen", portrait, gallery=gallery, source="a test")
    (template,) = client.templates("eileen", gallery=gallery)
    assert (template.template_id, template.source) == (result.pictures[0].template_id, "a test")
    client.delete_template(template.template_id, gallery=gallery)
    assert list(client.templates("eileen", gallery=gallery)) == []
    assert client.identity("eileen", gallery=gallery).template_count == 0


def test_galleries_are_listed_and_the_default_one_is_there(client, gallery):
    assert {"default", gallery} <= {each.gallery_id for each in client.galleries()}
    assert client.gallery(gallery).identity_count == 0
    with pytest.raises(facewire.AlreadyExistsError):
        client.create_gallery(gallery)


@pytest.mark.parametrize("call", ["recognize", "stream", "gallery", "delete_gallery"])
def test_a_gallery_that_is_not_there_is_said_to_be(client, portrait, call):
    name = f"none-{uuid.uuid4().hex}"
    calls = {
        "recognize": lambda: client.recognize(portrait, gallery=name),
        "stream": lambda: client.stream([portrait], gallery=name).open(),
        "gallery": lambda: client.gallery(name),
        "delete_gallery": lambda: client.delete_gallery(name),
    }
    with pytest.raises(facewire.NotFoundError) as caught:
        calls[call]()
    assert caught.value.reason is ErrorReason.GALLERY_NOT_FOUND


def test_deleting_the_default_gallery_empties_it_and_it_stays(client):
    # On the real server other tests use it, too: only what is true whatever they do is looked at.
    client.create_identity(f"id-{uuid.uuid4().hex}")
    before = client.gallery().revision
    assert client.delete_gallery("default") > before
    assert client.gallery().identity_count == 0
    assert client.gallery().gallery_id == "default"


def test_a_deleted_gallery_is_gone_with_everybody_and_may_be_made_again(client, gallery):
    client.create_identity("ada", gallery=gallery)
    before = client.gallery(gallery).revision
    assert client.delete_gallery(gallery) > before
    with pytest.raises(facewire.NotFoundError):
        client.gallery(gallery)
    again = client.create_gallery(gallery)
    assert again.identity_count == 0


def test_names_are_the_ids_unless_they_are_given(client, gallery):
    assert client.create_gallery(f"{gallery}-a").display_name == f"{gallery}-a"
    made = client.create_gallery(f"{gallery}-b", display_name="The cellar")
    assert (made.display_name, client.gallery(f"{gallery}-b")) == ("The cellar", made)
    assert client.create_identity("ada", gallery=gallery).display_name == "ada"
    named = client.create_identity("bo", gallery=gallery, display_name="Bo K.")
    assert client.identity("bo", gallery=gallery) == named


def test_times_are_those_of_the_making(client, gallery, portrait):
    before = datetime.now(UTC) - timedelta(minutes=1)
    client.enroll("ada", portrait, gallery=gallery)
    (template,) = client.templates("ada", gallery=gallery)
    made = client.gallery(gallery), client.identity("ada", gallery=gallery), template
    for each in made:
        assert before < each.created_at < before + timedelta(minutes=10)


def test_every_write_raises_the_revision_and_no_read_does(client, gallery, portrait, nobody):
    revisions = [client.gallery(gallery).revision]

    def wrote(revision):
        assert revision > revisions[-1]
        assert client.gallery(gallery).revision == revision
        revisions.append(revision)

    client.create_identity("ada", gallery=gallery)
    wrote(client.gallery(gallery).revision)
    client.rename_identity("ada", "Ada", gallery=gallery)
    wrote(client.gallery(gallery).revision)
    result = client.enroll("ada", portrait, gallery=gallery)
    wrote(result.revision)
    assert client.enroll("ada", nobody, gallery=gallery).revision == revisions[-1]
    assert client.recognize(portrait, gallery=gallery).gallery_revision == revisions[-1]
    wrote(client.delete_template(result.pictures[0].template_id, gallery=gallery))
    wrote(client.delete_identity("ada", gallery=gallery))
    with pytest.raises(facewire.NotFoundError):
        client.delete_identity("ada", gallery=gallery)
    assert client.gallery(gallery).revision == revisions[-1]


def test_somebody_of_whom_all_pictures_are_refused_is_not_made(client, gallery, nobody):
    client.enroll("ada", [nobody, b"text"], gallery=gallery)
    assert list(client.identities(gallery=gallery)) == []


def test_what_was_enrolled_is_described_alike_by_the_answer_and_the_list(client, gallery, portrait):
    (picture,) = client.enroll("ada", portrait, gallery=gallery, source="s").pictures
    (template,) = client.templates("ada", gallery=gallery)
    assert (template.template_id, template.identity_id) == (picture.template_id, "ada")
    assert re.fullmatch("[0-9a-f]{32}", template.template_id)
    assert template.quality == picture.quality
    assert 0 < template.detection_score <= 1
    assert picture.box.width_px > 0


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda client: client.gallery("No Gallery"), "gallery_id"),
        (lambda client: client.create_gallery("a" * 65), "gallery_id"),
        (lambda client: client.delete_gallery(""), "gallery_id"),
        (lambda client: client.create_gallery("a", display_name="x" * 257), "display_name"),
        (lambda client: client.create_identity(""), "identity_id"),
        (lambda client: client.create_identity("x" * 129), "identity_id"),
        (lambda client: client.create_identity("a\nb"), "identity_id"),
        (lambda client: client.identity("a\nb"), "identity_id"),
        (lambda client: client.rename_identity("a", ""), "display_name"),
        (lambda client: client.delete_template("no"), "template_id"),
        (lambda client: client.enroll("a", b"x", source="x" * 257), "source"),
    ],
)
def test_a_field_that_cannot_be_is_named(client, call, field):
    with pytest.raises(facewire.InvalidRequestError) as caught:
        call(client)
    assert (caught.value.reason, caught.value.field) == (ErrorReason.FIELD_INVALID, field)


def test_a_template_that_is_not_there_is_said_to_be(client, gallery):
    with pytest.raises(facewire.NotFoundError) as caught:
        client.delete_template("0" * 32, gallery=gallery)
    assert caught.value.reason is ErrorReason.TEMPLATE_NOT_FOUND


def test_a_gallery_goes_to_a_file_and_into_another(client, gallery, portrait, tmp_path):
    client.enroll("ada", portrait, gallery=gallery, display_name="Ada Lovelace", source="s")
    client.create_identity("bo", gallery=gallery)
    exported = client.export_gallery(tmp_path / "all", gallery=gallery)
    assert exported == client.gallery(gallery)
    copy = client.create_gallery(f"{gallery}-copy").gallery_id
    first = client.import_gallery(tmp_path / "all", gallery=copy)
    assert (first.identities_added, first.templates_added, first.templates_skipped) == (2, 1, 0)
    assert client.gallery(copy).revision == first.revision
    assert client.identity("ada", gallery=copy) == client.identity("ada", gallery=gallery)
    assert list(client.templates("ada", gallery=copy)) == list(
        client.templates("ada", gallery=gallery)
    )
    again = client.import_gallery(tmp_path / "all", gallery=copy)
    assert (again.identities_added, again.templates_added, again.templates_skipped) == (0, 0, 1)
    assert again.revision == first.revision
    (face,) = client.recognize(portrait, gallery=copy).faces
    assert face.name == "Ada Lovelace"


def test_the_best_identities_are_listed_if_they_are_asked_for(client, gallery, portrait):
    client.enroll("ada", portrait, gallery=gallery)
    (face,) = client.recognize(portrait, gallery=gallery, max_candidates=3).faces
    (best,) = face.decision.candidates
    assert (best.identity_id, best.similarity) == ("ada", face.decision.similarity)
    assert face.decision.template_id == best.template_id
    (face,) = client.recognize(portrait, gallery=gallery).faces
    assert face.decision.candidates == ()


def test_a_threshold_of_the_callers_decides(client, gallery, portrait):
    client.enroll("ada", portrait, gallery=gallery)
    turned = np.ascontiguousarray(portrait[:, ::-1])
    (strict,) = client.recognize(
        turned, gallery=gallery, decision=facewire.DecisionPolicy(threshold=1.0)
    ).faces
    assert (strict.decision.outcome, strict.decision.threshold) == (Outcome.UNKNOWN, 1.0)
    assert (strict.decision.identity_id, strict.decision.template_id) == ("", "")


def test_a_server_says_what_it_allows_and_a_stream_says_the_same(client, portrait):
    info = client.server_info()
    with client.stream([portrait]) as stream:
        limits = stream.limits
    assert limits.max_in_flight == info.limits.max_in_flight
    assert limits.max_frame_bytes == info.limits.max_frame_bytes
    assert limits.max_pixels == info.limits.max_stream_pixels
    assert limits.model_contract_id == info.model_contract_id
    assert client.gallery().model_contract_id == info.model_contract_id
    (face,) = client.recognize(portrait).faces
    in_force = info.decision_defaults.threshold or client.gallery().threshold
    assert face.decision.threshold == in_force
    assert {ImageFormat.JPEG, ImageFormat.RGB8} <= set(info.image_formats)
    assert info.has(facewire.Feature.WATCH_TRACKS) is True
    assert info.has(facewire.Feature.TRACK_CROPS) is False, "the operator did not allow it"


def test_a_request_that_is_sent_twice_is_carried_out_once(address, gallery, portrait_jpeg):
    request = gallery_pb2.EnrollTemplatesRequest(
        gallery_id=gallery, identity_id="ada", create_identity=True, request_id="r",
        images=[{"data": portrait_jpeg}],
    )  # fmt: skip
    with grpc.insecure_channel(address) as channel:
        stub = gallery_pb2_grpc.GalleryServiceStub(channel)
        assert stub.EnrollTemplates(request) == stub.EnrollTemplates(request)
        request.source = "another"
        with pytest.raises(grpc.RpcError) as caught:
            stub.EnrollTemplates(request)
    error = error_from_rpc(caught.value, target="")
    assert error.reason is ErrorReason.REQUEST_ID_REUSED


def test_a_stream_accounts_for_every_frame_once_in_order(
    client, gallery, portrait, portrait_jpeg, nobody
):
    client.enroll("eileen", portrait, gallery=gallery)
    frames = [
        facewire.Frame(picture, captured_at_us=1000 + number)
        for number, picture in enumerate([portrait_jpeg, nobody, b"text", portrait, b""])
    ]
    stream = client.stream(frames, camera="t", gallery=gallery, policy=FramePolicy.EVERY_FRAME)
    results = [each for each in stream if isinstance(each, facewire.FrameResult)]
    assert stream.limits.max_in_flight >= 1
    assert [each.sequence for each in results] == [1, 2, 3, 4, 5]
    assert [each.captured_at_us for each in results] == [1000, 1001, 1002, 1003, 1004]
    ok, bad = FrameStatus.OK, FrameStatus.INVALID
    assert [each.status for each in results] == [ok, ok, bad, ok, bad]
    assert [[face.name for face in each.faces] for each in results] == [
        ["eileen"], [], [], ["eileen"], []
    ]  # fmt: skip


def test_a_live_stream_accounts_for_every_frame_with_or_without_a_result(
    client, gallery, portrait_jpeg
):
    accounted: list[int] = []
    for result in client.stream([portrait_jpeg] * 20, gallery=gallery):
        if isinstance(result, facewire.FramesSkipped):
            accounted += range(result.first_sequence, result.last_sequence + 1)
        elif isinstance(result, facewire.FrameResult):
            accounted.append(result.sequence)
    assert accounted == list(range(1, 21))


def test_a_stream_left_early_does_not_hold_up_the_next(client, gallery, portrait_jpeg):
    for _ in range(3):
        for result in client.stream([portrait_jpeg] * 50, gallery=gallery):
            if isinstance(result, facewire.FrameResult):
                break
    assert client.recognize(portrait_jpeg, gallery=gallery).faces


def test_no_server_is_said_to_be_unreachable(connect):
    with connect("127.0.0.1:1") as client:
        with pytest.raises(facewire.UnreachableError, match=r"127\.0\.0\.1:1: "):
            client.gallery()
        with pytest.raises(facewire.UnreachableError):
            list(client.stream([]))


def test_a_token_is_sent_and_its_lack_is_told(connect):
    with FakeServer(token="secret") as server:
        with connect(server.address, token="secret") as client:
            assert client.gallery().gallery_id == "default"
            assert list(client.stream([])) == []
        with connect(server.address) as client:
            with pytest.raises(facewire.AuthenticationError, match="token"):
                client.gallery()
            with pytest.raises(facewire.AuthenticationError, match="token"):
                list(client.stream([]))


def test_the_feed_of_events_opens_and_ends_with_what_is_kept(client, gallery):
    with client.watch_tracks(cameras=[gallery]) as feed:
        assert not feed.events_lost
    assert list(client.watch_tracks(cameras=[gallery], after_event=1, kept_only=True)) == []


@pytest.mark.parametrize(
    ("given", "field"),
    [({"cameras": ["x" * 129]}, "camera_ids[0]"), ({"identities": ["a\nb"]}, "identity_ids[0]")],
)
def test_a_filter_that_cannot_be_is_named(client, given, field):
    with pytest.raises(facewire.InvalidRequestError) as caught:
        client.watch_tracks(**given).open()
    assert (caught.value.reason, caught.value.field) == (ErrorReason.FIELD_INVALID, field)


def test_unknown_people_are_kept_only_if_the_operator_allows_it(client):
    calls = (
        lambda: list(client.unknown_people()),
        lambda: client.unknown_pictures(7),
        lambda: client.enroll_unknown(7, "ada"),
        lambda: client.forget_unknown(7),
        client.forget_all_unknown,
    )
    for call in calls:
        with pytest.raises(facewire.NotSupportedError) as caught:
            call()
        assert caught.value.reason is ErrorReason.UNKNOWN_PEOPLE_NOT_KEPT
    for call in (client.unknown_pictures, client.forget_unknown):
        with pytest.raises(facewire.InvalidRequestError) as refused:
            call(0)
        assert refused.value.field == "unknown_id"


def test_a_picture_of_a_track_is_kept_only_if_the_operator_allows_it(client):
    with pytest.raises(facewire.NotSupportedError) as caught:
        client.track_crop(7)
    assert caught.value.reason is ErrorReason.CROPS_NOT_KEPT
