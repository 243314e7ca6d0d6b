"""The contract's enums as Python's.

A member's value is its name in the contract without the prefix
(`OUTCOME_KNOWN` is `Outcome.KNOWN`, "KNOWN"), and members stand in the order of
the contract's numbers. A number that this version does not know becomes
UNSPECIFIED, so that this client works with a newer server.
"""

import re
from enum import StrEnum
from functools import cache
from typing import Self

__all__ = [
    "CompareOutcome",
    "DetectionMode",
    "ErrorReason",
    "FaceSelection",
    "Feature",
    "FindingKind",
    "FramePolicy",
    "FrameStatus",
    "ImageFormat",
    "Outcome",
    "QualityFault",
    "ResponseDetail",
    "SkipReason",
    "ThresholdSource",
    "TrackReason",
    "TrackState",
    "WireEnum",
]


class WireEnum(StrEnum):
    """An enum of the contract: numbers count from 0, which is UNSPECIFIED."""

    @classmethod
    def from_wire(cls, number: int) -> Self:
        """Returns the member of a number of the contract; UNSPECIFIED if there is none."""
        members = list(cls)
        return members[number if 0 <= number < len(members) else 0]

    @property
    def wire_name(self) -> str:
        """This member's name in the contract."""
        return _prefix(type(self).__name__) + self.value


@cache
def _prefix(class_name: str) -> str:
    """FaceSelection: FACE_SELECTION_."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", class_name).upper() + "_"


class Outcome(WireEnum):
    """A conclusion about a face."""

    UNSPECIFIED = "UNSPECIFIED"
    PENDING = "PENDING"
    """Evidence is still being gathered (tracks only)."""
    KNOWN = "KNOWN"
    """The best identity lies at or above the threshold, clear of the runner-up."""
    UNKNOWN = "UNKNOWN"
    """No identity of the gallery reaches the threshold."""
    AMBIGUOUS = "AMBIGUOUS"
    """Two identities reach the threshold, too close to each other to choose."""
    TOO_POOR = "TOO_POOR"
    """The face is too poor to decide; `Face.quality.faults` say why."""


class CompareOutcome(WireEnum):
    """A conclusion about two faces."""

    UNSPECIFIED = "UNSPECIFIED"
    SAME = "SAME"
    DIFFERENT = "DIFFERENT"
    TOO_POOR = "TOO_POOR"
    """One of the faces is too poor to decide; its `quality.faults` say why."""


class ThresholdSource(WireEnum):
    """Who chose a threshold."""

    UNSPECIFIED = "UNSPECIFIED"
    """The server is older than this value."""
    REQUEST = "REQUEST"
    """The request: `DecisionPolicy.threshold`."""
    OPERATOR = "OPERATOR"
    """The operator of the server: the same value for every gallery."""
    GALLERY_SIZE = "GALLERY_SIZE"
    """The server, by the number of identities in the gallery: one without `Feature.ERROR_RATES`, or without a calibration of its model."""
    ERROR_RATE = "ERROR_RATE"
    """The server, by the error rate that is wanted: `DecisionPolicy.max_fpir`."""


class FindingKind(WireEnum):
    """What can be wrong in a gallery."""

    UNSPECIFIED = "UNSPECIFIED"
    """Something that this version does not know."""
    PROBABLE_DOUBLE = "PROBABLE_DOUBLE"
    """Two identities that are probably one person."""
    CONFUSABLE = "CONFUSABLE"
    """Two people of whom a picture of one can be taken for the other, or lie between them."""
    LEFT_OUT = "LEFT_OUT"
    """A template that resembles its person's others too little, and is not searched."""
    DISAGREEING = "DISAGREEING"
    """Two templates of a person that disagree: each is searched alone, since either may be wrong."""
    POOR_PICTURE = "POOR_PICTURE"
    """A person's only picture, which is a poor one."""
    REFUSED_TEMPLATE = "REFUSED_TEMPLATE"
    """A template that enrollment would refuse as too poor: it was imported, or enrolled under other limits."""


class DecidingRule(WireEnum):
    """What made an outcome what it is."""

    UNSPECIFIED = "UNSPECIFIED"
    FACE_TOO_POOR = "FACE_TOO_POOR"
    """TOO_POOR: the face was not compared."""
    NO_PERSON_TO_COMPARE = "NO_PERSON_TO_COMPARE"
    """UNKNOWN: the gallery has no person to compare with."""
    BELOW_THRESHOLD = "BELOW_THRESHOLD"
    """UNKNOWN: the best identity lies below the threshold."""
    ALONE_ABOVE_THRESHOLD = "ALONE_ABOVE_THRESHOLD"
    """KNOWN: the best identity reaches the threshold, and no other does."""
    CLEAR_OF_RUNNER_UP = "CLEAR_OF_RUNNER_UP"
    """KNOWN: another identity reaches the threshold, too, and lies at least `min_margin` behind."""
    WITHIN_MARGIN = "WITHIN_MARGIN"
    """AMBIGUOUS: another identity reaches the threshold, too, and lies less than `min_margin` behind."""
    TOO_FEW_LOOKS = "TOO_FEW_LOOKS"
    """PENDING: the looks at the face so far do not suffice."""
    NEARER_TO_NEGATIVE_EXAMPLE = "NEARER_TO_NEGATIVE_EXAMPLE"
    """UNKNOWN: an identity reaches the threshold, but the face is nearer to a negative example of it."""


class QualityFault(WireEnum):
    """Why a face is too poor to be enrolled, or to be decided about."""

    UNSPECIFIED = "UNSPECIFIED"
    TOO_SMALL = "TOO_SMALL"
    """By `Quality.inter_eye_px`: a face that is only turned to the side is not small."""
    BLURRED = "BLURRED"
    """Out of focus, enlarged, or smeared by motion."""
    TURNED_AWAY = "TURNED_AWAY"
    TOO_DARK = "TOO_DARK"
    TOO_BRIGHT = "TOO_BRIGHT"
    UPSIDE_DOWN = "UPSIDE_DOWN"
    COVERED = "COVERED"
    """The eyes are covered, for example by sunglasses."""
    UNRECOGNIZABLE = "UNRECOGNIZABLE"
    """The model finds little in the face that identifies a person; the other faults say why, if that is known."""


class FaceSelection(WireEnum):
    """Which face of a picture is meant, if one is needed."""

    UNSPECIFIED = "UNSPECIFIED"
    """The method's default."""
    LARGEST = "LARGEST"
    MOST_CENTRAL = "MOST_CENTRAL"
    """The one whose box's center is nearest to the picture's, measured in sides of the box."""
    ONLY = "ONLY"
    """The only one: a picture with several faces is refused."""


class FramePolicy(WireEnum):
    """What happens to frames that come faster than they can be worked on."""

    UNSPECIFIED = "UNSPECIFIED"
    """NEWEST_WINS."""
    NEWEST_WINS = "NEWEST_WINS"
    """Older frames that wait are skipped for the newest. For live cameras."""
    EVERY_FRAME = "EVERY_FRAME"
    """Every frame is worked on. For files."""


class ResponseDetail(WireEnum):
    """Which results a stream sends."""

    UNSPECIFIED = "UNSPECIFIED"
    """FULL."""
    FULL = "FULL"
    """The faces of every frame that was worked on, and track events."""
    EVENTS_ONLY = "EVENTS_ONLY"
    """Track events; the results of frames have neither faces nor timings."""


class FrameStatus(WireEnum):
    """The outcome of a frame."""

    UNSPECIFIED = "UNSPECIFIED"
    OK = "OK"
    """The frame was recognized; no faces means that none was found."""
    INVALID = "INVALID"
    """The frame cannot be used; sending it again does not help."""
    UNAVAILABLE = "UNAVAILABLE"
    """A model did not respond, the storage was busy, or there was no memory; `reason` says which. The next frame may
    succeed."""
    TIMED_OUT = "TIMED_OUT"
    """The frame was not finished within the time for one picture."""


class SkipReason(WireEnum):
    """Why frames were skipped."""

    UNSPECIFIED = "UNSPECIFIED"
    SUPERSEDED = "SUPERSEDED"
    """A newer frame arrived before the server had time for this one."""
    OVER_CREDIT = "OVER_CREDIT"
    """More frames were sent than the server allows in flight."""
    SHUTTING_DOWN = "SHUTTING_DOWN"
    CONNECTION_LOST = "CONNECTION_LOST"
    """The connection broke before the result came; the stream was opened again (`Client.stream`, `reopen`)."""


class ImageFormat(WireEnum):
    """Layout of a picture's bytes."""

    UNSPECIFIED = "UNSPECIFIED"
    """Recognized by the first bytes: JPEG, PNG, WebP, BMP, GIF or AVIF."""
    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    RGB8 = "RGB8"
    BGR8 = "BGR8"
    """OpenCV's order."""
    GRAY8 = "GRAY8"
    NV12 = "NV12"
    """A luma plane, then a plane of half height with interleaved Cb and Cr."""
    BMP = "BMP"
    I420 = "I420"
    """A luma plane, then a Cb plane and a Cr plane of half its width and height."""
    NV21 = "NV21"
    """As NV12, with Cr before Cb."""
    YUYV = "YUYV"
    """Four bytes for two pixels: Y, Cb, Y, Cr."""
    UYVY = "UYVY"
    """Four bytes for two pixels: Cb, Y, Cr, Y."""
    BGRA8 = "BGRA8"
    """Four bytes a pixel: blue, green, red, and one that is ignored."""
    GIF = "GIF"
    AVIF = "AVIF"


class Feature(WireEnum):
    """A part of the contract that a server may lack."""

    UNSPECIFIED = "UNSPECIFIED"
    TRACKS = "TRACKS"
    """Faces of a stream are followed over its frames."""
    WATCH_TRACKS = "WATCH_TRACKS"
    """The track events of all cameras can be followed."""
    RESUME = "RESUME"
    """A stream that broke off can be resumed."""
    EVENTS_ONLY = "EVENTS_ONLY"
    """A stream can return events without frame results."""
    TRACK_CROPS = "TRACK_CROPS"
    """The best picture of a track is kept."""
    ENROLLMENT_CROPS = "ENROLLMENT_CROPS"
    """The aligned face of each enrolled picture is kept, encrypted."""
    ERROR_RATES = "ERROR_RATES"
    """Thresholds follow from wanted error rates: `DecisionPolicy.max_fpir` counts."""
    UNKNOWN_PEOPLE = "UNKNOWN_PEOPLE"
    """Visits of unknown people are kept, grouped by person."""
    PRESENTATION_ATTACKS = "PRESENTATION_ATTACKS"
    """Faces are looked at for presentation attacks (experimental)."""


class DetectionMode(WireEnum):
    """How the faces of a frame were looked for."""

    UNSPECIFIED = "UNSPECIFIED"
    SEARCHED = "SEARCHED"
    """The whole picture was searched."""
    FOLLOWED = "FOLLOWED"
    """Known faces were followed; a new one may have been missed until the next search."""


class TrackState(WireEnum):
    """The state of a track."""

    UNSPECIFIED = "UNSPECIFIED"
    TENTATIVE = "TENTATIVE"
    """A person is visible; who it is has not been decided yet."""
    CONFIRMED = "CONFIRMED"
    """The decision stands: a known identity, or an unknown person."""
    RETRACTED = "RETRACTED"
    """An earlier confirmation is revoked."""
    ENDED = "ENDED"
    """The person has left the picture."""


class TrackReason(WireEnum):
    """Why a track changed."""

    UNSPECIFIED = "UNSPECIFIED"
    EVIDENCE = "EVIDENCE"
    """The evidence of the frames so far."""
    GALLERY_CHANGED = "GALLERY_CHANGED"
    LOST = "LOST"
    """The face was not seen for a while."""
    STREAM_ENDED = "STREAM_ENDED"
    """The stream ended, or broke off and was not resumed in time."""
    APPEARED = "APPEARED"
    """A face was found that belongs to no track."""
    SWAPPED = "SWAPPED"
    """The track has another person's face, after a crossing, an occlusion or a cut."""


class ErrorReason(WireEnum):
    """Why something failed, for programs; the contract says more about each."""

    UNSPECIFIED = "UNSPECIFIED"
    FIELD_INVALID = "FIELD_INVALID"
    OUT_OF_ORDER = "OUT_OF_ORDER"
    IMAGE_EMPTY = "IMAGE_EMPTY"
    IMAGE_UNDECODABLE = "IMAGE_UNDECODABLE"
    IMAGE_TOO_MANY_BYTES = "IMAGE_TOO_MANY_BYTES"
    IMAGE_TOO_MANY_PIXELS = "IMAGE_TOO_MANY_PIXELS"
    IMAGE_LAYOUT = "IMAGE_LAYOUT"
    NO_FACE = "NO_FACE"
    SEVERAL_FACES = "SEVERAL_FACES"
    TOO_POOR = "TOO_POOR"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    TOKEN_REQUIRED = "TOKEN_REQUIRED"
    GALLERY_NOT_FOUND = "GALLERY_NOT_FOUND"
    IDENTITY_NOT_FOUND = "IDENTITY_NOT_FOUND"
    TEMPLATE_NOT_FOUND = "TEMPLATE_NOT_FOUND"
    GALLERY_EXISTS = "GALLERY_EXISTS"
    IDENTITY_EXISTS = "IDENTITY_EXISTS"
    CONTRACT_MISMATCH = "CONTRACT_MISMATCH"
    GALLERY_FULL = "GALLERY_FULL"
    TOO_MANY_STREAMS = "TOO_MANY_STREAMS"
    SLOW_READER = "SLOW_READER"
    MODEL_UNAVAILABLE = "MODEL_UNAVAILABLE"
    WORKER_BUSY = "WORKER_BUSY"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    TIMED_OUT = "TIMED_OUT"
    NOT_IMPLEMENTED = "NOT_IMPLEMENTED"
    INTERNAL = "INTERNAL"
    STORAGE_BUSY = "STORAGE_BUSY"
    GALLERY_DAMAGED = "GALLERY_DAMAGED"
    REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
    TOO_MANY_CALLS = "TOO_MANY_CALLS"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    TRACK_NOT_FOUND = "TRACK_NOT_FOUND"
    CROPS_NOT_KEPT = "CROPS_NOT_KEPT"
    STREAM_TAKEN_OVER = "STREAM_TAKEN_OVER"
    ROLE_REQUIRED = "ROLE_REQUIRED"
    STORAGE_DAMAGED = "STORAGE_DAMAGED"
    UNKNOWN_PEOPLE_NOT_KEPT = "UNKNOWN_PEOPLE_NOT_KEPT"
    UNKNOWN_PERSON_NOT_FOUND = "UNKNOWN_PERSON_NOT_FOUND"
    CROP_KEY_MISSING = "CROP_KEY_MISSING"
    GALLERY_TOO_LARGE = "GALLERY_TOO_LARGE"
    NEGATIVE_EXAMPLE_NOT_FOUND = "NEGATIVE_EXAMPLE_NOT_FOUND"
