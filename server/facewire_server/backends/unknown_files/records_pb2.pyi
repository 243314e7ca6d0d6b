from facewire_server.backends.lmdb_gallery import records_pb2 as _records_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Picture(_message.Message):
    __slots__ = ("jpeg", "sequence", "quality")
    JPEG_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    jpeg: bytes
    sequence: int
    quality: _records_pb2.Quality
    def __init__(self, jpeg: _Optional[bytes] = ..., sequence: _Optional[int] = ..., quality: _Optional[_Union[_records_pb2.Quality, _Mapping]] = ...) -> None: ...

class Visit(_message.Message):
    __slots__ = ("camera_id", "track_id", "visit_id", "first_seen_us", "last_seen_us", "looks_mean", "picture")
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    TRACK_ID_FIELD_NUMBER: _ClassVar[int]
    VISIT_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    LOOKS_MEAN_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    camera_id: str
    track_id: int
    visit_id: int
    first_seen_us: int
    last_seen_us: int
    looks_mean: bytes
    picture: Picture
    def __init__(self, camera_id: _Optional[str] = ..., track_id: _Optional[int] = ..., visit_id: _Optional[int] = ..., first_seen_us: _Optional[int] = ..., last_seen_us: _Optional[int] = ..., looks_mean: _Optional[bytes] = ..., picture: _Optional[_Union[Picture, _Mapping]] = ...) -> None: ...

class Person(_message.Message):
    __slots__ = ("gallery_id", "model_contract_id", "visits")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    VISITS_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    model_contract_id: str
    visits: _containers.RepeatedCompositeFieldContainer[Visit]
    def __init__(self, gallery_id: _Optional[str] = ..., model_contract_id: _Optional[str] = ..., visits: _Optional[_Iterable[_Union[Visit, _Mapping]]] = ...) -> None: ...
