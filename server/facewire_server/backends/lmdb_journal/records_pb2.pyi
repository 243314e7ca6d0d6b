from facewire_server.backends.lmdb_gallery import records_pb2 as _records_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Person(_message.Message):
    __slots__ = ("number", "created_at_us")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    number: int
    created_at_us: int
    def __init__(self, number: _Optional[int] = ..., created_at_us: _Optional[int] = ...) -> None: ...

class Decision(_message.Message):
    __slots__ = ("outcome", "similarity", "margin", "threshold", "gallery_revision", "threshold_source", "between_similarities", "look_count")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    GALLERY_REVISION_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_SOURCE_FIELD_NUMBER: _ClassVar[int]
    BETWEEN_SIMILARITIES_FIELD_NUMBER: _ClassVar[int]
    LOOK_COUNT_FIELD_NUMBER: _ClassVar[int]
    outcome: str
    similarity: float
    margin: float
    threshold: float
    gallery_revision: int
    threshold_source: str
    between_similarities: _containers.RepeatedScalarFieldContainer[float]
    look_count: int
    def __init__(self, outcome: _Optional[str] = ..., similarity: _Optional[float] = ..., margin: _Optional[float] = ..., threshold: _Optional[float] = ..., gallery_revision: _Optional[int] = ..., threshold_source: _Optional[str] = ..., between_similarities: _Optional[_Iterable[float]] = ..., look_count: _Optional[int] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("camera_id", "gallery_id", "track_id", "visit_id", "state", "reason", "decision", "first_sequence", "last_sequence", "first_seen_us", "last_seen_us", "server_time_us", "best", "between", "previous", "presentation_attack")
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    VISIT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    SERVER_TIME_US_FIELD_NUMBER: _ClassVar[int]
    BEST_FIELD_NUMBER: _ClassVar[int]
    BETWEEN_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    PRESENTATION_ATTACK_FIELD_NUMBER: _ClassVar[int]
    camera_id: str
    gallery_id: str
    track_id: int
    visit_id: int
    state: str
    reason: str
    decision: Decision
    first_sequence: int
    last_sequence: int
    first_seen_us: int
    last_seen_us: int
    server_time_us: int
    best: Person
    between: _containers.RepeatedCompositeFieldContainer[Person]
    previous: Person
    presentation_attack: float
    def __init__(self, camera_id: _Optional[str] = ..., gallery_id: _Optional[str] = ..., track_id: _Optional[int] = ..., visit_id: _Optional[int] = ..., state: _Optional[str] = ..., reason: _Optional[str] = ..., decision: _Optional[_Union[Decision, _Mapping]] = ..., first_sequence: _Optional[int] = ..., last_sequence: _Optional[int] = ..., first_seen_us: _Optional[int] = ..., last_seen_us: _Optional[int] = ..., server_time_us: _Optional[int] = ..., best: _Optional[_Union[Person, _Mapping]] = ..., between: _Optional[_Iterable[_Union[Person, _Mapping]]] = ..., previous: _Optional[_Union[Person, _Mapping]] = ..., presentation_attack: _Optional[float] = ...) -> None: ...

class Stream(_message.Message):
    __slots__ = ("camera_id", "gallery_id", "slot", "client")
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    camera_id: str
    gallery_id: str
    slot: int
    client: bytes
    def __init__(self, camera_id: _Optional[str] = ..., gallery_id: _Optional[str] = ..., slot: _Optional[int] = ..., client: _Optional[bytes] = ...) -> None: ...

class OpenTrack(_message.Message):
    __slots__ = ("event_id", "event", "numbers")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    event_id: int
    event: Event
    numbers: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, event_id: _Optional[int] = ..., event: _Optional[_Union[Event, _Mapping]] = ..., numbers: _Optional[_Iterable[float]] = ...) -> None: ...

class Crop(_message.Message):
    __slots__ = ("sequence", "quality", "byte_count")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    BYTE_COUNT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    quality: _records_pb2.Quality
    byte_count: int
    def __init__(self, sequence: _Optional[int] = ..., quality: _Optional[_Union[_records_pb2.Quality, _Mapping]] = ..., byte_count: _Optional[int] = ...) -> None: ...
