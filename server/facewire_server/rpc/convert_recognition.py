"""Converts between protobuf and values: the messages of the recognition service."""

from facewire.v1 import recognition_pb2
from facewire_server.errors import (
    InvalidField,
    InvalidInput,
    OutOfOrder,
    ServerError,
    TimedOut,
)
from facewire_server.rpc.checks import checked_text, gallery_id_or_default
from facewire_server.rpc.convert import (
    decision_policy,
    detection_options,
    face_message,
    picture,
    threshold_source_message,
    timings_message,
)
from facewire_server.rpc.convert_tracks import track_event_message
from facewire_server.rpc.options import RequestDefaults
from facewire_server.rpc.status import reason_of, shortened
from facewire_server.streams.limits import ServingLimits
from facewire_server.streams.values import (
    SEARCH_INTERVAL_S,
    Advice,
    Answered,
    Frame,
    Reconnect,
    ReconnectReason,
    Skipped,
    SkipReason,
    Started,
    StreamInput,
    StreamOutput,
    StreamPlan,
)
from facewire_server.types import (
    CompareOutcome,
    Comparison,
    DetectionMode,
    Picture,
    Recognition,
    TrackEvent,
)

__all__ = [
    "comparison_message",
    "frame_status",
    "recognition_message",
    "stream_input",
    "stream_output",
]

_MAX_DETAIL_BYTES = 256
_MAX_CAMERA_ID_BYTES = 128
_MAX_RESUME_TOKEN_BYTES = 64
"""The contract's limits of texts, in bytes of UTF-8."""

_MAX_SEARCH_INTERVAL_MS = 60_000
"""The contract's limit."""

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
_RECONNECT_REASONS = {
    ReconnectReason.SHUTTING_DOWN: recognition_pb2.RECONNECT_REASON_SHUTTING_DOWN,
    ReconnectReason.REBALANCE: recognition_pb2.RECONNECT_REASON_REBALANCE,
    ReconnectReason.IDLE: recognition_pb2.RECONNECT_REASON_IDLE,
}
_DETECTION_MODES = {
    DetectionMode.SEARCHED: recognition_pb2.DETECTION_MODE_SEARCHED,
    DetectionMode.FOLLOWED: recognition_pb2.DETECTION_MODE_FOLLOWED,
}
_COMPARE_OUTCOMES = {
    CompareOutcome.SAME: recognition_pb2.COMPARE_OUTCOME_SAME,
    CompareOutcome.DIFFERENT: recognition_pb2.COMPARE_OUTCOME_DIFFERENT,
    CompareOutcome.TOO_POOR: recognition_pb2.COMPARE_OUTCOME_TOO_POOR,
}


def stream_input(
    request: recognition_pb2.StreamRecognizeRequest, defaults: RequestDefaults
) -> StreamInput:
    """Converts one message of a client.

    Raises:
        InvalidField: a field of the config is out of range.
        OutOfOrder: the message is empty.
    """
    kind = request.WhichOneof("message")
    if kind == "config":
        return _stream_plan(request.config, defaults)
    if kind == "frame":
        return _frame(request.frame)
    raise OutOfOrder("a message of a stream carries its config or a frame")


def stream_output(value: StreamOutput, limits: ServingLimits, model_contract_id: str) -> _Response:
    """Converts one value for a client; limits and model contract are part of the first message."""
    match value:
        case Answered():
            return _Response(frame=_frame_result(value))
        case Skipped():
            return _Response(skipped=_frames_skipped(value))
        case Advice():
            return _Response(
                advice=recognition_pb2.Advice(
                    target_fps=value.target_fps, longest_side_px=value.longest_side_px
                )
            )
        case TrackEvent():
            return _Response(track=track_event_message(value))
        case Started():
            return _Response(started=_stream_started(value, limits, model_contract_id))
        case Reconnect():
            return _Response(
                reconnect=recognition_pb2.Reconnect(
                    reason=_RECONNECT_REASONS[value.reason], after_ms=value.after_ms
                )
            )


def recognition_message(
    recognition: Recognition, model_contract_id: str
) -> recognition_pb2.RecognizeResponse:
    """Converts the answer to one picture."""
    return recognition_pb2.RecognizeResponse(
        faces=[face_message(face) for face in recognition.faces],
        width_px=recognition.width_px,
        height_px=recognition.height_px,
        gallery_revision=recognition.gallery_revision,
        model_contract_id=model_contract_id,
        timings=timings_message(recognition.timings),
        smallest_face_px=recognition.smallest_face_px,
    )


def comparison_message(
    comparison: Comparison, model_contract_id: str
) -> recognition_pb2.CompareResponse:
    """Converts the answer to two pictures."""
    threshold, rate = comparison.threshold, comparison.false_match_rate
    return recognition_pb2.CompareResponse(
        outcome=_COMPARE_OUTCOMES[comparison.outcome],
        similarity=comparison.similarity,
        threshold=threshold.value,
        first=face_message(comparison.first),
        second=face_message(comparison.second),
        model_contract_id=model_contract_id,
        false_match_rate=rate.value if rate else 0.0,
        false_match_rate_bound=rate.bound if rate else 0.0,
        is_extrapolated=rate.is_extrapolated if rate else False,
        threshold_source=threshold_source_message(threshold.source),
        threshold_false_match_rate=threshold.fmr or 0.0,
        are_both_blurred=threshold.are_both_blurred,
        threshold_raise=threshold.blurred_raise,
    )


def frame_status(error: type[ServerError]) -> recognition_pb2.FrameStatus:
    """Returns the status of a frame that was answered with an error of this class."""
    if issubclass(error, InvalidInput):
        return recognition_pb2.FRAME_STATUS_INVALID
    if issubclass(error, TimedOut):
        return recognition_pb2.FRAME_STATUS_TIMED_OUT
    return recognition_pb2.FRAME_STATUS_UNAVAILABLE


def _stream_plan(config: recognition_pb2.StreamConfig, defaults: RequestDefaults) -> StreamPlan:
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
    if config.rotation_degrees not in (0, 90, 180, 270):
        raise InvalidField(
            "config.rotation_degrees must be 0, 90, 180 or 270", field="config.rotation_degrees"
        )
    interval_ms = config.search_interval_ms or round(SEARCH_INTERVAL_S * 1000)
    if interval_ms > _MAX_SEARCH_INTERVAL_MS:
        raise InvalidField(
            f"config.search_interval_ms must be at most {_MAX_SEARCH_INTERVAL_MS}",
            field="config.search_interval_ms",
        )
    return StreamPlan(
        gallery_id_or_default(config.gallery_id, "config.gallery_id"),
        newest_wins,
        decision_policy(
            config.decision_policy,
            defaults.decision,
            max_candidates=config.max_candidates,
            explain=config.explain,
            parent="config.",
        ),
        detection_options(config.detection, defaults.stream, "config.detection"),
        config.camera_id,
        config.rotation_degrees,
        interval_ms / 1000,
        config.detail == recognition_pb2.RESPONSE_DETAIL_EVENTS_ONLY,
        config.resume_token,
    )


def _frame(message: recognition_pb2.Frame) -> Frame:
    try:
        content: Picture | InvalidField = picture(message.image, "frame.image")
    except InvalidField as error:  # this frame fails; the stream goes on
        content = error
    return Frame(message.sequence, message.captured_at_us, content)


def _stream_started(
    started: Started, limits: ServingLimits, model_contract_id: str
) -> recognition_pb2.StreamStarted:
    return recognition_pb2.StreamStarted(
        resume_token=started.resume_token,
        resume_after_sequence=started.resume_after_sequence,
        resume_within_ms=started.resume_within_ms,
        max_in_flight=limits.max_in_flight,
        max_frame_bytes=limits.picture.max_frame_bytes,
        max_pixels=limits.max_stream_pixels,
        model_contract_id=model_contract_id,
    )


def _frame_result(answer: Answered) -> recognition_pb2.FrameResult:
    result = answer.result
    if isinstance(result, ServerError):
        return recognition_pb2.FrameResult(
            sequence=answer.sequence,
            captured_at_us=answer.captured_at_us,
            status=frame_status(type(result)),
            reason=reason_of(result),
            detail=shortened(str(result), _MAX_DETAIL_BYTES),
        )
    return recognition_pb2.FrameResult(
        sequence=answer.sequence,
        captured_at_us=answer.captured_at_us,
        status=recognition_pb2.FRAME_STATUS_OK,
        faces=[face_message(face) for face in result.faces],
        width_px=result.width_px,
        height_px=result.height_px,
        timings=timings_message(result.timings),
        smallest_face_px=result.smallest_face_px,
        detection_mode=_DETECTION_MODES[result.detection_mode],
    )


def _frames_skipped(skipped: Skipped) -> recognition_pb2.FramesSkipped:
    return recognition_pb2.FramesSkipped(
        first_sequence=skipped.first_sequence,
        last_sequence=skipped.last_sequence,
        reason=_SKIP_REASONS[skipped.reason],
        frame_count=skipped.frame_count,
    )
