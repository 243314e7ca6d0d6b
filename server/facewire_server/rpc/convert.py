"""Converts between protobuf and values: the messages that all methods share.

A field that is 0 or unset means the server's default, which the caller passes. A value out of
the range that the contract states raises `InvalidField` with the field's path.
"""

from dataclasses import replace

from facewire.v1 import face_pb2
from facewire_server.errors import InvalidField
from facewire_server.rpc.checks import float_within, whole_within
from facewire_server.rpc.convert_judgment import judgment_message
from facewire_server.rpc.convert_quality import quality_message
from facewire_server.thresholds import ThresholdSource
from facewire_server.types import (
    Candidate,
    Decision,
    DecisionPolicy,
    DetectionOptions,
    Face,
    FaceSelection,
    Outcome,
    Picture,
    PictureFormat,
    Timings,
)

__all__ = [
    "IMAGE_FORMATS",
    "decision_message",
    "decision_policy",
    "detection_options",
    "face_message",
    "face_selection",
    "picture",
    "threshold_source_message",
    "timings_message",
]

_FORMATS = {
    face_pb2.IMAGE_FORMAT_UNSPECIFIED: PictureFormat.SNIFF,
    face_pb2.IMAGE_FORMAT_JPEG: PictureFormat.JPEG,
    face_pb2.IMAGE_FORMAT_PNG: PictureFormat.PNG,
    face_pb2.IMAGE_FORMAT_WEBP: PictureFormat.WEBP,
    face_pb2.IMAGE_FORMAT_BMP: PictureFormat.BMP,
    face_pb2.IMAGE_FORMAT_RGB8: PictureFormat.RGB8,
    face_pb2.IMAGE_FORMAT_BGR8: PictureFormat.BGR8,
    face_pb2.IMAGE_FORMAT_GRAY8: PictureFormat.GRAY8,
    face_pb2.IMAGE_FORMAT_NV12: PictureFormat.NV12,
    face_pb2.IMAGE_FORMAT_I420: PictureFormat.I420,
    face_pb2.IMAGE_FORMAT_NV21: PictureFormat.NV21,
    face_pb2.IMAGE_FORMAT_YUYV: PictureFormat.YUYV,
    face_pb2.IMAGE_FORMAT_UYVY: PictureFormat.UYVY,
    face_pb2.IMAGE_FORMAT_BGRA8: PictureFormat.BGRA8,
    face_pb2.IMAGE_FORMAT_GIF: PictureFormat.GIF,
    face_pb2.IMAGE_FORMAT_AVIF: PictureFormat.AVIF,
}
IMAGE_FORMATS = tuple(layout for layout in _FORMATS if layout != face_pb2.IMAGE_FORMAT_UNSPECIFIED)
"""The accepted layouts of pictures, by their numbers in the contract."""

_SELECTIONS = {
    face_pb2.FACE_SELECTION_LARGEST: FaceSelection.LARGEST,
    face_pb2.FACE_SELECTION_MOST_CENTRAL: FaceSelection.MOST_CENTRAL,
    face_pb2.FACE_SELECTION_ONLY: FaceSelection.ONLY,
}
_OUTCOMES = {
    Outcome.PENDING: face_pb2.OUTCOME_PENDING,
    Outcome.KNOWN: face_pb2.OUTCOME_KNOWN,
    Outcome.UNKNOWN: face_pb2.OUTCOME_UNKNOWN,
    Outcome.AMBIGUOUS: face_pb2.OUTCOME_AMBIGUOUS,
    Outcome.TOO_POOR: face_pb2.OUTCOME_TOO_POOR,
}
_THRESHOLD_SOURCES = {
    ThresholdSource.REQUEST: face_pb2.THRESHOLD_SOURCE_REQUEST,
    ThresholdSource.OPERATOR: face_pb2.THRESHOLD_SOURCE_OPERATOR,
    ThresholdSource.GALLERY_SIZE: face_pb2.THRESHOLD_SOURCE_GALLERY_SIZE,
    ThresholdSource.ERROR_RATE: face_pb2.THRESHOLD_SOURCE_ERROR_RATE,
}
_MAX_CANDIDATES = 20
_MAX_SIDE_PX = 65_535
"""The contract's limits of `max_candidates` and `min_face_px`."""


def picture(message: face_pb2.Image, field: str) -> Picture:
    """Converts an Image; its bytes are checked by the pipeline."""
    layout = _FORMATS.get(message.format)
    if layout is None:
        raise InvalidField(f"{field}.format is not known here", field=f"{field}.format")
    return Picture(
        message.data,
        layout,
        message.width_px,
        message.height_px,
        message.stride_bytes,
        message.chroma_stride_bytes,
        message.plane_height_px,
    )


def detection_options(
    message: face_pb2.DetectionOptions, default: DetectionOptions, field: str = "detection"
) -> DetectionOptions:
    """Converts detection options; `max_faces` is at most the server's."""
    options = default
    if message.min_face_px:
        least = whole_within(message.min_face_px, 8, _MAX_SIDE_PX, f"{field}.min_face_px")
        options = replace(options, min_face_px=least)
    if message.HasField("min_score"):
        score = float_within(message.min_score, 0.7, 1.0, f"{field}.min_score")
        options = replace(options, min_score=score)
    if message.max_faces:
        most = whole_within(message.max_faces, 1, 1024, f"{field}.max_faces")
        options = replace(options, max_faces=min(most, default.max_faces))
    return options


def decision_policy(
    message: face_pb2.DecisionPolicy,
    default: DecisionPolicy,
    *,
    max_candidates: int = 0,
    explain: bool = False,
    parent: str = "",
) -> DecisionPolicy:
    """Converts a decision policy.

    Args:
        message: the requested policy.
        default: the server's.
        max_candidates, explain: the request's fields of these names.
        parent: path of the message that holds both fields, with its dot.
    """
    listed = whole_within(max_candidates, 0, _MAX_CANDIDATES, f"{parent}max_candidates")
    policy = replace(default, max_candidates=listed, explains=explain)
    field = f"{parent}decision_policy"
    if message.HasField("threshold"):
        threshold = float_within(
            message.threshold, 0.0, 1.0, f"{field}.threshold", above_least=True
        )
        policy = replace(policy, threshold=threshold, threshold_source=ThresholdSource.REQUEST)
    if message.HasField("max_fpir"):
        policy = _with_max_fpir(policy, message, f"{field}.max_fpir")
    if message.HasField("min_margin"):
        margin = float_within(message.min_margin, 0.0, 1.0, f"{field}.min_margin")
        policy = replace(policy, min_margin=margin)
    if message.HasField("min_inter_eye_px"):
        least = float_within(message.min_inter_eye_px, 0.0, 1000.0, f"{field}.min_inter_eye_px")
        policy = replace(policy, min_inter_eye_px=least)
    return policy


def _with_max_fpir(
    policy: DecisionPolicy, message: face_pb2.DecisionPolicy, field: str
) -> DecisionPolicy:
    """Returns the policy with the error rates that a request wants; an operator's threshold does not count then."""
    wanted = float_within(message.max_fpir, 0.0, 0.5, field, above_least=True)
    if message.HasField("threshold"):
        raise InvalidField(
            f"{field} and the threshold are set: a threshold holds exactly, whatever error rate follows; set one of them",
            field=field,
        )
    if policy.error_rates is None:
        raise InvalidField(
            f"{field} is set, but the server's model contract has no calibration: set the threshold",
            field=field,
        )
    rates = replace(policy.error_rates, max_fpir=wanted, max_fmr=wanted)
    return replace(policy, threshold=None, error_rates=rates)


def face_selection(
    value: face_pb2.FaceSelection, default: FaceSelection, field: str = "selection"
) -> FaceSelection:
    """Converts a face selection."""
    if value == face_pb2.FACE_SELECTION_UNSPECIFIED:
        return default
    selection = _SELECTIONS.get(value)
    if selection is None:
        raise InvalidField(f"{field} is not known here", field=field)
    return selection


def face_message(face: Face) -> face_pb2.Face:
    """Converts one face."""
    left, top, right, bottom = face.box.tolist()
    points = [face_pb2.Point(x_px=x, y_px=y) for x, y in face.landmarks.tolist()]
    left_eye, right_eye, nose, left_mouth, right_mouth = points
    return face_pb2.Face(
        box=face_pb2.Box(x_px=left, y_px=top, width_px=right - left, height_px=bottom - top),
        landmarks=face_pb2.Landmarks(
            left_eye=left_eye,
            right_eye=right_eye,
            nose=nose,
            left_mouth=left_mouth,
            right_mouth=right_mouth,
        ),
        detection_score=face.score,
        decision=None if face.decision is None else decision_message(face.decision),
        quality=quality_message(face.quality),
        evidence_sequence=face.evidence_sequence,
        track_id=face.track_id,
        presentation_attack_score=face.presentation_attack,
    )


def timings_message(timings: Timings) -> face_pb2.StageTimings:
    """Converts seconds to whole microseconds, saturated at 2**32 - 1."""
    return face_pb2.StageTimings(
        queue_us=_microseconds(timings.queue_s),
        decode_us=_microseconds(timings.decode_s),
        detect_us=_microseconds(timings.detect_s),
        align_us=_microseconds(timings.align_s),
        embed_us=_microseconds(timings.embed_s),
        match_us=_microseconds(timings.match_s),
        total_us=_microseconds(timings.total_s),
    )


def decision_message(decision: Decision) -> face_pb2.Decision:
    """Converts one decision."""
    best, identity = decision.best, decision.identity
    return face_pb2.Decision(
        outcome=_OUTCOMES[decision.outcome],
        identity_id=identity.identity_id if identity else "",
        display_name=identity.display_name if identity else "",
        similarity=best.similarity if best else 0.0,
        threshold=decision.threshold,
        margin=decision.margin,
        template_id=decision.template_id,
        gallery_revision=decision.gallery_revision,
        candidates=[_candidate_message(candidate) for candidate in decision.candidates],
        threshold_source=threshold_source_message(decision.threshold_source),
        ambiguous_between=[
            _candidate_message(candidate) for candidate in decision.ambiguous_between
        ],
        look_count=decision.look_count,
        judgment=judgment_message(decision),
    )


def threshold_source_message(source: ThresholdSource) -> face_pb2.ThresholdSource:
    """Converts who chose a threshold."""
    return _THRESHOLD_SOURCES[source]


def _candidate_message(candidate: Candidate) -> face_pb2.Candidate:
    return face_pb2.Candidate(
        identity_id=candidate.identity_id,
        display_name=candidate.display_name,
        similarity=candidate.similarity,
        template_id=candidate.template_id,
        negative_example_similarity=candidate.negative_example_similarity,
    )


def _microseconds(seconds: float) -> int:
    return min(round(seconds * 1e6), 2**32 - 1)
