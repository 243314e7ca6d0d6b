"""A face that was taken for a person and is not this person: through a real server, in pictures and in streams."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire import Outcome, TrackReason, TrackState
from facewire.v1 import face_pb2, gallery_pb2, gallery_pb2_grpc, recognition_pb2
from facewire.v1.recognition_pb2_grpc import RecognitionServiceStub
from harness.running import RunningServer, running_server

Pixels = NDArray[np.uint8]
pytestmark = pytest.mark.timeout(300)

STEP_US = 200_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(models: Path, folder: Path) -> Iterator[RunningServer]:
    with running_server(data=folder, frame_timeout_s=60) as server:
        yield server


@pytest.fixture
def client(server: RunningServer) -> Iterator[facewire.Client]:
    with facewire.Client(server.address) as client:
        yield client


@pytest.fixture
def channel(server: RunningServer) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as channel:
        yield channel


@pytest.fixture
def galleries(channel: grpc.Channel) -> Any:
    return gallery_pb2_grpc.GalleryServiceStub(channel)


@pytest.fixture
def own_picture(portrait: Pixels) -> Pixels:
    """The person in another picture, turned and darker: it is less like `portrait` than that itself."""
    turn = cv2.getRotationMatrix2D((128, 128), 12, 0.9)
    turned = cv2.warpAffine(portrait, turn, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    return (turned * 0.6).astype(np.uint8)


def image(picture: Pixels) -> face_pb2.Image:
    done, data = cv2.imencode(".png", picture[..., ::-1])
    assert done
    return face_pb2.Image(data=data.tobytes())


def small(picture: Pixels) -> Pixels:
    """The picture with eyes that are less than eight pixels apart: a face that is too poor to be decided about."""
    reduced = cv2.resize(picture, (40, 40), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return np.pad(reduced, ((40, 40), (40, 40), (0, 0)), "edge")


def decision(channel: grpc.Channel, picture: Pixels) -> face_pb2.Decision:
    request = recognition_pb2.RecognizeRequest(image=image(picture), explain=True, max_candidates=1)
    (face,) = RecognitionServiceStub(channel).Recognize(request).faces
    return face.decision


def test_the_face_does_not_get_the_name_until_the_example_is_deleted(
    client: facewire.Client,
    channel: grpc.Channel,
    galleries: Any,
    folder: Path,
    portrait: Pixels,
    own_picture: Pixels,
) -> None:
    client.enroll("ada", [own_picture])
    before = decision(channel, portrait)
    assert before.outcome == face_pb2.OUTCOME_KNOWN
    assert before.similarity < 0.99
    request = gallery_pb2.AddNegativeExampleRequest(
        identity_id="ada", image=image(portrait), request_id="r", source="door"
    )
    added = galleries.AddNegativeExample(request)
    assert added.similarity == pytest.approx(before.similarity, abs=0.02)
    assert added.threshold == before.threshold
    assert added.box.width_px > 0
    assert added.negative_example.source == "door"
    assert galleries.AddNegativeExample(request) == added, "a repeated request adds nothing"
    request.source = "window"
    with pytest.raises(grpc.RpcError, match="another request"):
        galleries.AddNegativeExample(request)
    after = decision(channel, portrait)
    assert (after.outcome, after.identity_id) == (face_pb2.OUTCOME_UNKNOWN, "")
    assert after.similarity == before.similarity
    judgment = after.judgment
    assert judgment.deciding_rule == face_pb2.DECIDING_RULE_NEARER_TO_NEGATIVE_EXAMPLE
    assert judgment.passed_over_similarity == after.similarity
    assert judgment.negative_example_similarity > after.similarity
    assert decision(channel, own_picture).identity_id == "ada", "the person keeps the name"
    listed = galleries.ListNegativeExamples(
        gallery_pb2.ListNegativeExamplesRequest(identity_id="ada")
    )
    assert list(listed.negative_examples) == [added.negative_example]
    found = galleries.GetIdentity(gallery_pb2.GetIdentityRequest(identity_id="ada")).identity
    assert (found.template_count, found.negative_example_count) == (1, 1)
    gone = galleries.DeleteNegativeExample(
        gallery_pb2.DeleteNegativeExampleRequest(
            negative_example_id=added.negative_example.negative_example_id
        )
    )
    assert gone.revision == added.revision + 1
    assert decision(channel, portrait).identity_id == "ada"
    lines = [
        json.loads(line) for line in (folder / "audit" / "audit.jsonl").read_text().splitlines()
    ]
    assert [one["what"] for one in lines if "negative" in one["what"]] == [
        "add_negative_example",
        "delete_negative_example",
    ]
    assert {one["identities"] for one in lines if one["what"] == "add_negative_example"} == {1}
    assert {one["negative_examples"] for one in lines if "negative" in one["what"]} == {1}


def test_a_track_loses_the_name_at_once(
    client: facewire.Client, galleries: Any, portrait: Pixels, own_picture: Pixels
) -> None:
    client.enroll("ada", [own_picture])
    events: list[facewire.TrackEvent] = []

    def frames() -> Iterator[facewire.Frame]:
        for number in range(1, 31):
            if number == 10:
                request = gallery_pb2.AddNegativeExampleRequest(
                    identity_id="ada", image=image(portrait)
                )
                galleries.AddNegativeExample(request)
            yield facewire.Frame(portrait, captured_at_us=number * STEP_US)

    policy = facewire.FramePolicy.EVERY_FRAME
    with client.stream(frames(), camera="door", policy=policy) as stream:
        events += [one for one in stream if isinstance(one, facewire.TrackEvent)]
    states = [(one.state, one.reason, one.decision.outcome) for one in events]
    assert (TrackState.CONFIRMED, TrackReason.EVIDENCE, Outcome.KNOWN) in states
    retracted = [one for one in events if one.state is TrackState.RETRACTED]
    assert [(one.reason, one.previous_identity_id) for one in retracted] == [
        (TrackReason.GALLERY_CHANGED, "ada")
    ]
    assert states[-1][::2] == (TrackState.ENDED, Outcome.UNKNOWN)


@pytest.mark.parametrize("what", ["no face", "two faces", "small"])
def test_a_picture_without_the_face_is_refused_and_nothing_is_written(
    client: facewire.Client, galleries: Any, portrait: Pixels, what: str
) -> None:
    client.enroll("ada", [portrait])
    pictures = {
        "no face": np.zeros_like(portrait),
        "two faces": np.hstack([portrait, portrait]),
        "small": small(portrait),
    }
    request = gallery_pb2.AddNegativeExampleRequest(identity_id="ada", image=image(pictures[what]))
    with pytest.raises(grpc.RpcError) as caught:
        galleries.AddNegativeExample(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    texts = {"no face": "no face", "two faces": "faces", "small": "pixels apart"}
    assert texts[what] in str(caught.value.details())
    found = galleries.GetGallery(gallery_pb2.GetGalleryRequest()).gallery
    assert (found.negative_example_count, found.revision) == (0, 2)
