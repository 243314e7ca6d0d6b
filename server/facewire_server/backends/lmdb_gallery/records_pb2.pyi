from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Gallery(_message.Message):
    __slots__ = ("display_name", "revision", "identity_count", "template_count", "model_contract_id", "created_at_us", "dimension", "rows_per_block", "next_number", "enrollment_count", "pending_purge_count", "mean_count", "pair_mean", "pair_spread", "paired_identity_count", "mean_cohesion", "negative_example_count", "negative_identity_count")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_COUNT_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    ROWS_PER_BLOCK_FIELD_NUMBER: _ClassVar[int]
    NEXT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ENROLLMENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PENDING_PURGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    PAIR_MEAN_FIELD_NUMBER: _ClassVar[int]
    PAIR_SPREAD_FIELD_NUMBER: _ClassVar[int]
    PAIRED_IDENTITY_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEAN_COHESION_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_EXAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_IDENTITY_COUNT_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    revision: int
    identity_count: int
    template_count: int
    model_contract_id: str
    created_at_us: int
    dimension: int
    rows_per_block: int
    next_number: int
    enrollment_count: int
    pending_purge_count: int
    mean_count: int
    pair_mean: float
    pair_spread: float
    paired_identity_count: int
    mean_cohesion: float
    negative_example_count: int
    negative_identity_count: int
    def __init__(self, display_name: _Optional[str] = ..., revision: _Optional[int] = ..., identity_count: _Optional[int] = ..., template_count: _Optional[int] = ..., model_contract_id: _Optional[str] = ..., created_at_us: _Optional[int] = ..., dimension: _Optional[int] = ..., rows_per_block: _Optional[int] = ..., next_number: _Optional[int] = ..., enrollment_count: _Optional[int] = ..., pending_purge_count: _Optional[int] = ..., mean_count: _Optional[int] = ..., pair_mean: _Optional[float] = ..., pair_spread: _Optional[float] = ..., paired_identity_count: _Optional[int] = ..., mean_cohesion: _Optional[float] = ..., negative_example_count: _Optional[int] = ..., negative_identity_count: _Optional[int] = ...) -> None: ...

class Identity(_message.Message):
    __slots__ = ("number", "display_name", "template_count", "created_at_us", "merged", "negative_example_count")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    MERGED_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_EXAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    number: int
    display_name: str
    template_count: int
    created_at_us: int
    merged: _containers.RepeatedCompositeFieldContainer[MergedIdentity]
    negative_example_count: int
    def __init__(self, number: _Optional[int] = ..., display_name: _Optional[str] = ..., template_count: _Optional[int] = ..., created_at_us: _Optional[int] = ..., merged: _Optional[_Iterable[_Union[MergedIdentity, _Mapping]]] = ..., negative_example_count: _Optional[int] = ...) -> None: ...

class MergedIdentity(_message.Message):
    __slots__ = ("number", "created_at_us")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    number: int
    created_at_us: int
    def __init__(self, number: _Optional[int] = ..., created_at_us: _Optional[int] = ...) -> None: ...

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
    faults: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, inter_eye_px: _Optional[float] = ..., sharpness: _Optional[float] = ..., brightness: _Optional[float] = ..., directional_sharpness: _Optional[float] = ..., embedding_norm: _Optional[float] = ..., yaw: _Optional[float] = ..., pitch: _Optional[float] = ..., faults: _Optional[_Iterable[str]] = ...) -> None: ...

class Template(_message.Message):
    __slots__ = ("template_id", "row", "quality", "detection_score", "created_at_us", "source", "mean_number", "mean_row")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    DETECTION_SCORE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    MEAN_NUMBER_FIELD_NUMBER: _ClassVar[int]
    MEAN_ROW_FIELD_NUMBER: _ClassVar[int]
    template_id: bytes
    row: int
    quality: Quality
    detection_score: float
    created_at_us: int
    source: str
    mean_number: int
    mean_row: int
    def __init__(self, template_id: _Optional[bytes] = ..., row: _Optional[int] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ..., detection_score: _Optional[float] = ..., created_at_us: _Optional[int] = ..., source: _Optional[str] = ..., mean_number: _Optional[int] = ..., mean_row: _Optional[int] = ...) -> None: ...

class NegativeExample(_message.Message):
    __slots__ = ("negative_example_id", "quality", "detection_score", "created_at_us", "source", "embedding", "checksum", "box", "request_digest", "fingerprint")
    NEGATIVE_EXAMPLE_ID_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    DETECTION_SCORE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    REQUEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    negative_example_id: bytes
    quality: Quality
    detection_score: float
    created_at_us: int
    source: str
    embedding: bytes
    checksum: int
    box: _containers.RepeatedScalarFieldContainer[float]
    request_digest: bytes
    fingerprint: bytes
    def __init__(self, negative_example_id: _Optional[bytes] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ..., detection_score: _Optional[float] = ..., created_at_us: _Optional[int] = ..., source: _Optional[str] = ..., embedding: _Optional[bytes] = ..., checksum: _Optional[int] = ..., box: _Optional[_Iterable[float]] = ..., request_digest: _Optional[bytes] = ..., fingerprint: _Optional[bytes] = ...) -> None: ...

class EnrollmentResult(_message.Message):
    __slots__ = ("template_id", "refusal", "detail", "quality", "box", "detection_score")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    DETECTION_SCORE_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    refusal: str
    detail: str
    quality: Quality
    box: _containers.RepeatedScalarFieldContainer[float]
    detection_score: float
    def __init__(self, template_id: _Optional[str] = ..., refusal: _Optional[str] = ..., detail: _Optional[str] = ..., quality: _Optional[_Union[Quality, _Mapping]] = ..., box: _Optional[_Iterable[float]] = ..., detection_score: _Optional[float] = ...) -> None: ...

class Enrollment(_message.Message):
    __slots__ = ("number", "fingerprint", "revision", "results")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    number: int
    fingerprint: bytes
    revision: int
    results: _containers.RepeatedCompositeFieldContainer[EnrollmentResult]
    def __init__(self, number: _Optional[int] = ..., fingerprint: _Optional[bytes] = ..., revision: _Optional[int] = ..., results: _Optional[_Iterable[_Union[EnrollmentResult, _Mapping]]] = ...) -> None: ...
