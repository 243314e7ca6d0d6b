"""What is tried again, and what is not, against a server that fails by script."""

from typing import Any

import grpc
import pytest

import facewire
from facewire import ErrorReason
from facewire._wire.retries import Deadline, Retries
from fakes.pulled import copies
from fakes.server import failure

AWAY = failure(grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE")


BROKEN = [
    failure(grpc.StatusCode.INTERNAL, detail="Received RST_STREAM with error code 2"),
    failure(grpc.StatusCode.UNKNOWN, detail="Stream removed"),
    failure(grpc.StatusCode.CANCELLED, detail="Received RST_STREAM with error code 8"),
    failure(grpc.StatusCode.UNAVAILABLE, detail="Received http2 header with status: 502"),
]
"""What a killed server looks like behind a proxy: of no reason of facewire's."""


@pytest.fixture
def picture(astronaut):
    return facewire.Image.from_array(astronaut[:256, 128:384])


def test_a_call_that_only_reads_is_repeated_while_the_server_is_unavailable(fake, client):
    fake.fail_next("GetGallery", AWAY, times=3)
    assert client.gallery().gallery_id == "default"
    assert fake.calls["GetGallery"] == 4


@pytest.mark.parametrize("broken", BROKEN, ids=lambda status: status.code.name)
def test_a_connection_that_a_proxy_breaks_is_tried_again(fake, client, picture, broken):
    fake.fail_next("GetGallery", broken, times=2)
    fake.fail_next("EnrollTemplates", broken, after=True)
    fake.fail_next("StreamRecognize", broken, times=2)
    assert client.gallery().gallery_id == "default"
    assert client.enroll("ada", picture).accepted_count == 1
    assert [result.sequence for result in client.stream([picture])] == [1]
    assert (fake.calls["GetGallery"], fake.calls["EnrollTemplates"]) == (3, 2)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda status: status.code.name)
def test_a_write_whose_connection_broke_is_not_repeated(fake, client, broken):
    fake.fail_next("CreateGallery", broken, after=True)
    with pytest.raises(facewire.UnreachableError):
        client.create_gallery("cellar")
    assert fake.calls["CreateGallery"] == 1


@pytest.mark.parametrize("reason", ["TOO_MANY_CALLS", "OUT_OF_MEMORY"])
def test_a_server_without_room_is_asked_again(fake, client, picture, reason):
    full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
    fake.fail_next("GetGallery", full, times=3)
    fake.fail_next("EnrollTemplates", full, times=2)
    fake.fail_next("StreamRecognize", full)
    assert client.gallery().gallery_id == "default"
    assert client.enroll("ada", picture).accepted_count == 1
    assert [result.sequence for result in client.stream([picture])] == [1]
    assert (fake.calls["GetGallery"], fake.calls["EnrollTemplates"]) == (4, 3)


def test_a_write_that_found_no_room_is_not_repeated(fake, client):
    full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
    fake.fail_next("CreateGallery", full)
    with pytest.raises(facewire.LimitError, match="Try again when fewer calls are in progress"):
        client.create_gallery("cellar")
    assert fake.calls["CreateGallery"] == 1


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.DATA_LOSS, "GALLERY_DAMAGED"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"),
    ],
)
def test_a_limit_or_damage_that_does_not_pass_is_not_asked_again(fake, client, code, reason):
    fake.fail_next("GetGallery", failure(code, reason))
    with pytest.raises(facewire.FacewireError) as caught:
        client.gallery()
    assert caught.value.reason.name == reason
    assert caught.value.advice
    assert fake.calls["GetGallery"] == 1


def test_it_is_given_up_after_five_attempts(fake, client):
    fake.fail_next("GetGallery", AWAY, times=9)
    with pytest.raises(facewire.UnavailableError) as caught:
        client.gallery()
    assert caught.value.reason is ErrorReason.MODEL_UNAVAILABLE
    assert fake.calls["GetGallery"] == 5


def test_a_write_that_cannot_be_told_from_its_repetition_is_not_repeated(fake, client):
    fake.fail_next("CreateGallery", AWAY, after=True)
    with pytest.raises(facewire.UnavailableError):
        client.create_gallery("cellar")
    assert fake.calls["CreateGallery"] == 1


def test_an_error_that_a_repetition_does_not_mend_is_raised_at_once(fake, client):
    fake.fail_next("GetGallery", failure(grpc.StatusCode.INTERNAL, "INTERNAL"))
    with pytest.raises(facewire.ServerError):
        client.gallery()
    assert fake.calls["GetGallery"] == 1


def test_enrolling_again_after_a_lost_answer_enrolls_once(fake, client, picture):
    fake.fail_next("EnrollTemplates", AWAY, after=True)
    result = client.enroll("ada", picture)
    assert fake.calls["EnrollTemplates"] == 2
    assert len(set(fake.request_ids)) == 1
    (template,) = client.templates("ada")
    assert template.template_id == result.pictures[0].template_id


def test_a_negative_example_is_added_once_also_after_a_lost_answer(fake, client, picture):
    client.enroll("ada", picture)
    fake.fail_next("AddNegativeExample", AWAY, after=True)
    added = client.add_negative_example("ada", picture)
    assert fake.calls["AddNegativeExample"] == 2
    assert len(set(fake.request_ids)) == 2
    assert list(client.negative_examples("ada")) == [added.example]
    fake.fail_next("DeleteNegativeExample", AWAY, after=True)
    with pytest.raises(facewire.UnavailableError):
        client.delete_negative_example(added.example.negative_example_id)
    assert fake.calls["DeleteNegativeExample"] == 1


def test_each_chunk_has_a_request_id_of_its_own(fake, client, picture):
    client.enroll("ada", [picture] * 11)
    client.enroll("ada", [picture])
    assert len(set(fake.request_ids)) == 3


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "IMAGE_TOO_MANY_BYTES"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "REQUEST_TOO_LARGE"),
    ],
)
def test_a_chunk_that_is_too_large_for_this_server_is_sent_in_parts(
    fake, client, picture, code, reason
):
    too_large = failure(code, reason, field="images")
    fake.fail_next("EnrollTemplates", too_large, times=3)  # of 4, of 2, of 1
    result = client.enroll("ada", [picture] * 4)
    accepted = [each.accepted for each in result.pictures]
    assert accepted == [False, True, True, True]
    assert result.pictures[0].refusal is ErrorReason[reason]
    assert len(set(fake.request_ids)) == len(fake.request_ids)


def test_retries_end_with_the_time():
    away = facewire.UnavailableError("away")
    busy = facewire.UnavailableError("busy", reason=ErrorReason.WORKER_BUSY)
    for error in (away, busy):
        assert Retries(Deadline(0.0)).pause_s(error) is None
    pause_s = Retries(Deadline(10.0)).pause_s(away)
    assert pause_s is not None
    assert pause_s > 0
    assert Retries(Deadline(10.0)).pause_s(busy) == 0


def test_no_attempt_comes_before_the_server_allows_it():
    asked = facewire.UnavailableError("away", retry_after_s=3.0)
    pause_s = Retries(Deadline(10.0)).pause_s(asked)
    assert pause_s is not None
    assert 3.0 < pause_s < 3.2
    assert Retries(Deadline(2.0)).pause_s(asked) is None


def test_all_attempts_to_open_a_stream_share_one_timeout(fake, connect, picture, monkeypatch):
    left_s: list[float] = []
    own = Deadline.__dict__["left_s"].fget

    def noted_s(deadline: Deadline) -> float:
        left_s.append(own(deadline))
        return left_s[-1]

    monkeypatch.setattr(Deadline, "left_s", property(noted_s))
    busy = failure(grpc.StatusCode.UNAVAILABLE, "WORKER_BUSY")
    fake.fail_next("StreamRecognize", busy, times=2)
    with connect(fake.address, timeout_s=20) as client:
        client.stream([picture]).open().close()
    assert len(left_s) > 3
    assert left_s == sorted(left_s, reverse=True)


def test_a_call_that_is_not_answered_ends_with_the_time(fake, connect):
    fake.silent = {"GetGallery"}
    client = connect(fake.address, timeout_s=0.2)
    with client, pytest.raises(facewire.DeadlineError):
        client.gallery()
    assert fake.asked.is_set()


# How each method is called, and the first method of the contract that it calls.
UNARY: dict[str, tuple[list[Any], str]] = {
    "recognize": ([b"x"], "Recognize"),
    "compare": ([b"x", b"x"], "Compare"),
    "enroll": (["ada", b"x"], "EnrollTemplates"),
    "server_info": ([], "GetServerInfo"),
    "health": ([], "Check"),
    "gallery": ([], "GetGallery"),
    "galleries": ([], "ListGalleries"),
    "create_gallery": (["new"], "CreateGallery"),
    "delete_gallery": (["new"], "DeleteGallery"),
    "identities": ([], "ListIdentities"),
    "identity_page": ([], "ListIdentities"),
    "identity": (["ada"], "GetIdentity"),
    "create_identity": (["ada"], "CreateIdentity"),
    "rename_identity": (["ada", "Ada"], "UpdateIdentity"),
    "delete_identity": (["ada"], "DeleteIdentity"),
    "templates": (["ada"], "ListTemplates"),
    "template": (["0" * 32], "GetTemplate"),
    "delete_template": (["0" * 32], "DeleteTemplate"),
    "check_gallery": ([], "CheckGallery"),
    "merge_identities": (["ada", "bo"], "MergeIdentities"),
    "split_identity": (["ada", ["0" * 32], "new"], "SplitIdentity"),
    "add_negative_example": (["ada", b"x"], "AddNegativeExample"),
    "negative_examples": (["ada"], "ListNegativeExamples"),
    "delete_negative_example": (["0" * 32], "DeleteNegativeExample"),
    "purge_deleted": ([], "PurgeDeleted"),
    "track_crop": ([7], "GetTrackCrop"),
    "unknown_people": ([], "ListUnknownPeople"),
    "unknown_pictures": ([7], "GetUnknownPictures"),
    "enroll_unknown": ([7, "ada"], "EnrollUnknown"),
    "forget_unknown": ([7], "ForgetUnknown"),
    "forget_all_unknown": ([], "ForgetUnknown"),
}


def test_every_method_without_a_limit_of_its_own_streams():
    public = {name for name in dir(facewire.Client) if not name.startswith("_")}
    assert public - set(UNARY) == {
        "close", "export_gallery", "import_gallery", "stream", "watch_tracks", "follow_camera",
    }  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_a_call_keeps_to_a_limit_of_its_own(fake, connect, name):
    arguments, method = UNARY[name]
    fake.silent = {method}
    # Far more than the test itself may take.
    client = connect(fake.address, timeout_s=3600)
    with client, pytest.raises(facewire.DeadlineError):
        list(getattr(client, name)(*arguments, timeout_s=0.1))


def test_a_stream_opens_within_a_limit_of_its_own(fake, connect, picture):
    fake.silent = {"StreamRecognize"}
    client = connect(fake.address, timeout_s=3600)
    with client, pytest.raises(facewire.DeadlineError, match=r"0\.1 s"):
        client.stream([picture], timeout_s=0.1).open()


def test_a_new_name_is_not_written_over_a_later_one(fake, client):
    client.create_identity("ada")
    fake.fail_next("UpdateIdentity", AWAY, after=True)
    with pytest.raises(facewire.UnavailableError):
        client.rename_identity("ada", "Ada")
    assert fake.calls["UpdateIdentity"] == 1


def test_a_stream_refused_by_a_busy_worker_is_opened_on_new_connections(fake, client, picture):
    busy = failure(grpc.StatusCode.UNAVAILABLE, "WORKER_BUSY")
    fake.fail_next("StreamRecognize", busy, times=4)
    pulled: list[int] = []
    stream = client.stream(copies(picture, 2, pulled))
    assert [result.sequence for result in stream] == [1, 2]
    assert pulled == [0, 1]
    assert len(set(fake.peers)) == 5


def test_a_stream_that_cannot_be_opened_pulls_no_frame(fake, client):
    pulled: list[int] = []
    with pytest.raises(facewire.NotFoundError):
        client.stream(copies(b"x", 2, pulled), gallery="none").open()
    assert pulled == []
