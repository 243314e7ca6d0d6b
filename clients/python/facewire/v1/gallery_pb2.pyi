from facewire.v1 import face_pb2 as _face_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FindingKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINDING_KIND_UNSPECIFIED: _ClassVar[FindingKind]
    FINDING_KIND_PROBABLE_DOUBLE: _ClassVar[FindingKind]
    FINDING_KIND_CONFUSABLE: _ClassVar[FindingKind]
    FINDING_KIND_LEFT_OUT: _ClassVar[FindingKind]
    FINDING_KIND_DISAGREEING: _ClassVar[FindingKind]
    FINDING_KIND_POOR_PICTURE: _ClassVar[FindingKind]
    FINDING_KIND_REFUSED_TEMPLATE: _ClassVar[FindingKind]
FINDING_KIND_UNSPECIFIED: FindingKind
FINDING_KIND_PROBABLE_DOUBLE: FindingKind
FINDING_KIND_CONFUSABLE: FindingKind
FINDING_KIND_LEFT_OUT: FindingKind
FINDING_KIND_DISAGREEING: FindingKind
FINDING_KIND_POOR_PICTURE: FindingKind
FINDING_KIND_REFUSED_TEMPLATE: FindingKind

class Gallery(_message.Message):
    __slots__ = ("gallery_id", "display_name", "revision", "identity_count", "template_count", "model_contract_id", "pending_purge_count", "created_at_us", "threshold", "threshold_source", "negative_example_count")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_COUNT_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MODEL_CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    PENDING_PURGE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_SOURCE_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_EXAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    display_name: str
    revision: int
    identity_count: int
    template_count: int
    model_contract_id: str
    pending_purge_count: int
    created_at_us: int
    threshold: float
    threshold_source: _face_pb2.ThresholdSource
    negative_example_count: int
    def __init__(self, gallery_id: _Optional[str] = ..., display_name: _Optional[str] = ..., revision: _Optional[int] = ..., identity_count: _Optional[int] = ..., template_count: _Optional[int] = ..., model_contract_id: _Optional[str] = ..., pending_purge_count: _Optional[int] = ..., created_at_us: _Optional[int] = ..., threshold: _Optional[float] = ..., threshold_source: _Optional[_Union[_face_pb2.ThresholdSource, str]] = ..., negative_example_count: _Optional[int] = ...) -> None: ...

class Identity(_message.Message):
    __slots__ = ("identity_id", "display_name", "template_count", "created_at_us", "negative_example_count")
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_EXAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    identity_id: str
    display_name: str
    template_count: int
    created_at_us: int
    negative_example_count: int
    def __init__(self, identity_id: _Optional[str] = ..., display_name: _Optional[str] = ..., template_count: _Optional[int] = ..., created_at_us: _Optional[int] = ..., negative_example_count: _Optional[int] = ...) -> None: ...

class Template(_message.Message):
    __slots__ = ("template_id", "identity_id", "quality", "detection_score", "created_at_us", "source")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    DETECTION_SCORE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    identity_id: str
    quality: _face_pb2.Quality
    detection_score: float
    created_at_us: int
    source: str
    def __init__(self, template_id: _Optional[str] = ..., identity_id: _Optional[str] = ..., quality: _Optional[_Union[_face_pb2.Quality, _Mapping]] = ..., detection_score: _Optional[float] = ..., created_at_us: _Optional[int] = ..., source: _Optional[str] = ...) -> None: ...

class NegativeExample(_message.Message):
    __slots__ = ("negative_example_id", "identity_id", "quality", "detection_score", "created_at_us", "source")
    NEGATIVE_EXAMPLE_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    DETECTION_SCORE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_US_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    negative_example_id: str
    identity_id: str
    quality: _face_pb2.Quality
    detection_score: float
    created_at_us: int
    source: str
    def __init__(self, negative_example_id: _Optional[str] = ..., identity_id: _Optional[str] = ..., quality: _Optional[_Union[_face_pb2.Quality, _Mapping]] = ..., detection_score: _Optional[float] = ..., created_at_us: _Optional[int] = ..., source: _Optional[str] = ...) -> None: ...

class CreateGalleryRequest(_message.Message):
    __slots__ = ("gallery_id", "display_name")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    display_name: str
    def __init__(self, gallery_id: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class CreateGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ...) -> None: ...

class GetGalleryRequest(_message.Message):
    __slots__ = ("gallery_id",)
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    def __init__(self, gallery_id: _Optional[str] = ...) -> None: ...

class GetGalleryResponse(_message.Message):
    __slots__ = ("gallery",)
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ...) -> None: ...

class ListGalleriesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListGalleriesResponse(_message.Message):
    __slots__ = ("galleries", "next_page_token")
    GALLERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    galleries: _containers.RepeatedCompositeFieldContainer[Gallery]
    next_page_token: str
    def __init__(self, galleries: _Optional[_Iterable[_Union[Gallery, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteGalleryRequest(_message.Message):
    __slots__ = ("gallery_id",)
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    def __init__(self, gallery_id: _Optional[str] = ...) -> None: ...

class DeleteGalleryResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class CreateIdentityRequest(_message.Message):
    __slots__ = ("gallery_id", "identity_id", "display_name")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    identity_id: str
    display_name: str
    def __init__(self, gallery_id: _Optional[str] = ..., identity_id: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class CreateIdentityResponse(_message.Message):
    __slots__ = ("identity", "revision")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    identity: Identity
    revision: int
    def __init__(self, identity: _Optional[_Union[Identity, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetIdentityRequest(_message.Message):
    __slots__ = ("gallery_id", "identity_id")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    identity_id: str
    def __init__(self, gallery_id: _Optional[str] = ..., identity_id: _Optional[str] = ...) -> None: ...

class GetIdentityResponse(_message.Message):
    __slots__ = ("identity",)
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    identity: Identity
    def __init__(self, identity: _Optional[_Union[Identity, _Mapping]] = ...) -> None: ...

class ListIdentitiesRequest(_message.Message):
    __slots__ = ("gallery_id", "page_size", "page_token")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    page_size: int
    page_token: str
    def __init__(self, gallery_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListIdentitiesResponse(_message.Message):
    __slots__ = ("identities", "next_page_token")
    IDENTITIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    identities: _containers.RepeatedCompositeFieldContainer[Identity]
    next_page_token: str
    def __init__(self, identities: _Optional[_Iterable[_Union[Identity, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateIdentityRequest(_message.Message):
    __slots__ = ("gallery_id", "identity_id", "display_name")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    identity_id: str
    display_name: str
    def __init__(self, gallery_id: _Optional[str] = ..., identity_id: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class UpdateIdentityResponse(_message.Message):
    __slots__ = ("identity", "revision")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    identity: Identity
    revision: int
    def __init__(self, identity: _Optional[_Union[Identity, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class DeleteIdentityRequest(_message.Message):
    __slots__ = ("gallery_id", "identity_id")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    identity_id: str
    def __init__(self, gallery_id: _Optional[str] = ..., identity_id: _Optional[str] = ...) -> None: ...

class DeleteIdentityResponse(_message.Message):
    __slots__ = ("revision", "deleted_template_count")
    REVISION_FIELD_NUMBER: _ClassVar[int]
    DELETED_TEMPLATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    revision: int
    deleted_template_count: int
    def __init__(self, revision: _Optional[int] = ..., deleted_template_count: _Optional[int] = ...) -> None: ...

class EnrollTemplatesRequest(_message.Message):
    __slots__ = ("gallery_id", "identity_id", "images", "selection", "request_id", "create_identity", "display_name", "source", "detection")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DETECTION_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    identity_id: str
    images: _containers.RepeatedCompositeFieldContainer[_face_pb2.Image]
    selection: _face_pb2.FaceSelection
    request_id: str
    create_identity: bool
    display_name: str
    source: str
    detection: _face_pb2.DetectionOptions
    def __init__(self, gallery_id: _Optional[str] = ..., identity_id: _Optional[str] = ..., images: _Optional[_Iterable[_Union[_face_pb2.Image, _Mapping]]] = ..., selection: _Optional[_Union[_face_pb2.FaceSelection, str]] = ..., request_id: _Optional[str] = ..., create_identity: bool = ..., display_name: _Optional[str] = ..., source: _Optional[str] = ..., detection: _Optional[_Union[_face_pb2.DetectionOptions, _Mapping]] = ...) -> None: ...

class EnrollTemplatesResponse(_message.Message):
    __slots__ = ("results", "revision", "threshold", "threshold_source")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_SOURCE_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[EnrollmentResult]
    revision: int
    threshold: float
    threshold_source: _face_pb2.ThresholdSource
    def __init__(self, results: _Optional[_Iterable[_Union[EnrollmentResult, _Mapping]]] = ..., revision: _Optional[int] = ..., threshold: _Optional[float] = ..., threshold_source: _Optional[_Union[_face_pb2.ThresholdSource, str]] = ...) -> None: ...

class EnrollmentResult(_message.Message):
    __slots__ = ("template_id", "refusal", "detail", "quality", "box", "similar_identity_id", "similar_identity_similarity")
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    SIMILAR_IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    SIMILAR_IDENTITY_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    template_id: str
    refusal: _face_pb2.ErrorReason
    detail: str
    quality: _face_pb2.Quality
    box: _face_pb2.Box
    similar_identity_id: str
    similar_identity_similarity: float
    def __init__(self, template_id: _Optional[str] = ..., refusal: _Optional[_Union[_face_pb2.ErrorReason, str]] = ..., detail: _Optional[str] = ..., quality: _Optional[_Union[_face_pb2.Quality, _Mapping]] = ..., box: _Optional[_Union[_face_pb2.Box, _Mapping]] = ..., similar_identity_id: _Optional[str] = ..., similar_identity_similarity: _Optional[float] = ...) -> None: ...

class ListTemplatesRequest(_message.Message):
    __slots__ = ("gallery_id", "identity_id", "page_size", "page_token")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    identity_id: str
    page_size: int
    page_token: str
    def __init__(self, gallery_id: _Optional[str] = ..., identity_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListTemplatesResponse(_message.Message):
    __slots__ = ("templates", "next_page_token")
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    templates: _containers.RepeatedCompositeFieldContainer[Template]
    next_page_token: str
    def __init__(self, templates: _Optional[_Iterable[_Union[Template, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteTemplateRequest(_message.Message):
    __slots__ = ("gallery_id", "template_id")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    template_id: str
    def __init__(self, gallery_id: _Optional[str] = ..., template_id: _Optional[str] = ...) -> None: ...

class DeleteTemplateResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class ExportGalleryRequest(_message.Message):
    __slots__ = ("gallery_id",)
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    def __init__(self, gallery_id: _Optional[str] = ...) -> None: ...

class ExportGalleryResponse(_message.Message):
    __slots__ = ("record",)
    RECORD_FIELD_NUMBER: _ClassVar[int]
    record: GalleryRecord
    def __init__(self, record: _Optional[_Union[GalleryRecord, _Mapping]] = ...) -> None: ...

class ImportGalleryRequest(_message.Message):
    __slots__ = ("gallery_id", "record")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    record: GalleryRecord
    def __init__(self, gallery_id: _Optional[str] = ..., record: _Optional[_Union[GalleryRecord, _Mapping]] = ...) -> None: ...

class ImportGalleryResponse(_message.Message):
    __slots__ = ("identities_added", "templates_added", "templates_skipped", "revision", "templates_poor", "negative_examples_added", "negative_examples_skipped")
    IDENTITIES_ADDED_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_ADDED_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_SKIPPED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_POOR_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_EXAMPLES_ADDED_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_EXAMPLES_SKIPPED_FIELD_NUMBER: _ClassVar[int]
    identities_added: int
    templates_added: int
    templates_skipped: int
    revision: int
    templates_poor: int
    negative_examples_added: int
    negative_examples_skipped: int
    def __init__(self, identities_added: _Optional[int] = ..., templates_added: _Optional[int] = ..., templates_skipped: _Optional[int] = ..., revision: _Optional[int] = ..., templates_poor: _Optional[int] = ..., negative_examples_added: _Optional[int] = ..., negative_examples_skipped: _Optional[int] = ...) -> None: ...

class PurgeDeletedRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PurgeDeletedResponse(_message.Message):
    __slots__ = ("rewritten",)
    REWRITTEN_FIELD_NUMBER: _ClassVar[int]
    rewritten: bool
    def __init__(self, rewritten: bool = ...) -> None: ...

class ListUnknownPeopleRequest(_message.Message):
    __slots__ = ("gallery_id", "page_size", "page_token")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    page_size: int
    page_token: str
    def __init__(self, gallery_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUnknownPeopleResponse(_message.Message):
    __slots__ = ("people", "next_page_token", "total_count")
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    people: _containers.RepeatedCompositeFieldContainer[UnknownPerson]
    next_page_token: str
    total_count: int
    def __init__(self, people: _Optional[_Iterable[_Union[UnknownPerson, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_count: _Optional[int] = ...) -> None: ...

class UnknownPerson(_message.Message):
    __slots__ = ("unknown_id", "visit_count", "first_seen_us", "last_seen_us", "camera_ids", "picture_count")
    UNKNOWN_ID_FIELD_NUMBER: _ClassVar[int]
    VISIT_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    CAMERA_IDS_FIELD_NUMBER: _ClassVar[int]
    PICTURE_COUNT_FIELD_NUMBER: _ClassVar[int]
    unknown_id: int
    visit_count: int
    first_seen_us: int
    last_seen_us: int
    camera_ids: _containers.RepeatedScalarFieldContainer[str]
    picture_count: int
    def __init__(self, unknown_id: _Optional[int] = ..., visit_count: _Optional[int] = ..., first_seen_us: _Optional[int] = ..., last_seen_us: _Optional[int] = ..., camera_ids: _Optional[_Iterable[str]] = ..., picture_count: _Optional[int] = ...) -> None: ...

class GetUnknownPicturesRequest(_message.Message):
    __slots__ = ("gallery_id", "unknown_id")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    unknown_id: int
    def __init__(self, gallery_id: _Optional[str] = ..., unknown_id: _Optional[int] = ...) -> None: ...

class GetUnknownPicturesResponse(_message.Message):
    __slots__ = ("pictures",)
    PICTURES_FIELD_NUMBER: _ClassVar[int]
    pictures: _containers.RepeatedCompositeFieldContainer[UnknownPicture]
    def __init__(self, pictures: _Optional[_Iterable[_Union[UnknownPicture, _Mapping]]] = ...) -> None: ...

class UnknownPicture(_message.Message):
    __slots__ = ("image", "quality", "camera_id", "first_seen_us", "last_seen_us")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    CAMERA_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    image: _face_pb2.Image
    quality: _face_pb2.Quality
    camera_id: str
    first_seen_us: int
    last_seen_us: int
    def __init__(self, image: _Optional[_Union[_face_pb2.Image, _Mapping]] = ..., quality: _Optional[_Union[_face_pb2.Quality, _Mapping]] = ..., camera_id: _Optional[str] = ..., first_seen_us: _Optional[int] = ..., last_seen_us: _Optional[int] = ...) -> None: ...

class EnrollUnknownRequest(_message.Message):
    __slots__ = ("gallery_id", "unknown_id", "identity_id", "create_identity", "display_name", "source")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    unknown_id: int
    identity_id: str
    create_identity: bool
    display_name: str
    source: str
    def __init__(self, gallery_id: _Optional[str] = ..., unknown_id: _Optional[int] = ..., identity_id: _Optional[str] = ..., create_identity: bool = ..., display_name: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class EnrollUnknownResponse(_message.Message):
    __slots__ = ("results", "revision", "threshold", "threshold_source")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_SOURCE_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[EnrollmentResult]
    revision: int
    threshold: float
    threshold_source: _face_pb2.ThresholdSource
    def __init__(self, results: _Optional[_Iterable[_Union[EnrollmentResult, _Mapping]]] = ..., revision: _Optional[int] = ..., threshold: _Optional[float] = ..., threshold_source: _Optional[_Union[_face_pb2.ThresholdSource, str]] = ...) -> None: ...

class ForgetUnknownRequest(_message.Message):
    __slots__ = ("gallery_id", "unknown_id", "all")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_ID_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    unknown_id: int
    all: bool
    def __init__(self, gallery_id: _Optional[str] = ..., unknown_id: _Optional[int] = ..., all: bool = ...) -> None: ...

class ForgetUnknownResponse(_message.Message):
    __slots__ = ("forgotten_count",)
    FORGOTTEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    forgotten_count: int
    def __init__(self, forgotten_count: _Optional[int] = ...) -> None: ...

class MergeIdentitiesRequest(_message.Message):
    __slots__ = ("gallery_id", "identity_id", "merged_identity_id")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    MERGED_IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    identity_id: str
    merged_identity_id: str
    def __init__(self, gallery_id: _Optional[str] = ..., identity_id: _Optional[str] = ..., merged_identity_id: _Optional[str] = ...) -> None: ...

class MergeIdentitiesResponse(_message.Message):
    __slots__ = ("identity", "revision", "moved_template_count")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    MOVED_TEMPLATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    identity: Identity
    revision: int
    moved_template_count: int
    def __init__(self, identity: _Optional[_Union[Identity, _Mapping]] = ..., revision: _Optional[int] = ..., moved_template_count: _Optional[int] = ...) -> None: ...

class SplitIdentityRequest(_message.Message):
    __slots__ = ("gallery_id", "identity_id", "template_ids", "new_identity_id", "display_name")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_IDS_FIELD_NUMBER: _ClassVar[int]
    NEW_IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    identity_id: str
    template_ids: _containers.RepeatedScalarFieldContainer[str]
    new_identity_id: str
    display_name: str
    def __init__(self, gallery_id: _Optional[str] = ..., identity_id: _Optional[str] = ..., template_ids: _Optional[_Iterable[str]] = ..., new_identity_id: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...

class SplitIdentityResponse(_message.Message):
    __slots__ = ("identity", "revision")
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    identity: Identity
    revision: int
    def __init__(self, identity: _Optional[_Union[Identity, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GalleryRecord(_message.Message):
    __slots__ = ("header", "identity", "template", "negative_example")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    header: ExportHeader
    identity: Identity
    template: ExportedTemplate
    negative_example: ExportedNegativeExample
    def __init__(self, header: _Optional[_Union[ExportHeader, _Mapping]] = ..., identity: _Optional[_Union[Identity, _Mapping]] = ..., template: _Optional[_Union[ExportedTemplate, _Mapping]] = ..., negative_example: _Optional[_Union[ExportedNegativeExample, _Mapping]] = ...) -> None: ...

class ExportHeader(_message.Message):
    __slots__ = ("gallery", "dimension")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    DIMENSION_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    dimension: int
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ..., dimension: _Optional[int] = ...) -> None: ...

class ExportedTemplate(_message.Message):
    __slots__ = ("template", "embedding")
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    template: Template
    embedding: bytes
    def __init__(self, template: _Optional[_Union[Template, _Mapping]] = ..., embedding: _Optional[bytes] = ...) -> None: ...

class ExportedNegativeExample(_message.Message):
    __slots__ = ("negative_example", "embedding")
    NEGATIVE_EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    EMBEDDING_FIELD_NUMBER: _ClassVar[int]
    negative_example: NegativeExample
    embedding: bytes
    def __init__(self, negative_example: _Optional[_Union[NegativeExample, _Mapping]] = ..., embedding: _Optional[bytes] = ...) -> None: ...

class AddNegativeExampleRequest(_message.Message):
    __slots__ = ("gallery_id", "identity_id", "image", "selection", "detection", "request_id", "source")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    SELECTION_FIELD_NUMBER: _ClassVar[int]
    DETECTION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    identity_id: str
    image: _face_pb2.Image
    selection: _face_pb2.FaceSelection
    detection: _face_pb2.DetectionOptions
    request_id: str
    source: str
    def __init__(self, gallery_id: _Optional[str] = ..., identity_id: _Optional[str] = ..., image: _Optional[_Union[_face_pb2.Image, _Mapping]] = ..., selection: _Optional[_Union[_face_pb2.FaceSelection, str]] = ..., detection: _Optional[_Union[_face_pb2.DetectionOptions, _Mapping]] = ..., request_id: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class AddNegativeExampleResponse(_message.Message):
    __slots__ = ("negative_example", "box", "similarity", "threshold", "threshold_source", "revision")
    NEGATIVE_EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_SOURCE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    negative_example: NegativeExample
    box: _face_pb2.Box
    similarity: float
    threshold: float
    threshold_source: _face_pb2.ThresholdSource
    revision: int
    def __init__(self, negative_example: _Optional[_Union[NegativeExample, _Mapping]] = ..., box: _Optional[_Union[_face_pb2.Box, _Mapping]] = ..., similarity: _Optional[float] = ..., threshold: _Optional[float] = ..., threshold_source: _Optional[_Union[_face_pb2.ThresholdSource, str]] = ..., revision: _Optional[int] = ...) -> None: ...

class ListNegativeExamplesRequest(_message.Message):
    __slots__ = ("gallery_id", "identity_id", "page_size", "page_token")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    identity_id: str
    page_size: int
    page_token: str
    def __init__(self, gallery_id: _Optional[str] = ..., identity_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListNegativeExamplesResponse(_message.Message):
    __slots__ = ("negative_examples", "next_page_token")
    NEGATIVE_EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    negative_examples: _containers.RepeatedCompositeFieldContainer[NegativeExample]
    next_page_token: str
    def __init__(self, negative_examples: _Optional[_Iterable[_Union[NegativeExample, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DeleteNegativeExampleRequest(_message.Message):
    __slots__ = ("gallery_id", "negative_example_id")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    NEGATIVE_EXAMPLE_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    negative_example_id: str
    def __init__(self, gallery_id: _Optional[str] = ..., negative_example_id: _Optional[str] = ...) -> None: ...

class DeleteNegativeExampleResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class GetTemplateRequest(_message.Message):
    __slots__ = ("gallery_id", "template_id")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_ID_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    template_id: str
    def __init__(self, gallery_id: _Optional[str] = ..., template_id: _Optional[str] = ...) -> None: ...

class GetTemplateResponse(_message.Message):
    __slots__ = ("template",)
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    template: Template
    def __init__(self, template: _Optional[_Union[Template, _Mapping]] = ...) -> None: ...

class CheckGalleryRequest(_message.Message):
    __slots__ = ("gallery_id", "max_findings")
    GALLERY_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_FINDINGS_FIELD_NUMBER: _ClassVar[int]
    gallery_id: str
    max_findings: int
    def __init__(self, gallery_id: _Optional[str] = ..., max_findings: _Optional[int] = ...) -> None: ...

class CheckGalleryResponse(_message.Message):
    __slots__ = ("gallery", "least_confusable", "least_double", "findings")
    GALLERY_FIELD_NUMBER: _ClassVar[int]
    LEAST_CONFUSABLE_FIELD_NUMBER: _ClassVar[int]
    LEAST_DOUBLE_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    gallery: Gallery
    least_confusable: float
    least_double: float
    findings: _containers.RepeatedCompositeFieldContainer[GalleryFindings]
    def __init__(self, gallery: _Optional[_Union[Gallery, _Mapping]] = ..., least_confusable: _Optional[float] = ..., least_double: _Optional[float] = ..., findings: _Optional[_Iterable[_Union[GalleryFindings, _Mapping]]] = ...) -> None: ...

class GalleryFindings(_message.Message):
    __slots__ = ("kind", "total_count", "listed")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    kind: FindingKind
    total_count: int
    listed: _containers.RepeatedCompositeFieldContainer[GalleryFinding]
    def __init__(self, kind: _Optional[_Union[FindingKind, str]] = ..., total_count: _Optional[int] = ..., listed: _Optional[_Iterable[_Union[GalleryFinding, _Mapping]]] = ...) -> None: ...

class GalleryFinding(_message.Message):
    __slots__ = ("people", "template_ids", "value", "faults", "resembled", "resembled_similarity")
    PEOPLE_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_IDS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    RESEMBLED_FIELD_NUMBER: _ClassVar[int]
    RESEMBLED_SIMILARITY_FIELD_NUMBER: _ClassVar[int]
    people: _containers.RepeatedCompositeFieldContainer[FoundPerson]
    template_ids: _containers.RepeatedScalarFieldContainer[str]
    value: float
    faults: _containers.RepeatedScalarFieldContainer[_face_pb2.QualityFault]
    resembled: FoundPerson
    resembled_similarity: float
    def __init__(self, people: _Optional[_Iterable[_Union[FoundPerson, _Mapping]]] = ..., template_ids: _Optional[_Iterable[str]] = ..., value: _Optional[float] = ..., faults: _Optional[_Iterable[_Union[_face_pb2.QualityFault, str]]] = ..., resembled: _Optional[_Union[FoundPerson, _Mapping]] = ..., resembled_similarity: _Optional[float] = ...) -> None: ...

class FoundPerson(_message.Message):
    __slots__ = ("identity_id", "display_name")
    IDENTITY_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    identity_id: str
    display_name: str
    def __init__(self, identity_id: _Optional[str] = ..., display_name: _Optional[str] = ...) -> None: ...
