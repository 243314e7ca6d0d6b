"""Makes the message that `GetServerInfo` returns: the server's limits and defaults."""

from importlib.metadata import version

from facewire.v1 import face_pb2, recognition_pb2
from facewire_server.rpc.channel_options import PING_INTERVAL_MS
from facewire_server.rpc.convert import IMAGE_FORMATS
from facewire_server.rpc.convert_gallery import MAX_ENROLL_IMAGES
from facewire_server.rpc.method_rules import MESSAGE_ROOM_BYTES
from facewire_server.rpc.options import RequestDefaults
from facewire_server.streams.limits import ServingLimits
from facewire_server.thresholds import ErrorRates

__all__ = ["server_info_message"]

_PRESENT: tuple[str, ...] = (
    "FEATURE_TRACKS",
    "FEATURE_WATCH_TRACKS",
    "FEATURE_RESUME",
    "FEATURE_EVENTS_ONLY",
)

_STEPS: tuple[int, ...] = (10, 30, 100, 300, 1_000, 3_000, 10_000)
"""Numbers of identities whose thresholds are listed."""
"""Features of the contract that this server has; all others are listed as absent."""

_UINT32_MAX = 2**32 - 1
"""Most that a uint32 field holds; an operator may set more, which is then reported as this."""

_MAX_NAME_BYTES = 64
"""Bytes: the contract's limit of the message's texts, so that firmware can hold them."""


def server_info_message(
    *,
    model_contract_id: str,
    model_contract_name: str,
    picture_timeout_s: float,
    limits: ServingLimits,
    defaults: RequestDefaults,
    keeps_crops: bool = False,
    keeps_enrollment_crops: bool = False,
    keeps_unknown: bool = False,
    scores_attacks: bool = False,
) -> recognition_pb2.GetServerInfoResponse:
    """Converts the limits and defaults that the services were built with.

    Args:
        model_contract_id: 64 hexadecimal digits.
        model_contract_name: the name of its file, for people.
        picture_timeout_s: seconds from a picture's arrival to its answer.
        limits: what a client may ask for.
        defaults: what a request gets that leaves its options unset.
        keeps_crops: pictures of tracks are kept.
        keeps_enrollment_crops: aligned faces of enrolled pictures are kept.
        keeps_unknown: visits of unknown people are kept.
        scores_attacks: faces are looked at for presentation attacks.
    """
    _, *known = recognition_pb2.Feature.keys()  # the first is FEATURE_UNSPECIFIED
    decision, rates = defaults.decision, defaults.decision.error_rates
    present = {
        *_PRESENT,
        *(["FEATURE_ERROR_RATES"] if rates else []),
        *(["FEATURE_TRACK_CROPS"] if keeps_crops else []),
        *(["FEATURE_ENROLLMENT_CROPS"] if keeps_enrollment_crops else []),
        *(["FEATURE_UNKNOWN_PEOPLE"] if keeps_unknown else []),
        *(["FEATURE_PRESENTATION_ATTACKS"] if scores_attacks else []),
    }
    return recognition_pb2.GetServerInfoResponse(
        server_version=_shortened(version("facewire-server")),
        model_contract_id=model_contract_id,
        model_contract_name=_shortened(model_contract_name),
        limits=recognition_pb2.ServerLimits(
            max_frame_bytes=limits.picture.max_frame_bytes,
            max_pixels=limits.picture.max_pixels,
            max_message_bytes=limits.picture.max_frame_bytes + MESSAGE_ROOM_BYTES,
            max_in_flight=limits.max_in_flight,
            max_streams=min(limits.max_streams, _UINT32_MAX),
            max_faces=defaults.picture.max_faces,
            max_enroll_images=MAX_ENROLL_IMAGES,
            max_enroll_bytes=limits.picture.max_frame_bytes,
            frame_timeout_ms=min(round(picture_timeout_s * 1000), _UINT32_MAX),
            min_ping_interval_ms=PING_INTERVAL_MS,
            max_stream_pixels=limits.max_stream_pixels,
            request_timeout_ms=min(round(limits.request_timeout_s * 1000), _UINT32_MAX),
            max_calls_per_connection=min(limits.max_calls_per_connection, _UINT32_MAX),
        ),
        image_formats=sorted(IMAGE_FORMATS),
        decision_defaults=face_pb2.DecisionPolicy(
            threshold=decision.threshold,
            min_margin=decision.min_margin,
            min_inter_eye_px=decision.min_inter_eye_px,
            max_fpir=rates.max_fpir if rates and decision.threshold is None else None,
        ),
        threshold_steps=_threshold_steps(rates),
        features=[name for name in known if name in present],
        absent_features=[name for name in known if name not in present],
    )


def _threshold_steps(rates: ErrorRates | None) -> list[recognition_pb2.ThresholdStep]:
    if rates is None:
        return []
    return [
        recognition_pb2.ThresholdStep(
            identity_count=count, threshold=rates.threshold_among(count).value
        )
        for count in _STEPS
    ]


def _shortened(text: str) -> str:
    return text.encode(errors="replace")[:_MAX_NAME_BYTES].decode(errors="ignore")
