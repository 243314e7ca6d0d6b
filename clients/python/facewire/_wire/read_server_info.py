"""Reads the message about a server as a value."""

from collections.abc import Iterable

from facewire._values.enums import Feature, ImageFormat
from facewire._values.options import DecisionPolicy
from facewire._values.server_info import ServerInfo, ServerLimits, ThresholdStep
from facewire.v1 import recognition_pb2

__all__ = ["read_server_info"]


def read_server_info(response: recognition_pb2.GetServerInfoResponse) -> ServerInfo:
    formats = map(ImageFormat.from_wire, response.image_formats)
    decision = response.decision_defaults
    return ServerInfo(
        server_version=response.server_version,
        model_contract_id=response.model_contract_id,
        model_contract_name=response.model_contract_name,
        limits=_limits(response.limits),
        image_formats=tuple(each for each in formats if each is not ImageFormat.UNSPECIFIED),
        decision_defaults=DecisionPolicy(
            decision.threshold if decision.HasField("threshold") else None,
            decision.min_margin,
            decision.min_inter_eye_px,
            decision.max_fpir if decision.HasField("max_fpir") else None,
        ),
        features=_features(response.features),
        absent_features=_features(response.absent_features),
        threshold_steps=tuple(
            ThresholdStep(step.identity_count, step.threshold) for step in response.threshold_steps
        ),
    )


def _limits(limits: recognition_pb2.ServerLimits) -> ServerLimits:
    return ServerLimits(
        max_frame_bytes=limits.max_frame_bytes,
        max_pixels=limits.max_pixels,
        max_message_bytes=limits.max_message_bytes,
        max_in_flight=limits.max_in_flight,
        max_streams=limits.max_streams,
        max_faces=limits.max_faces,
        max_enroll_images=limits.max_enroll_images,
        max_enroll_bytes=limits.max_enroll_bytes,
        frame_timeout_ms=limits.frame_timeout_ms,
        min_ping_interval_ms=limits.min_ping_interval_ms,
        max_stream_pixels=limits.max_stream_pixels,
        request_timeout_ms=limits.request_timeout_ms,
        max_calls_per_connection=limits.max_calls_per_connection,
    )


def _features(numbers: Iterable[int]) -> tuple[Feature, ...]:
    # A newer server may list features that this client does not know: they are left out.
    read = map(Feature.from_wire, numbers)
    return tuple(feature for feature in read if feature is not Feature.UNSPECIFIED)
