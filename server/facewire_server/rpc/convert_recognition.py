"""Protobuf to the pipeline's types and back: what the recognition service sends and gets."""

from facewire.v1 import recognition_pb2
from facewire_server.errors import (
    InvalidField,
    InvalidInput,
    NotImplementedYet,
    ServerError,
    TimedOut,
    Unavailable,
)
from facewire_server.rpc.checks import checked_text, gallery_id_or_default
from facewire_server.rpc.convert import (
    decision_policy,
    detection_options,
    face_message,
    timings_message,
)
from facewire_server.rpc.status import reason_of, shortened
from facewire_server.streams.ledger import Skipped, SkipReason
from facewire_server.streams.limits import RequestDefaults, ServingLimits, StreamPlan
from facewire_server.types import CompareOutcome, Comparison, PictureLimits, Recognition

__all__ = [
    "FrameError",
    "advice_message",
    "comparison_message",
    "frame_error_message",
    "frame_message",
    "recognition_message",
    "reconnect_message",
    "skipped_message",
    "started_message",
    "stream_plan",
]

FrameError = (InvalidInput, Unavailable, TimedOut)
"""What may befall one frame; the stream goes on. Anything else ends it."""

_MAX_DETAIL_BYTES = 256
_MAX_CAMERA_ID_BYTES = 128
_MAX_RESUME_TOKEN_BYTES = 64
_Response = recognition_pb2.StreamRecognizeResponse

_NEWEST_WINS = {
    recognition_pb2.FRAME_POLICY_UNSPECIFIED: True,
    recognition_pb2.FRAME_POLICY_NEWEST_WINS: True,
    recognition_pb2.FRAME_POLICY_EVERY_FRAME: False,
}
_SKIP_REASONS = {
    SkipReason.SUPERSEDED: recognition_pb2.SKIP_REASON_SUPERSEDED,
    SkipReason.OVER_CREDIT: recognition_pb2.SKIP_REASON_OVER_CREDIT,
    SkipReason.SHUTTING_DOWN: recognition_pb2.SKIP_REASON_SHUTTING_DOWN,
}
_COMPARE_OUTCOMES = {
    CompareOutcome.SAME: recognition_pb2.COMPARE_OUTCOME_SAME,
    CompareOutcome.DIFFERENT: recognition_pb2.COMPARE_OUTCOME_DIFFERENT,
    CompareOutcome.TOO_POOR: recognition_pb2.COMPARE_OUTCOME_TOO_POOR,
}


def stream_plan(config: recognition_pb2.StreamConfig, defaults: RequestDefaults) -> StreamPlan:
    """What a camera asks for.

    Raises:
        InvalidField: a field is out of range.
        NotImplementedYet: resume, or events without frame results.
    """
    checked_text(config.camera_id, "config.camera_id", max_bytes=_MAX_CAMERA_ID_BYTES)
    if len(config.resume_token) > _MAX_RESUME_TOKEN_BYTES:
        raise InvalidField(
            f"config.resume_token has more than {_MAX_RESUME_TOKEN_BYTES} bytes",
            field="config.resume_token",
        )
    newest_wins = _NEWEST_WINS.get(config.frame_policy)
    if newest_wins is None:
        raise InvalidField("config.frame_policy is not known here", field="config.frame_policy")
    if config.detail not in recognition_pb2.ResponseDetail.values():
        raise InvalidField("config.detail is not known here", field="config.detail")
    plan = StreamPlan(
        gallery_id_or_default(config.gallery_id, "config.gallery_id"),
        newest_wins,
        decision_policy(
            config.decision_policy,
            defaults.decision,
            max_candidates=config.max_candidates,
            parent="config.",
        ),
        detection_options(config.detection, defaults.stream, "config.detection"),
    )
    if config.resume_token:
        raise NotImplementedYet("this server does not keep streams: leave resume_token empty")
    if config.detail == recognition_pb2.RESPONSE_DETAIL_EVENTS_ONLY:
        raise NotImplementedYet("this server does not track yet: ask for RESPONSE_DETAIL_FULL")
    return plan


def started_message(
    terms: ServingLimits, limits: PictureLimits, model_contract_id: str
) -> _Response:
    """Answers the config."""
    return _Response(
        started=recognition_pb2.StreamStarted(
            max_in_flight=terms.max_in_flight,
            max_frame_bytes=limits.max_frame_bytes,
            max_pixels=limits.max_pixels,
            model_contract_id=model_contract_id,
        )
    )


def frame_message(frame: recognition_pb2.Frame, recognition: Recognition) -> _Response:
    """Answers a frame that was worked on."""
    return _Response(
        frame=recognition_pb2.FrameResult(
            sequence=frame.sequence,
            captured_at_us=frame.captured_at_us,
            status=recognition_pb2.FRAME_STATUS_OK,
            faces=[
                face_message(face, evidence_sequence=frame.sequence) for face in recognition.faces
            ],
            width_px=recognition.width_px,
            height_px=recognition.height_px,
            timings=timings_message(recognition.timings),
        )
    )


def frame_error_message(frame: recognition_pb2.Frame, error: ServerError) -> _Response:
    """Answers a frame that could not be worked on, for one of `FrameError`."""
    if isinstance(error, InvalidInput):
        status = recognition_pb2.FRAME_STATUS_INVALID
    elif isinstance(error, TimedOut):
        status = recognition_pb2.FRAME_STATUS_TIMED_OUT
    else:
        status = recognition_pb2.FRAME_STATUS_UNAVAILABLE
    return _Response(
        frame=recognition_pb2.FrameResult(
            sequence=frame.sequence,
            captured_at_us=frame.captured_at_us,
            status=status,
            reason=reason_of(type(error).__name__),
            detail=shortened(str(error), _MAX_DETAIL_BYTES),
        )
    )


def skipped_message(skipped: Skipped) -> _Response:
    """Accounts for frames that were not worked on."""
    return _Response(
        skipped=recognition_pb2.FramesSkipped(
            first_sequence=skipped.first_sequence,
            last_sequence=skipped.last_sequence,
            reason=_SKIP_REASONS[skipped.reason],
            frame_count=skipped.frame_count,
        )
    )


def advice_message(target_fps: float, longest_side_px: int) -> _Response:
    """Tells a camera the pace that the server keeps up with, and what size is of use."""
    return _Response(
        advice=recognition_pb2.Advice(target_fps=target_fps, longest_side_px=longest_side_px)
    )


def reconnect_message(after_ms: int) -> _Response:
    """Tells a camera that the server is shutting down."""
    return _Response(
        reconnect=recognition_pb2.Reconnect(
            reason=recognition_pb2.RECONNECT_REASON_SHUTTING_DOWN, after_ms=after_ms
        )
    )


def recognition_message(
    recognition: Recognition, model_contract_id: str
) -> recognition_pb2.RecognizeResponse:
    """Answers one picture."""
    return recognition_pb2.RecognizeResponse(
        faces=[face_message(face) for face in recognition.faces],
        width_px=recognition.width_px,
        height_px=recognition.height_px,
        gallery_revision=recognition.gallery_revision,
        model_contract_id=model_contract_id,
        timings=timings_message(recognition.timings),
    )


def comparison_message(
    comparison: Comparison, model_contract_id: str
) -> recognition_pb2.CompareResponse:
    """Answers two pictures."""
    return recognition_pb2.CompareResponse(
        outcome=_COMPARE_OUTCOMES[comparison.outcome],
        similarity=comparison.similarity,
        threshold=comparison.threshold,
        first=face_message(comparison.first),
        second=face_message(comparison.second),
        model_contract_id=model_contract_id,
    )
