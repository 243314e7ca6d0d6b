"""Reads messages of recognition.proto as values."""

from facewire._values.enums import (
    CompareOutcome,
    DetectionMode,
    ErrorReason,
    FrameStatus,
    SkipReason,
    ThresholdSource,
)
from facewire._values.results import (
    Advice,
    Comparison,
    FrameResult,
    FramesSkipped,
    Recognition,
    StageTimings,
    StreamLimits,
)
from facewire._wire.read_faces import read_detected_face, read_face
from facewire.v1 import face_pb2, recognition_pb2

__all__ = [
    "read_advice",
    "read_comparison",
    "read_frame_result",
    "read_frames_skipped",
    "read_recognition",
    "read_stage_timings",
    "read_stream_limits",
]


def read_stage_timings(timings: face_pb2.StageTimings) -> StageTimings:
    return StageTimings(
        queue_us=timings.queue_us,
        decode_us=timings.decode_us,
        detect_us=timings.detect_us,
        align_us=timings.align_us,
        embed_us=timings.embed_us,
        match_us=timings.match_us,
        total_us=timings.total_us,
    )


def read_recognition(response: recognition_pb2.RecognizeResponse) -> Recognition:
    return Recognition(
        faces=tuple(map(read_face, response.faces)),
        width_px=response.width_px,
        height_px=response.height_px,
        gallery_revision=response.gallery_revision,
        model_contract_id=response.model_contract_id,
        timings=read_stage_timings(response.timings),
        smallest_face_px=response.smallest_face_px,
    )


def read_comparison(response: recognition_pb2.CompareResponse) -> Comparison:
    return Comparison(
        outcome=CompareOutcome.from_wire(response.outcome),
        similarity=response.similarity,
        threshold=response.threshold,
        first=read_detected_face(response.first),
        second=read_detected_face(response.second),
        model_contract_id=response.model_contract_id,
        false_match_rate=response.false_match_rate or None,
        false_match_rate_bound=response.false_match_rate_bound or None,
        is_extrapolated=response.is_extrapolated,
        threshold_source=ThresholdSource.from_wire(response.threshold_source),
        threshold_false_match_rate=response.threshold_false_match_rate or None,
        are_both_blurred=response.are_both_blurred,
        threshold_raise=response.threshold_raise,
    )


def read_frame_result(result: recognition_pb2.FrameResult) -> FrameResult:
    return FrameResult(
        sequence=result.sequence,
        status=FrameStatus.from_wire(result.status),
        reason=ErrorReason.from_wire(result.reason) if result.reason else None,
        detail=result.detail,
        faces=tuple(map(read_face, result.faces)),
        width_px=result.width_px,
        height_px=result.height_px,
        timings=read_stage_timings(result.timings),
        captured_at_us=result.captured_at_us,
        smallest_face_px=result.smallest_face_px,
        detection_mode=DetectionMode.from_wire(result.detection_mode),
    )


def read_frames_skipped(skipped: recognition_pb2.FramesSkipped) -> FramesSkipped:
    return FramesSkipped(
        first_sequence=skipped.first_sequence,
        last_sequence=skipped.last_sequence,
        reason=SkipReason.from_wire(skipped.reason),
        frame_count=skipped.frame_count,
    )


def read_advice(advice: recognition_pb2.Advice) -> Advice:
    return Advice(advice.target_fps, advice.longest_side_px)


def read_stream_limits(started: recognition_pb2.StreamStarted) -> StreamLimits:
    return StreamLimits(
        max_in_flight=started.max_in_flight,
        max_frame_bytes=started.max_frame_bytes,
        max_pixels=started.max_pixels,
        model_contract_id=started.model_contract_id,
        resume_token=started.resume_token,
        resume_after_sequence=started.resume_after_sequence,
        resume_within_ms=started.resume_within_ms,
    )
