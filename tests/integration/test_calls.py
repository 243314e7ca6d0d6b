"""Single calls over a real server: answers, errors with their details, tokens, health."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from facewire.v1 import face_pb2, gallery_pb2, recognition_pb2
from facewire_server.events import Event, InternalError
from facewire_server.types import FaceSelection
from facewire_server.work.slots import WorkSlots
from fakes.certificates import self_signed
from fakes.recognizer import CONTRACT_ID, FakeRecognizer
from fakes.wire import DEFAULTS, PICTURE, UNKNOWN_FORMAT, config, reason_and_fields, served

RecognizeRequest = recognition_pb2.RecognizeRequest
INVALID = grpc.StatusCode.INVALID_ARGUMENT


def image(data: bytes = b"good") -> face_pb2.Image:
    return face_pb2.Image(data=data)


async def refused(call: object) -> tuple[grpc.StatusCode, str, list[str]]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]  # a call of any arity
    return caught.value.code(), *reason_and_fields(caught.value)


async def test_recognize_answers_faces_and_uses_the_defaults() -> None:
    recognizer = FakeRecognizer()
    async with served(recognizer) as wire:
        answer = await wire.recognition.Recognize(RecognizeRequest(image=image()))
    (face,) = answer.faces
    assert face.decision.identity_id == "id-1"
    assert face.evidence_sequence == 0
    assert (answer.width_px, answer.height_px, answer.gallery_revision) == (640, 480, 7)
    assert answer.model_contract_id == CONTRACT_ID
    ((_, gallery_id, detection, policy),) = recognizer.calls
    assert (gallery_id, detection, policy) == ("default", DEFAULTS.picture, DEFAULTS.decision)


async def test_what_a_request_asks_for_reaches_the_line() -> None:
    recognizer = FakeRecognizer()
    request = RecognizeRequest(
        image=image(),
        gallery_id="doors",
        max_candidates=3,
        detection=face_pb2.DetectionOptions(min_face_px=24, min_score=0.75, max_faces=1024),
        decision_policy=face_pb2.DecisionPolicy(
            threshold=0.5, min_margin=0.0, min_inter_eye_px=0.0
        ),
    )
    async with served(recognizer) as wire:
        await wire.recognition.Recognize(request)
    ((_, gallery_id, detection, policy),) = recognizer.calls
    assert gallery_id == "doors"
    assert (detection.min_face_px, detection.min_score) == (24, 0.75)
    assert detection.max_faces == DEFAULTS.picture.max_faces, "the server's number is the most"
    assert (policy.threshold, policy.min_margin, policy.min_inter_eye_px) == (0.5, 0.0, 0.0)
    assert policy.max_candidates == 3


@pytest.mark.parametrize(
    ("request_", "reason", "fields"),
    [
        (RecognizeRequest(), "IMAGE_EMPTY", ["image"]),
        (RecognizeRequest(image=image(b"text")), "IMAGE_UNDECODABLE", ["image"]),
        (
            RecognizeRequest(image=image(b"x" * (PICTURE.max_frame_bytes + 1))),
            "IMAGE_TOO_MANY_BYTES",
            ["image"],
        ),
        (RecognizeRequest(image=image(), gallery_id="Ä"), "FIELD_INVALID", ["gallery_id"]),
        (RecognizeRequest(image=image(), max_candidates=21), "FIELD_INVALID", ["max_candidates"]),
        (
            RecognizeRequest(image=face_pb2.Image(data=b"x", format=UNKNOWN_FORMAT)),
            "FIELD_INVALID",
            ["image.format"],
        ),
    ],
    ids=["empty", "text", "big", "gallery", "candidates", "format"],
)
async def test_a_bad_request_names_its_field(
    request_: RecognizeRequest, reason: str, fields: list[str]
) -> None:
    async with served() as wire:
        assert await refused(wire.recognition.Recognize(request_)) == (INVALID, reason, fields)


async def test_compare_answers_and_names_the_picture_at_fault() -> None:
    async with served() as wire:
        request = recognition_pb2.CompareRequest(first=image(), second=image())
        answer = await wire.recognition.Compare(request)
        assert answer.outcome == recognition_pb2.COMPARE_OUTCOME_SAME
        assert not answer.first.HasField("decision")
        request = recognition_pb2.CompareRequest(first=image(), second=image(b"text"))
        assert await refused(wire.recognition.Compare(request)) == (
            INVALID,
            "IMAGE_UNDECODABLE",
            ["second"],
        )


async def test_what_a_comparison_asks_for_reaches_the_line() -> None:
    recognizer = FakeRecognizer()
    request = recognition_pb2.CompareRequest(first=image(b"one"), second=image(b"other"))
    async with served(recognizer) as wire:
        await wire.recognition.Compare(request)
        request.selection = face_pb2.FACE_SELECTION_ONLY
        request.detection.min_score = 0.75
        request.decision_policy.threshold = 0.5
        answer = await wire.recognition.Compare(request)
    assert recognizer.selections == [FaceSelection.LARGEST, FaceSelection.ONLY]
    assert [picture.data for picture, *_ in recognizer.calls] == [b"one", b"other"] * 2
    assert [call[2:] for call in recognizer.calls[:2]] == [
        (DEFAULTS.picture, DEFAULTS.decision)
    ] * 2
    for *_, detection, policy in recognizer.calls[2:]:
        assert (detection.min_score, policy.threshold) == (0.75, 0.5)
    assert answer.threshold == 0.5
    assert answer.model_contract_id == CONTRACT_ID


async def test_a_picture_has_a_time_limit() -> None:
    async with served(slots=WorkSlots(2, picture_timeout_s=0.05)) as wire:
        code, reason, _ = await refused(
            wire.recognition.Recognize(RecognizeRequest(image=image(b"hang")))
        )
    assert (code, reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "TIMED_OUT")


async def test_a_model_that_is_away_can_be_tried_again() -> None:
    async with served() as wire:
        code, reason, _ = await refused(
            wire.recognition.Recognize(RecognizeRequest(image=image(b"away")))
        )
    assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE")


async def test_a_bug_is_internal_with_the_id_of_its_log_entry() -> None:
    events: list[Event] = []
    async with served(emit=events.append) as wire:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await wire.recognition.Recognize(RecognizeRequest(image=image(b"crash")))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert reason_and_fields(caught.value) == ("INTERNAL", [])
    log_id = (caught.value.details() or "").split()[-1]
    (error,) = (event for event in events if isinstance(event, InternalError))
    assert error.log_id == log_id
    assert "RuntimeError" in error.stack
    assert "Alice" not in str(caught.value)
    assert "lives here" not in error.stack.replace('RuntimeError("Alice Example lives here")', "")


@pytest.mark.parametrize("method", ["Recognize", "StreamRecognize"])
async def test_bytes_that_are_no_message_are_an_invalid_argument(method: str) -> None:
    async with served() as wire:
        path = f"/facewire.v1.RecognitionService/{method}"
        if method == "Recognize":
            call: Any = wire.channel.unary_unary(path, bytes, bytes)(b"\xff\xff")
        else:
            call = wire.channel.stream_stream(path, bytes, bytes)(iter([b"\xff\xff"])).read()
        code, reason, _ = await refused(call)
    assert (code, reason) == (INVALID, "FIELD_INVALID")


async def test_without_the_token_nothing_but_health_is_served() -> None:
    async with served(token="s3cret") as wire:
        wrong = [(), (("authorization", "Bearer wrong"),), (("authorization", "s3cret"),)]
        for metadata in wrong:
            calls = (
                wire.recognition.Recognize(RecognizeRequest(image=image()), metadata=metadata),
                wire.galleries.GetGallery(gallery_pb2.GetGalleryRequest(), metadata=metadata),
                wire.recognition.StreamRecognize(iter([config()]), metadata=metadata).read(),
                reflection_pb2_grpc.ServerReflectionStub(wire.channel)
                .ServerReflectionInfo(iter([]), metadata=metadata)
                .read(),
            )
            for call in calls:
                code, reason, _ = await refused(call)
                assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REQUIRED")
        right = (("authorization", "bearer s3cret"),)
        await wire.recognition.Recognize(RecognizeRequest(image=image()), metadata=right)
        await health_pb2_grpc.HealthStub(wire.channel).Check(health_pb2.HealthCheckRequest())


async def test_health_tells_each_service() -> None:
    async with served() as wire:
        health = health_pb2_grpc.HealthStub(wire.channel)
        name = "facewire.v1.RecognitionService"
        wire.server.health.set(name, True)
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        answer = await health.Check(health_pb2.HealthCheckRequest())
        assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
        everything = await health.List(health_pb2.HealthListRequest())
        assert set(everything.statuses) == {"", name, "facewire.v1.GalleryService"}
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health.Check(health_pb2.HealthCheckRequest(service="nobody"))
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_reflection_names_the_services() -> None:
    async with served() as wire:
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        call = reflection_pb2_grpc.ServerReflectionStub(wire.channel).ServerReflectionInfo(
            iter([request])
        )
        services = (await call.read()).list_services_response.service
    assert {
        "facewire.v1.RecognitionService",
        "facewire.v1.GalleryService",
        "grpc.health.v1.Health",
    } <= {service.name for service in services}


async def test_tls_is_spoken_where_a_certificate_is_given(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    async with served(tls=(certificate.read_bytes(), key.read_bytes())) as wire:
        assert (await wire.recognition.Recognize(RecognizeRequest(image=image()))).faces
        async with grpc.aio.insecure_channel(f"127.0.0.1:{wire.port}") as plain:
            health = health_pb2_grpc.HealthStub(plain)
            with pytest.raises(grpc.aio.AioRpcError):
                await health.Check(health_pb2.HealthCheckRequest())
