from facewire.v1 import face_pb2 as _face_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FramePolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FRAME_POLICY_UNSPECIFIED: _ClassVar[FramePolicy]
    FRAME_POLICY_NEWEST_WINS: _ClassVar[FramePolicy]
    FRAME_POLICY_EVERY_FRAME: _ClassVar[FramePolicy]

class ResponseDetail(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESPONSE_DETAIL_UNSPECIFIED: _ClassVar[ResponseDetail]
    RESPONSE_DETAIL_FULL: _ClassVar[ResponseDetail]
    RESPONSE_DETAIL_EVENTS_ONLY: _ClassVar[ResponseDetail]

class DetectionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DETECTION_MODE_UNSPECIFIED: _ClassVar[DetectionMode]
    DETECTION_MODE_SEARCHED: _ClassVar[DetectionMode]
    DETECTION_MODE_FOLLOWED: _ClassVar[DetectionMode]

class FrameStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FRAME_STATUS_UNSPECIFIED: _ClassVar[FrameStatus]
    FRAME_STATUS_OK: _ClassVar[FrameStatus]
    FRAME_STATUS_INVALID: _ClassVar[FrameStatus]
    FRAME_STATUS_UNAVAILABLE: _ClassVar[FrameStatus]
    FRAME_STATUS_TIMED_OUT: _ClassVar[FrameStatus]

class SkipReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SKIP_REASON_UNSPECIFIED: _ClassVar[SkipReason]
    SKIP_REASON_SUPERSEDED: _ClassVar[SkipReason]
    SKIP_REASON_OVER_CREDIT: _ClassVar[SkipReason]
    SKIP_REASON_SHUTTING_DOWN: _ClassVar[SkipReason]
    SKIP_REASON_CONNECTION_LOST: _ClassVar[SkipReason]

class TrackState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRACK_STATE_UNSPECIFIED: _ClassVar[TrackState]
    TRACK_STATE_TENTATIVE: _ClassVar[TrackState]
    TRACK_STATE_CONFIRMED: _ClassVar[TrackState]
    TRACK_STATE_RETRACTED: _ClassVar[TrackState]
    TRACK_STATE_ENDED: _ClassVar[TrackState]

class TrackReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRACK_REASON_UNSPECIFIED: _ClassVar[TrackReason]
    TRACK_REASON_EVIDENCE: _ClassVar[TrackReason]
    TRACK_REASON_GALLERY_CHANGED: _ClassVar[TrackReason]
    TRACK_REASON_LOST: _ClassVar[TrackReason]
    TRACK_REASON_STREAM_ENDED: _ClassVar[TrackReason]
    TRACK_REASON_APPEARED: _ClassVar[TrackReason]
    TRACK_REASON_SWAPPED: _ClassVar[TrackReason]

class ReconnectReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RECONNECT_REASON_UNSPECIFIED: _ClassVar[ReconnectReason]
    RECONNECT_REASON_SHUTTING_DOWN: _ClassVar[ReconnectReason]
    RECONNECT_REASON_REBALANCE: _ClassVar[ReconnectReason]
    RECONNECT_REASON_IDLE: _ClassVar[ReconnectReason]

class CompareOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPARE_OUTCOME_UNSPECIFIED: _ClassVar[CompareOutcome]
    COMPARE_OUTCOME_SAME: _ClassVar[CompareOutcome]
    COMPARE_OUTCOME_DIFFERENT: _ClassVar[CompareOutcome]
    COMPARE_OUTCOME_TOO_POOR: _ClassVar[CompareOutcome]

class Feature(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FEATURE_UNSPECIFIED: _ClassVar[Feature]
    FEATURE_TRACKS: _ClassVar[Feature]
    FEATURE_WATCH_TRACKS: _ClassVar[Feature]
    FEATURE_RESUME: _ClassVar[Feature]
    FEATURE_EVENTS_ONLY: _ClassVar[Feature]
    FEATURE_TRACK_CROPS: _ClassVar[Feature]
    FEATURE_ENROLLMENT_CROPS: _ClassVar[Feature]
    FEATURE_ERROR_RATES: _ClassVar[Feature]
    FEATURE_UNKNOWN_PEOPLE: _ClassVar[Feature]
    FEATURE_PRESENTATION_ATTACKS: _ClassVar[Feature]
FRAME_POLICY_UNSPECIFIED: FramePolicy
FRAME_POLICY_NEWEST_WINS: FramePolicy
FRAME_POLICY_EVERY_FRAME: FramePolicy
RESPONSE_DETAIL_UNSPECIFIED: ResponseDetail
RESPONSE_DETAIL_FULL: ResponseDetail
RESPONSE_DETAIL_EVENTS_ONLY: ResponseDetail
DETECTION_MODE_UNSPECIFIED: DetectionMode
DETECTION_MODE_SEARCHED: DetectionMode
DETECTION_MODE_FOLLOWED: DetectionMode
FRAME_STATUS_UNSPECIFIED: FrameStatus
FRAME_STATUS_OK: FrameStatus
FRAME_STATUS_INVALID: FrameStatus
FRAME_STATUS_UNAVAILABLE: FrameStatus
FRAME_STATUS_TIMED_OUT: FrameStatus
SKIP_REASON_UNSPECIFIED: SkipReason
SKIP_REASON_SUPERSEDED: SkipReason
SKIP_REASON_OVER_CREDIT: SkipReason
SKIP_REASON_SHUTTING_DOWN: SkipReason
SKIP_REASON_CONNECTION_LOST: SkipReason
TRACK_STATE_UNSPECIFIED: TrackState
TRACK_STATE_TENTATIVE: TrackState
TRACK_STATE_CONFIRMED: TrackState
TRACK_STATE_RETRACTED: TrackState
TRACK_STATE_ENDED: TrackState
TRACK_REASON_UNSPECIFIED: TrackReason
TRACK_REASON_EVIDENCE: TrackReason
TRACK_REASON_GALLERY_CHANGED: TrackReason
TRACK_REASON_LOST: TrackReason
TRACK_REASON_STREAM_ENDED: TrackReason
TRACK_REASON_APPEARED: TrackReason
TRACK_REASON_SWAPPED: TrackReason
RECONNECT_REASON_UNSPECIFIED: ReconnectReason
RECONNECT_REASON_SHUTTING_DOWN: ReconnectReason
RECONNECT_REASON_REBALANCE: ReconnectReason
RECONNECT_REASON_IDLE: ReconnectReason
COMPARE_OUTCOME_UNSPECIFIED: CompareOutcome
COMPARE_OUTCOME_SAME: CompareOutcome
COMPARE_OUTCOME_DIFFERENT: CompareOutcome
COMPARE_OUTCOME_TOO_POOR: CompareOutcome
FEATURE_UNSPECIFIED: Feature
FEATURE_TRACKS: Feature
FEATURE_WATCH_TRACKS: Feature
FEATURE_RESUME: Feature
FEATURE_EVENTS_ONLY: Feature
FEATURE_TRACK_CROPS: Feature
FEATURE_ENROLLMENT_CROPS: Feature
FEATURE_ERROR_RATES: Feature
FEATURE_UNKNOWN_PEOPLE: Feature
FEATURE_PRESENTATION_ATTACKS: Feature

class StreamRecognizeRequest(_message.Message):
    __slots__ = ("config", "frame")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    config: StreamConfig
    frame: Frame
    def __init__(self, config: _Optional[_Union[StreamConfig, _Mapping]] = ..., frame: _Optional[_Union[Frame, _Mapping]] = ...) -> None: ...

class StreamConfig(_message.Message):
    __slots__ = ("gallery_id", "camera_id", "resume_token", "frame_policy", "decision_policy", "detection", "detail", "max_candidates", "rotation_degrees", "search_interval_ms", "explain")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FRAME_POLICY_FIELD_NUMBER: _ClassVar[int]
    DECISION_POLICY_FIELD_NUMBER: _ClassVar[int]
    DETECTION_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    ROTATION_DEGREES_FIELD_NUMBER: _ClassVar[int]
    SEARCH_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    camera_id: str
    resume_token: bytes
    frame_policy: FramePolicy
    decision_policy: _face_pb2.DecisionPolicy
    detection: _face_pb2.DetectionOptions
    detail: ResponseDetail
    max_candidates: int
    rotation_degrees: int
    search_interval_ms: int
    explain: bool
    def __init__(self, gallery_id: _Optional[str] = ..., camera_id: _Optional[str] = ..., resume_token: _Optional[bytes] = ..., frame_policy: _Optional[_Union[FramePolicy, str]] = ..., decision_policy: _Optional[_Union[_face_pb2.DecisionPolicy, _Mapping]] = ..., detection: _Optional[_Union[_face_pb2.DetectionOptions, _Mapping]] = ..., detail: _Optional[_Union[ResponseDetail, str]] = ..., max_candidates: _Optional[int] = ..., rotation_degrees: _Optional[int] = ..., search_interval_ms: _Optional[int] = ..., explain: bool = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("sequence", "captured_at_us", "image")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_US_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    captured_at_us: int
    image: _face_pb2.Image
    def __init__(self, sequence: _Optional[int] = ..., captured_at_us: _Optional[int] = ..., image: _Optional[_Union[_face_pb2.Image, _Mapping]] = ...) -> None: ...

class StreamRecognizeResponse(_message.Message):
    __slots__ = ("started", "frame", "skipped", "track", "advice", "reconnect")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    FRAME_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    TRACK_FIELD_NUMBER: _ClassVar[int]
    ADVICE_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_FIELD_NUMBER: _ClassVar[int]
    started: StreamStarted
    frame: FrameResult
    skipped: FramesSkipped
    track: TrackEvent
    advice: Advice
    reconnect: Reconnect
    def __init__(self, started: _Optional[_Union[StreamStarted, _Mapping]] = ..., frame: _Optional[_Union[FrameResult, _Mapping]] = ..., skipped: _Optional[_Union[FramesSkipped, _Mapping]] = ..., track: _Optional[_Union[TrackEvent, _Mapping]] = ..., advice: _Optional[_Union[Advice, _Mapping]] = ..., reconnect: _Optional[_Union[Reconnect, _Mapping]] = ...) -> None: ...

class StreamStarted(_message.Message):
    __slots__ = ("resume_token", "resume_after_sequence", "max_in_flight", "max_frame_bytes", "max_pixels", "model_contract_id", "resume_within_ms")
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RESUME_AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MAX_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    MAX_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MODEL_CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    RESUME_WITHIN_MS_FIELD_NUMBER: _ClassVar[int]
    resume_token: bytes
    resume_after_sequence: int
    max_in_flight: int
    max_frame_bytes: int
    max_pixels: int
    model_contract_id: str
    resume_within_ms: int
    def __init__(self, resume_token: _Optional[bytes] = ..., resume_after_sequence: _Optional[int] = ..., max_in_flight: _Optional[int] = ..., max_frame_bytes: _Optional[int] = ..., max_pixels: _Optional[int] = ..., model_contract_id: _Optional[str] = ..., resume_within_ms: _Optional[int] = ...) -> None: ...

class FrameResult(_message.Message):
    __slots__ = ("sequence", "status", "reason", "detail", "faces", "width_px", "height_px", "timings", "captured_at_us", "smallest_face_px", "detection_mode")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    FACES_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_AT_US_FIELD_NUMBER: _ClassVar[int]
    SMALLEST_FACE_PX_FIELD_NUMBER: _ClassVar[int]
    DETECTION_MODE_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    status: FrameStatus
    reason: _face_pb2.ErrorReason
    detail: str
    faces: _containers.RepeatedCompositeFieldContainer[_face_pb2.Face]
    width_px: int
    height_px: int
    timings: _face_pb2.StageTimings
    captured_at_us: int
    smallest_face_px: float
    detection_mode: DetectionMode
    def __init__(self, sequence: _Optional[int] = ..., status: _Optional[_Union[FrameStatus, str]] = ..., reason: _Optional[_Union[_face_pb2.ErrorReason, str]] = ..., detail: _Optional[str] = ..., faces: _Optional[_Iterable[_Union[_face_pb2.Face, _Mapping]]] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., timings: _Optional[_Union[_face_pb2.StageTimings, _Mapping]] = ..., captured_at_us: _Optional[int] = ..., smallest_face_px: _Optional[float] = ..., detection_mode: _Optional[_Union[DetectionMode, str]] = ...) -> None: ...

class FramesSkipped(_message.Message):
    __slots__ = ("first_sequence", "last_sequence", "reason", "frame_count")
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FRAME_COUNT_FIELD_NUMBER: _ClassVar[int]
    first_sequence: int
    last_sequence: int
    reason: SkipReason
    frame_count: int
    def __init__(self, first_sequence: _Optional[int] = ..., last_sequence: _Optional[int] = ..., reason: _Optional[_Union[SkipReason, str]] = ..., frame_count: _Optional[int] = ...) -> None: ...

class TrackEvent(_message.Message):
    __slots__ = ("event_id", "camera_id", "track_id", "state", "decision", "previous_identity_id", "reason", "first_sequence", "last_sequence", "server_time_us", "gallery_id", "visit_id", "first_seen_us", "last_seen_us", "has_crop", "presentation_attack_score")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    SERVER_TIME_US_FIELD_NUMBER: _ClassVar[int]
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    VISIT_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    HAS_CROP_FIELD_NUMBER: _ClassVar[int]
    PRESENTATION_ATTACK_SCORE_FIELD_NUMBER: _ClassVar[int]
    event_id: int
    camera_id: str
    track_id: int
    state: TrackState
    decision: _face_pb2.Decision
    previous_identity_id: str
    reason: TrackReason
    first_sequence: int
    last_sequence: int
    server_time_us: int
    gallery_id: str
    visit_id: int
    first_seen_us: int
    last_seen_us: int
    has_crop: bool
    presentation_attack_score: float
    def __init__(self, event_id: _Optional[int] = ..., camera_id: _Optional[str] = ..., track_id: _Optional[int] = ..., state: _Optional[_Union[TrackState, str]] = ..., decision: _Optional[_Union[_face_pb2.Decision, _Mapping]] = ..., previous_identity_id: _Optional[str] = ..., reason: _Optional[_Union[TrackReason, str]] = ..., first_sequence: _Optional[int] = ..., last_sequence: _Optional[int] = ..., server_time_us: _Optional[int] = ..., gallery_id: _Optional[str] = ..., visit_id: _Optional[int] = ..., first_seen_us: _Optional[int] = ..., last_seen_us: _Optional[int] = ..., has_crop: bool = ..., presentation_attack_score: _Optional[float] = ...) -> None: ...

class Advice(_message.Message):
    __slots__ = ("target_fps", "longest_side_px")
    TARGET_FPS_FIELD_NUMBER: _ClassVar[int]
    LONGEST_SIDE_PX_FIELD_NUMBER: _ClassVar[int]
    target_fps: float
    longest_side_px: int
    def __init__(self, target_fps: _Optional[float] = ..., longest_side_px: _Optional[int] = ...) -> None: ...

class Reconnect(_message.Message):
    __slots__ = ("reason", "after_ms")
    REASON_FIELD_NUMBER: _ClassVar[int]
    AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    reason: ReconnectReason
    after_ms: int
    def __init__(self, reason: _Optional[_Union[ReconnectReason, str]] = ..., after_ms: _Optional[int] = ...) -> None: ...

class RecognizeRequest(_message.Message):
    __slots__ = ("gallery_id", "image", "decision_policy", "detection", "max_candidates", "explain")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    DECISION_POLICY_FIELD_NUMBER: _ClassVar[int]
    DETECTION_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    image: _face_pb2.Image
    decision_policy: _face_pb2.DecisionPolicy
    detection: _face_pb2.DetectionOptions
    max_candidates: int
    explain: bool
    def __init__(self, gallery_id: _Optional[str] = ..., image: _Optional[_Union[_face_pb2.Image, _Mapping]] = ..., decision_policy: _Optional[_Union[_face_pb2.DecisionPolicy, _Mapping]] = ..., detection: _Optional[_Union[_face_pb2.DetectionOptions, _Mapping]] = ..., max_candidates: _Optional[int] = ..., explain: bool = ...) -> None: ...

class RecognizeResponse(_message.Message):
    __slots__ = ("faces", "width_px", "height_px", "gallery_revision", "model_contract_id", "timings", "smallest_face_px")
    FACES_FIELD_NUMBER: _ClassVar[int]
    WIDTH_PX_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_PX_FIELD_NUMBER: _ClassVar[int]
    GALLERY_REVISION_FIELD_NUMBER: _ClassVar[int]
    MODEL_CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    TIMINGS_FIELD_NUMBER: _ClassVar[int]
    SMALLEST_FACE_PX_FIELD_NUMBER: _ClassVar[int]
    faces: _containers.RepeatedCompositeFieldContainer[_face_pb2.Face]
    width_px: int
    height_px: int
    gallery_revision: int
    model_contract_id: str
    timings: _face_pb2.StageTimings
    smallest_face_px: float
    def __init__(self, faces: _Optional[_Iterable[_Union[_face_pb2.Face, _Mapping]]] = ..., width_px: _Optional[int] = ..., height_px: _Optional[int] = ..., gallery_revision: _Optional[int] = ..., model_contract_id: _Optional[str] = ..., timings: _Optional[_Union[_face_pb2.StageTimings, _Mapping]] = ..., smallest_face_px: _Optional[float] = ...) -> None: ...

class CompareRequest(_message.Message):
    __slots__ = ("first", "second", "selection", "decision_policy", "detection")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    DECISION_POLICY_FIELD_NUMBER: _ClassVar[int]
    DETECTION_FIELD_NUMBER: _ClassVar[int]
    first: _face_pb2.Image
    second: _face_pb2.Image
    selection: _face_pb2.FaceSelection
    decision_policy: _face_pb2.DecisionPolicy
    detection: _face_pb2.DetectionOptions
    def __init__(self, first: _Optional[_Union[_face_pb2.Image, _Mapping]] = ..., second: _Optional[_Union[_face_pb2.Image, _Mapping]] = ..., selection: _Optional[_Union[_face_pb2.FaceSelection, str]] = ..., decision_policy: _Optional[_Union[_face_pb2.DecisionPolicy, _Mapping]] = ..., detection: _Optional[_Union[_face_pb2.DetectionOptions, _Mapping]] = ...) -> None: ...

class CompareResponse(_message.Message):
    __slots__ = ("outcome", "similarity", "threshold", "first", "second", "model_contract_id", "false_match_rate", "false_match_rate_bound", "is_extrapolated", "threshold_source", "threshold_false_match_rate", "are_both_blurred", "threshold_raise")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    MODEL_CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    FALSE_MATCH_RATE_FIELD_NUMBER: _ClassVar[int]
    FALSE_MATCH_RATE_BOUND_FIELD_NUMBER: _ClassVar[int]
    IS_EXTRAPOLATED_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_SOURCE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FALSE_MATCH_RATE_FIELD_NUMBER: _ClassVar[int]
    ARE_BOTH_BLURRED_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_RAISE_FIELD_NUMBER: _ClassVar[int]
    outcome: CompareOutcome
    similarity: float
    threshold: float
    first: _face_pb2.Face
    second: _face_pb2.Face
    model_contract_id: str
    false_match_rate: float
    false_match_rate_bound: float
    is_extrapolated: bool
    threshold_source: _face_pb2.ThresholdSource
    threshold_false_match_rate: float
    are_both_blurred: bool
    threshold_raise: float
    def __init__(self, outcome: _Optional[_Union[CompareOutcome, str]] = ..., similarity: _Optional[float] = ..., threshold: _Optional[float] = ..., first: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., second: _Optional[_Union[_face_pb2.Face, _Mapping]] = ..., model_contract_id: _Optional[str] = ..., false_match_rate: _Optional[float] = ..., false_match_rate_bound: _Optional[float] = ..., is_extrapolated: bool = ..., threshold_source: _Optional[_Union[_face_pb2.ThresholdSource, str]] = ..., threshold_false_match_rate: _Optional[float] = ..., are_both_blurred: bool = ..., threshold_raise: _Optional[float] = ...) -> None: ...

class WatchTracksRequest(_message.Message):
    __slots__ = ("camera_ids", "identity_ids", "after_event", "states", "kept_only")
    CAMERA_IDS_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_IDS_FIELD_NUMBER: _ClassVar[int]
    AFTER_EVENT_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    KEPT_ONLY_FIELD_NUMBER: _ClassVar[int]
    camera_ids: _containers.RepeatedScalarFieldContainer[str]
    identity_ids: _containers.RepeatedScalarFieldContainer[str]
    after_event: int
    states: _containers.RepeatedScalarFieldContainer[TrackState]
    kept_only: bool
    def __init__(self, camera_ids: _Optional[_Iterable[str]] = ..., identity_ids: _Optional[_Iterable[str]] = ..., after_event: _Optional[int] = ..., states: _Optional[_Iterable[_Union[TrackState, str]]] = ..., kept_only: bool = ...) -> None: ...

class WatchTracksResponse(_message.Message):
    __slots__ = ("event", "events_lost")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_LOST_FIELD_NUMBER: _ClassVar[int]
    event: TrackEvent
    events_lost: bool
    def __init__(self, event: _Optional[_Union[TrackEvent, _Mapping]] = ..., events_lost: bool = ...) -> None: ...

class GetTrackCropRequest(_message.Message):
    __slots__ = ("track_id",)
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    track_id: int
    def __init__(self, track_id: _Optional[int] = ...) -> None: ...

class GetTrackCropResponse(_message.Message):
    __slots__ = ("image", "sequence", "quality")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    image: _face_pb2.Image
    sequence: int
    quality: _face_pb2.Quality
    def __init__(self, image: _Optional[_Union[_face_pb2.Image, _Mapping]] = ..., sequence: _Optional[int] = ..., quality: _Optional[_Union[_face_pb2.Quality, _Mapping]] = ...) -> None: ...

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("server_version", "model_contract_id", "model_contract_name", "limits", "image_formats", "decision_defaults", "features", "absent_features", "threshold_steps")
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    MODEL_CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_CONTRACT_NAME_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FORMATS_FIELD_NUMBER: _ClassVar[int]
    DECISION_DEFAULTS_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    ABSENT_FEATURES_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_STEPS_FIELD_NUMBER: _ClassVar[int]
    server_version: str
    model_contract_id: str
    model_contract_name: str
    limits: ServerLimits
    image_formats: _containers.RepeatedScalarFieldContainer[_face_pb2.ImageFormat]
    decision_defaults: _face_pb2.DecisionPolicy
    features: _containers.RepeatedScalarFieldContainer[Feature]
    absent_features: _containers.RepeatedScalarFieldContainer[Feature]
    threshold_steps: _containers.RepeatedCompositeFieldContainer[ThresholdStep]
    def __init__(self, server_version: _Optional[str] = ..., model_contract_id: _Optional[str] = ..., model_contract_name: _Optional[str] = ..., limits: _Optional[_Union[ServerLimits, _Mapping]] = ..., image_formats: _Optional[_Iterable[_Union[_face_pb2.ImageFormat, str]]] = ..., decision_defaults: _Optional[_Union[_face_pb2.DecisionPolicy, _Mapping]] = ..., features: _Optional[_Iterable[_Union[Feature, str]]] = ..., absent_features: _Optional[_Iterable[_Union[Feature, str]]] = ..., threshold_steps: _Optional[_Iterable[_Union[ThresholdStep, _Mapping]]] = ...) -> None: ...

class ThresholdStep(_message.Message):
    __slots__ = ("identity_count", "threshold")
    IDENTITY_COUNT_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    identity_count: int
    threshold: float
    def __init__(self, identity_count: _Optional[int] = ..., threshold: _Optional[float] = ...) -> None: ...

class ServerLimits(_message.Message):
    __slots__ = ("max_frame_bytes", "max_pixels", "max_message_bytes", "max_in_flight", "max_streams", "max_faces", "max_enroll_images", "max_enroll_bytes", "frame_timeout_ms", "min_ping_interval_ms", "max_stream_pixels", "request_timeout_ms", "max_calls_per_connection")
    MAX_FRAME_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_PIXELS_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    MAX_STREAMS_FIELD_NUMBER: _ClassVar[int]
    MAX_FACES_FIELD_NUMBER: _ClassVar[int]
    MAX_ENROLL_IMAGES_FIELD_NUMBER: _ClassVar[int]
    MAX_ENROLL_BYTES_FIELD_NUMBER: _ClassVar[int]
    FRAME_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    MIN_PING_INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_STREAM_PIXELS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    MAX_CALLS_PER_CONNECTION_FIELD_NUMBER: _ClassVar[int]
    max_frame_bytes: int
    max_pixels: int
    max_message_bytes: int
    max_in_flight: int
    max_streams: int
    max_faces: int
    max_enroll_images: int
    max_enroll_bytes: int
    frame_timeout_ms: int
    min_ping_interval_ms: int
    max_stream_pixels: int
    request_timeout_ms: int
    max_calls_per_connection: int
    def __init__(self, max_frame_bytes: _Optional[int] = ..., max_pixels: _Optional[int] = ..., max_message_bytes: _Optional[int] = ..., max_in_flight: _Optional[int] = ..., max_streams: _Optional[int] = ..., max_faces: _Optional[int] = ..., max_enroll_images: _Optional[int] = ..., max_enroll_bytes: _Optional[int] = ..., frame_timeout_ms: _Optional[int] = ..., min_ping_interval_ms: _Optional[int] = ..., max_stream_pixels: _Optional[int] = ..., request_timeout_ms: _Optional[int] = ..., max_calls_per_connection: _Optional[int] = ...) -> None: ...
