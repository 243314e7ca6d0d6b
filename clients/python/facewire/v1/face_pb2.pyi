from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ImageFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMAGE_FORMAT_UNSPECIFIED: _ClassVar[ImageFormat]
    IMAGE_FORMAT_JPEG: _ClassVar[ImageFormat]
    IMAGE_FORMAT_PNG: _ClassVar[ImageFormat]
    IMAGE_FORMAT_WEBP: _ClassVar[ImageFormat]
    IMAGE_FORMAT_RGB8: _ClassVar[ImageFormat]
    IMAGE_FORMAT_BGR8: _ClassVar[ImageFormat]
    IMAGE_FORMAT_GRAY8: _ClassVar[ImageFormat]
    IMAGE_FORMAT_NV12: _ClassVar[ImageFormat]
    IMAGE_FORMAT_BMP: _ClassVar[ImageFormat]
    IMAGE_FORMAT_I420: _ClassVar[ImageFormat]
    IMAGE_FORMAT_NV21: _ClassVar[ImageFormat]
    IMAGE_FORMAT_YUYV: _ClassVar[ImageFormat]
    IMAGE_FORMAT_UYVY: _ClassVar[ImageFormat]
    IMAGE_FORMAT_BGRA8: _ClassVar[ImageFormat]
    IMAGE_FORMAT_GIF: _ClassVar[ImageFormat]
    IMAGE_FORMAT_AVIF: _ClassVar[ImageFormat]

class QualityFault(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    QUALITY_FAULT_UNSPECIFIED: _ClassVar[QualityFault]
    QUALITY_FAULT_TOO_SMALL: _ClassVar[QualityFault]
    QUALITY_FAULT_BLURRED: _ClassVar[QualityFault]
    QUALITY_FAULT_TURNED_AWAY: _ClassVar[QualityFault]
    QUALITY_FAULT_TOO_DARK: _ClassVar[QualityFault]
    QUALITY_FAULT_TOO_BRIGHT: _ClassVar[QualityFault]
    QUALITY_FAULT_UPSIDE_DOWN: _ClassVar[QualityFault]
    QUALITY_FAULT_COVERED: _ClassVar[QualityFault]
    QUALITY_FAULT_UNRECOGNIZABLE: _ClassVar[QualityFault]

class DecidingRule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECIDING_RULE_UNSPECIFIED: _ClassVar[DecidingRule]
    DECIDING_RULE_FACE_TOO_POOR: _ClassVar[DecidingRule]
    DECIDING_RULE_NO_PERSON_TO_COMPARE: _ClassVar[DecidingRule]
    DECIDING_RULE_BELOW_THRESHOLD: _ClassVar[DecidingRule]
    DECIDING_RULE_ALONE_ABOVE_THRESHOLD: _ClassVar[DecidingRule]
    DECIDING_RULE_CLEAR_OF_RUNNER_UP: _ClassVar[DecidingRule]
    DECIDING_RULE_WITHIN_MARGIN: _ClassVar[DecidingRule]
    DECIDING_RULE_TOO_FEW_LOOKS: _ClassVar[DecidingRule]
    DECIDING_RULE_NEARER_TO_NEGATIVE_EXAMPLE: _ClassVar[DecidingRule]

class ThresholdSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    THRESHOLD_SOURCE_UNSPECIFIED: _ClassVar[ThresholdSource]
    THRESHOLD_SOURCE_REQUEST: _ClassVar[ThresholdSource]
    THRESHOLD_SOURCE_OPERATOR: _ClassVar[ThresholdSource]
    THRESHOLD_SOURCE_GALLERY_SIZE: _ClassVar[ThresholdSource]
    THRESHOLD_SOURCE_ERROR_RATE: _ClassVar[ThresholdSource]

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_PENDING: _ClassVar[Outcome]
    OUTCOME_KNOWN: _ClassVar[Outcome]
    OUTCOME_UNKNOWN: _ClassVar[Outcome]
    OUTCOME_AMBIGUOUS: _ClassVar[Outcome]
    OUTCOME_TOO_POOR: _ClassVar[Outcome]

class FaceSelection(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FACE_SELECTION_UNSPECIFIED: _ClassVar[FaceSelection]
    FACE_SELECTION_LARGEST: _ClassVar[FaceSelection]
    FACE_SELECTION_MOST_CENTRAL: _ClassVar[FaceSelection]
    FACE_SELECTION_ONLY: _ClassVar[FaceSelection]

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_FIELD_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_OUT_OF_ORDER: _ClassVar[ErrorReason]
    ERROR_REASON_IMAGE_EMPTY: _ClassVar[ErrorReason]
    ERROR_REASON_IMAGE_UNDECODABLE: _ClassVar[ErrorReason]
    ERROR_REASON_IMAGE_TOO_MANY_BYTES: _ClassVar[ErrorReason]
    ERROR_REASON_IMAGE_TOO_MANY_PIXELS: _ClassVar[ErrorReason]
    ERROR_REASON_IMAGE_LAYOUT: _ClassVar[ErrorReason]
    ERROR_REASON_NO_FACE: _ClassVar[ErrorReason]
    ERROR_REASON_SEVERAL_FACES: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_POOR: _ClassVar[ErrorReason]
    ERROR_REASON_REQUEST_ID_REUSED: _ClassVar[ErrorReason]
    ERROR_REASON_TOKEN_REQUIRED: _ClassVar[ErrorReason]
    ERROR_REASON_GALLERY_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_IDENTITY_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_TEMPLATE_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_GALLERY_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_IDENTITY_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_CONTRACT_MISMATCH: _ClassVar[ErrorReason]
    ERROR_REASON_GALLERY_FULL: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_STREAMS: _ClassVar[ErrorReason]
    ERROR_REASON_SLOW_READER: _ClassVar[ErrorReason]
    ERROR_REASON_MODEL_UNAVAILABLE: _ClassVar[ErrorReason]
    ERROR_REASON_WORKER_BUSY: _ClassVar[ErrorReason]
    ERROR_REASON_SHUTTING_DOWN: _ClassVar[ErrorReason]
    ERROR_REASON_TIMED_OUT: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_IMPLEMENTED: _ClassVar[ErrorReason]
    ERROR_REASON_INTERNAL: _ClassVar[ErrorReason]
    ERROR_REASON_STORAGE_BUSY: _ClassVar[ErrorReason]
    ERROR_REASON_GALLERY_DAMAGED: _ClassVar[ErrorReason]
    ERROR_REASON_REQUEST_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_CALLS: _ClassVar[ErrorReason]
    ERROR_REASON_OUT_OF_MEMORY: _ClassVar[ErrorReason]
    ERROR_REASON_TRACK_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_CROPS_NOT_KEPT: _ClassVar[ErrorReason]
    ERROR_REASON_STREAM_TAKEN_OVER: _ClassVar[ErrorReason]
    ERROR_REASON_ROLE_REQUIRED: _ClassVar[ErrorReason]
    ERROR_REASON_STORAGE_DAMAGED: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_PEOPLE_NOT_KEPT: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_PERSON_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_CROP_KEY_MISSING: _ClassVar[ErrorReason]
    ERROR_REASON_GALLERY_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_NEGATIVE_EXAMPLE_NOT_FOUND: _ClassVar[ErrorReason]
IMAGE_FORMAT_UNSPECIFIED: ImageFormat
IMAGE_FORMAT_JPEG: ImageFormat
IMAGE_FORMAT_PNG: ImageFormat
IMAGE_FORMAT_WEBP: ImageFormat
IMAGE_FORMAT_RGB8: ImageFormat
IMAGE_FORMAT_BGR8: ImageFormat
IMAGE_FORMAT_GRAY8: ImageFormat
IMAGE_FORMAT_NV12: ImageFormat
IMAGE_FORMAT_BMP: ImageFormat
IMAGE_FORMAT_I420: ImageFormat
IMAGE_FORMAT_NV21: ImageFormat
IMAGE_FORMAT_YUYV: ImageFormat
IMAGE_FORMAT_UYVY: ImageFormat
IMAGE_FORMAT_BGRA8: ImageFormat
IMAGE_FORMAT_GIF: ImageFormat
IMAGE_FORMAT_AVIF: ImageFormat
QUALITY_FAULT_UNSPECIFIED: QualityFault
QUALITY_FAULT_TOO_SMALL: QualityFault
QUALITY_FAULT_BLURRED: QualityFault
QUALITY_FAULT_TURNED_AWAY: QualityFault
QUALITY_FAULT_TOO_DARK: QualityFault
QUALITY_FAULT_TOO_BRIGHT: QualityFault
QUALITY_FAULT_UPSIDE_DOWN: QualityFault
QUALITY_FAULT_COVERED: QualityFault
QUALITY_FAULT_UNRECOGNIZABLE: QualityFault
DECIDING_RULE_UNSPECIFIED: DecidingRule
DECIDING_RULE_FACE_TOO_POOR: DecidingRule
DECIDING_RULE_NO_PERSON_TO_COMPARE: DecidingRule
DECIDING_RULE_BELOW_THRESHOLD: DecidingRule
DECIDING_RULE_ALONE_ABOVE_THRESHOLD: DecidingRule
DECIDING_RULE_CLEAR_OF_RUNNER_UP: DecidingRule
DECIDING_RULE_WITHIN_MARGIN: DecidingRule
DECIDING_RULE_TOO_FEW_LOOKS: DecidingRule
DECIDING_RULE_NEARER_TO_NEGATIVE_EXAMPLE: DecidingRule
THRESHOLD_SOURCE_UNSPECIFIED: ThresholdSource
THRESHOLD_SOURCE_REQUEST: ThresholdSource
THRESHOLD_SOURCE_OPERATOR: ThresholdSource
THRESHOLD_SOURCE_GALLERY_SIZE: ThresholdSource
THRESHOLD_SOURCE_ERROR_RATE: ThresholdSource
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_PENDING: Outcome
OUTCOME_KNOWN: Outcome
OUTCOME_UNKNOWN: Outcome
OUTCOME_AMBIGUOUS: Outcome
OUTCOME_TOO_POOR: Outcome
FACE_SELECTION_UNSPECIFIED: FaceSelection
FACE_SELECTION_LARGEST: FaceSelection
FACE_SELECTION_MOST_CENTRAL: FaceSelection
FACE_SELECTION_ONLY: FaceSelection
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_FIELD_INVALID: ErrorReason
ERROR_REASON_OUT_OF_ORDER: ErrorReason
ERROR_REASON_IMAGE_EMPTY: ErrorReason
ERROR_REASON_IMAGE_UNDECODABLE: ErrorReason
ERROR_REASON_IMAGE_TOO_MANY_BYTES: ErrorReason
ERROR_REASON_IMAGE_TOO_MANY_PIXELS: ErrorReason
ERROR_REASON_IMAGE_LAYOUT: ErrorReason
ERROR_REASON_NO_FACE: ErrorReason
ERROR_REASON_SEVERAL_FACES: ErrorReason
ERROR_REASON_TOO_POOR: ErrorReason
ERROR_REASON_REQUEST_ID_REUSED: ErrorReason
ERROR_REASON_TOKEN_REQUIRED: ErrorReason
ERROR_REASON_GALLERY_NOT_FOUND: ErrorReason
ERROR_REASON_IDENTITY_NOT_FOUND: ErrorReason
ERROR_REASON_TEMPLATE_NOT_FOUND: ErrorReason
ERROR_REASON_GALLERY_EXISTS: ErrorReason
ERROR_REASON_IDENTITY_EXISTS: ErrorReason
ERROR_REASON_CONTRACT_MISMATCH: ErrorReason
ERROR_REASON_GALLERY_FULL: ErrorReason
ERROR_REASON_TOO_MANY_STREAMS: ErrorReason
ERROR_REASON_SLOW_READER: ErrorReason
ERROR_REASON_MODEL_UNAVAILABLE: ErrorReason
ERROR_REASON_WORKER_BUSY: ErrorReason
ERROR_REASON_SHUTTING_DOWN: ErrorReason
ERROR_REASON_TIMED_OUT: ErrorReason
ERROR_REASON_NOT_IMPLEMENTED: ErrorReason
ERROR_REASON_INTERNAL: ErrorReason
ERROR_REASON_STORAGE_BUSY: ErrorReason
ERROR_REASON_GALLERY_DAMAGED: ErrorReason
ERROR_REASON_REQUEST_TOO_LARGE: ErrorReason
ERROR_REASON_TOO_MANY_CALLS: ErrorReason
ERROR_REASON_OUT_OF_MEMORY: ErrorReason
ERROR_REASON_TRACK_NOT_FOUND: ErrorReason
ERROR_REASON_CROPS_NOT_KEPT: ErrorReason
ERROR_REASON_STREAM_TAKEN_OVER: ErrorReason
ERROR_REASON_ROLE_REQUIRED: ErrorReason
ERROR_REASON_STORAGE_DAMAGED: ErrorReason
ERROR_REASON_UNKNOWN_PEOPLE_NOT_KEPT: ErrorReason
ERROR_REASON_UNKNOWN_PERSON_NOT_FOUND: ErrorReason
ERROR_REASON_CROP_KEY_MISSING: ErrorReason
ERROR_REASON_GALLERY_TOO_LARGE: ErrorReason
ERROR_REASON_NEGATIVE_EXAMPLE_NOT_FOUND: ErrorReason

class Image(_message.Message):
    __slots__ = ("data", "format", "width_px", "height_px", "stride_bytes", "chroma_stride_bytes", "plane_height_px")
    DATA_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    STRIDE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHROMA_STRIDE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PLANE_HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    format: ImageFormat
    width_px: int
    height_px: int
    stride_bytes: int
    chroma_stride_bytes: int
    plane_height_px: int
    def __init__(self, data: _Optional[bytes] = ..., format: _Optional[_Union[ImageFormat, str]] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., stride_bytes: _Optional[int] = ..., chroma_stride_bytes: _Optional[int] = ..., plane_height_px: _Optional[int] = ...) -> None: ...

class Box(_message.Message):
    __slots__ = ("x_px", "y_px", "width_px", "height_px")
    X_PX_FIELD_NUMBER: _ClassVar[int]
    Y_PX_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    x_px: float
    y_px: float
    width_px: float
    height_px: float
    def __init__(self, x_px: _Optional[float] = ..., y_px: _Optional[float] = ..., width_px: _Optional[float] = ..., height_px: _Optional[float] = ...) -> None: ...

class Point(_message.Message):
    __slots__ = ("x_px", "y_px")
    X_PX_FIELD_NUMBER: _ClassVar[int]
    Y_PX_FIELD_NUMBER: _ClassVar[int]
    x_px: float
    y_px: float
    def __init__(self, x_px: _Optional[float] = ..., y_px: _Optional[float] = ...) -> None: ...

class Landmarks(_message.Message):
    __slots__ = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
    LEFT_EYE_FIELD_NUMBER: _ClassVar[int]
    RIGHT_EYE_FIELD_NUMBER: _ClassVar[int]
    NOSE_FIELD_NUMBER: _ClassVar[int]
    LEFT_MOUTH_FIELD_NUMBER: _ClassVar[int]
    RIGHT_MOUTH_FIELD_NUMBER: _ClassVar[int]
    left_eye: Point
    right_eye: Point
    nose: Point
    left_mouth: Point
    right_mouth: Point
    def __init__(self, left_eye: _Optional[_Union[Point, _Mapping]] = ..., right_eye: _Optional[_Union[Point, _Mapping]] = ..., nose: _Optional[_Union[Point, _Mapping]] = ..., left_mouth: _Optional[_Union[Point, _Mapping]] = ..., right_mouth: _Optional[_Union[Point, _Mapping]] = ...) -> None: ...

class Face(_message.Message):
    __slots__ = ("box", "landmarks", "detection_score", "track_id", "decision", "quality", "evidence_sequence", "presentation_attack_score")
    BOX_FIELD_NUMBER: _ClassVar[int]
    LANDMARKS_FIELD_NUMBER: _ClassVar[int]
    DETECTION_SCORE_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PRESENTATION_ATTACK_SCORE_FIELD_NUMBER: _ClassVar[int]
    box: Box
    landmarks: Landmarks
    detection_score: float
    track_id: int
    decision: Decision
    quality: Quality
    evidence_sequence: int
    presentation_attack_score: float
    def __init__(self, box: _Optional[_Union[Box, _Mapping]] = ..., landmarks: _Optional[_Union[Landmarks, _Mapping]] = ..., detection_score: _Optional[float] = ..., track_id: _Optional[int] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ..., evidence_sequence: _Optional[int] = ..., presentation_attack_score: _Optional[float] = ...) -> None: ...

class Quality(_message.Message):
    __slots__ = ("inter_eye_px", "sharpness", "brightness", "directional_sharpness", "embedding_norm", "yaw", "pitch", "faults")
    INTER_EYE_PX_FIELD_NUMBER: _ClassVar[int]
    SHARPNESS_FIELD_NUMBER: _ClassVar[int]
    BRIGHTNESS_FIELD_NUMBER: _ClassVar[int]
    DIRECTIONAL_SHARPNESS_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_NORM_FIELD_NUMBER: _ClassVar[int]
    YAW_FIELD_NUMBER: _ClassVar[int]
    PITCH_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    inter_eye_px: float
    sharpness: float
    brightness: float
    directional_sharpness: float
    embedding_norm: float
    yaw: float
    pitch: float
    faults: _containers.RepeatedScalarFieldContainer[QualityFault]
    def __init__(self, inter_eye_px: _Optional[float] = ..., sharpness: _Optional[float] = ..., brightness: _Optional[float] = ..., directional_sharpness: _Optional[float] = ..., embedding_norm: _Optional[float] = ..., yaw: _Optional[float] = ..., pitch: _Optional[float] = ..., faults: _Optional[_Iterable[_Union[QualityFault, str]]] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("outcome", "identity_id", "display_name", "similarity", "threshold", "margin", "template_id", "gallery_revision", "candidates", "threshold_source", "ambiguous_between", "look_count", "judgment")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    GALLERY_REVISION_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_SOURCE_FIELD_NUMBER: _ClassVar[int]
    AMBIGUOUS_BETWEEN_FIELD_NUMBER: _ClassVar[int]
    LOOK_COUNT_FIELD_NUMBER: _ClassVar[int]
    JUDGMENT_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    identity_id: str
    display_name: str
    similarity: float
    threshold: float
    margin: float
    template_id: str
    gallery_revision: int
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    threshold_source: ThresholdSource
    ambiguous_between: _containers.RepeatedCompositeFieldContainer[Candidate]
    look_count: int
    judgment: Judgment
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., identity_id: _Optional[str] = ..., display_name: _Optional[str] = ..., similarity: _Optional[float] = ..., threshold: _Optional[float] = ..., margin: _Optional[float] = ..., template_id: _Optional[str] = ..., gallery_revision: _Optional[int] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., threshold_source: _Optional[_Union[ThresholdSource, str]] = ..., ambiguous_between: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., look_count: _Optional[int] = ..., judgment: _Optional[_Union[Judgment, _Mapping]] = ...) -> None: ...

class Judgment(_message.Message):
    __slots__ = ("deciding_rule", "false_match_rate", "false_match_rate_bound", "is_extrapolated", "false_name_rate", "threshold_rule", "min_margin", "min_inter_eye_px", "template_ids", "template_count", "passed_over_similarity", "negative_example_similarity")
    DECIDING_RULE_FIELD_NUMBER: _ClassVar[int]
    FALSE_MATCH_RATE_FIELD_NUMBER: _ClassVar[int]
    FALSE_MATCH_RATE_BOUND_FIELD_NUMBER: _ClassVar[int]
    IS_EXTRAPOLATED_FIELD_NUMBER: _ClassVar[int]
    FALSE_NAME_RATE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_RULE_FIELD_NUMBER: _ClassVar[int]
    MIN_MARGIN_FIELD_NUMBER: _ClassVar[int]
    MIN_INTER_EYE_PX_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_IDS_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    PASSED_OVER_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_EXAMPLE_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    deciding_rule: DecidingRule
    false_match_rate: float
    false_match_rate_bound: float
    is_extrapolated: bool
    false_name_rate: float
    threshold_rule: ThresholdRule
    min_margin: float
    min_inter_eye_px: float
    template_ids: _containers.RepeatedScalarFieldContainer[str]
    template_count: int
    passed_over_similarity: float
    negative_example_similarity: float
    def __init__(self, deciding_rule: _Optional[_Union[DecidingRule, str]] = ..., false_match_rate: _Optional[float] = ..., false_match_rate_bound: _Optional[float] = ..., is_extrapolated: bool = ..., false_name_rate: _Optional[float] = ..., threshold_rule: _Optional[_Union[ThresholdRule, _Mapping]] = ..., min_margin: _Optional[float] = ..., min_inter_eye_px: _Optional[float] = ..., template_ids: _Optional[_Iterable[str]] = ..., template_count: _Optional[int] = ..., passed_over_similarity: _Optional[float] = ..., negative_example_similarity: _Optional[float] = ...) -> None: ...

class ThresholdRule(_message.Message):
    __slots__ = ("threshold", "max_fpir", "identity_count", "mean", "spread", "shrinkage", "pair_mean", "pair_spread", "paired_identity_count", "is_extrapolated", "cohesion")
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MAX_FPIR_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    SPREAD_FIELD_NUMBER: _ClassVar[int]
    SHRINKAGE_FIELD_NUMBER: _ClassVar[int]
    PAIR_MEAN_FIELD_NUMBER: _ClassVar[int]
    PAIR_SPREAD_FIELD_NUMBER: _ClassVar[int]
    PAIRED_IDENTITY_COUNT_FIELD_NUMBER: _ClassVar[int]
    IS_EXTRAPOLATED_FIELD_NUMBER: _ClassVar[int]
    COHESION_FIELD_NUMBER: _ClassVar[int]
    threshold: float
    max_fpir: float
    identity_count: int
    mean: float
    spread: float
    shrinkage: float
    pair_mean: float
    pair_spread: float
    paired_identity_count: int
    is_extrapolated: bool
    cohesion: float
    def __init__(self, threshold: _Optional[float] = ..., max_fpir: _Optional[float] = ..., identity_count: _Optional[int] = ..., mean: _Optional[float] = ..., spread: _Optional[float] = ..., shrinkage: _Optional[float] = ..., pair_mean: _Optional[float] = ..., pair_spread: _Optional[float] = ..., paired_identity_count: _Optional[int] = ..., is_extrapolated: bool = ..., cohesion: _Optional[float] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("identity_id", "display_name", "similarity", "template_id", "negative_example_similarity")
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_EXAMPLE_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    identity_id: str
    display_name: str
    similarity: float
    template_id: str
    negative_example_similarity: float
    def __init__(self, identity_id: _Optional[str] = ..., display_name: _Optional[str] = ..., similarity: _Optional[float] = ..., template_id: _Optional[str] = ..., negative_example_similarity: _Optional[float] = ...) -> None: ...

class DecisionPolicy(_message.Message):
    __slots__ = ("threshold", "min_margin", "min_inter_eye_px", "max_fpir")
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    MIN_MARGIN_FIELD_NUMBER: _ClassVar[int]
    MIN_INTER_EYE_PX_FIELD_NUMBER: _ClassVar[int]
    MAX_FPIR_FIELD_NUMBER: _ClassVar[int]
    threshold: float
    min_margin: float
    min_inter_eye_px: float
    max_fpir: float
    def __init__(self, threshold: _Optional[float] = ..., min_margin: _Optional[float] = ..., min_inter_eye_px: _Optional[float] = ..., max_fpir: _Optional[float] = ...) -> None: ...

class DetectionOptions(_message.Message):
    __slots__ = ("min_face_px", "min_score", "max_faces")
    MIN_FACE_PX_FIELD_NUMBER: _ClassVar[int]
    MIN_SCORE_FIELD_NUMBER: _ClassVar[int]
    MAX_FACES_FIELD_NUMBER: _ClassVar[int]
    min_face_px: int
    min_score: float
    max_faces: int
    def __init__(self, min_face_px: _Optional[int] = ..., min_score: _Optional[float] = ..., max_faces: _Optional[int] = ...) -> None: ...

class StageTimings(_message.Message):
    __slots__ = ("queue_us", "decode_us", "detect_us", "align_us", "embed_us", "match_us", "total_us")
    QUEUE_US_FIELD_NUMBER: _ClassVar[int]
    DECODE_US_FIELD_NUMBER: _ClassVar[int]
    DETECT_US_FIELD_NUMBER: _ClassVar[int]
    ALIGN_US_FIELD_NUMBER: _ClassVar[int]
    EMBED_US_FIELD_NUMBER: _ClassVar[int]
    MATCH_US_FIELD_NUMBER: _ClassVar[int]
    TOTAL_US_FIELD_NUMBER: _ClassVar[int]
    queue_us: int
    decode_us: int
    detect_us: int
    align_us: int
    embed_us: int
    match_us: int
    total_us: int
    def __init__(self, queue_us: _Optional[int] = ..., decode_us: _Optional[int] = ..., detect_us: _Optional[int] = ..., align_us: _Optional[int] = ..., embed_us: _Optional[int] = ..., match_us: _Optional[int] = ..., total_us: _Optional[int] = ...) -> None: ...
