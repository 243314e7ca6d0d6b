"""Results of recognition, as immutable values."""

from dataclasses import dataclass, field

from facewire._values.enums import (
    CompareOutcome,
    DetectionMode,
    ErrorReason,
    FrameStatus,
    SkipReason,
    ThresholdSource,
)
from facewire._values.faces import DetectedFace, Face

__all__ = [
    "Advice",
    "Comparison",
    "FrameResult",
    "FramesSkipped",
    "Health",
    "Recognition",
    "StageTimings",
    "StreamLimits",
]


@dataclass(frozen=True, slots=True)
class StageTimings:
    """The server's time for one picture by stage, microseconds; stages overlap."""

    queue_us: int
    decode_us: int
    detect_us: int
    align_us: int
    embed_us: int
    match_us: int
    total_us: int


@dataclass(frozen=True, slots=True)
class Recognition:
    """The faces of one picture, highest detection score first.

    Attributes:
        faces: the faces; there may be none.
        width_px: of the upright picture.
        height_px: of the upright picture.
        gallery_revision: the gallery's revision that was searched.
        model_contract_id: the model contract that the embeddings were made under.
        timings: the time by stage.
        smallest_face_px: side of the smallest face that was searched for; above the one asked for if
            the picture was too large to be searched that finely in its time.
    """

    faces: tuple[Face, ...]
    width_px: int
    height_px: int
    gallery_revision: int
    model_contract_id: str
    timings: StageTimings
    smallest_face_px: float = 0.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether two pictures show the same person.

    Attributes:
        outcome: the conclusion.
        similarity: of the two faces.
        threshold: the bound that it was compared with, with `threshold_raise`.
        first: the face of the first picture that was compared.
        second: the face of the second picture.
        model_contract_id: the model contract that the embeddings were made under.
        false_match_rate: estimated share of comparisons of two different people that reach `similarity`; None if it is unknown: the
            model has no calibration, the outcome is TOO_POOR, or `are_both_blurred`.
        false_match_rate_bound: its upper bound, as of `Judgment`; None with it.
        is_extrapolated: whether the rate lies beyond the data of the calibration.
        threshold_source: who chose the threshold. ERROR_RATE: it follows from the share of comparisons of two different people that
            may match, `DecisionPolicy.max_fpir`, else the server's `compare_max_fmr`. UNSPECIFIED: the server is too old to say.
        threshold_false_match_rate: estimated share of comparisons of two different people that reach `threshold` without
            `threshold_raise`, of faces that are not both blurred; with ERROR_RATE the share that was wanted. None: unknown.
        are_both_blurred: both faces are blurred: such faces resemble each other more, whoever they are.
        threshold_raise: part of `threshold` that was added since they are; 0 if the request set the threshold.
    """

    outcome: CompareOutcome
    similarity: float
    threshold: float
    first: DetectedFace
    second: DetectedFace
    model_contract_id: str
    false_match_rate: float | None = None
    false_match_rate_bound: float | None = None
    is_extrapolated: bool = False
    threshold_source: ThresholdSource = ThresholdSource.UNSPECIFIED
    threshold_false_match_rate: float | None = None
    are_both_blurred: bool = False
    threshold_raise: float = 0.0


@dataclass(frozen=True, slots=True)
class FrameResult:
    """The result of one frame.

    Attributes:
        sequence: the frame's number: the n-th frame of the stream, counted from 1.
        status: whether `faces` can be relied on.
        reason: why not; None if `status` is OK.
        detail: the same for people; "" if `status` is OK.
        faces: the faces, highest detection score first; empty unless `status` is OK.
        width_px: of the upright picture; 0 unless `status` is OK.
        height_px: of the upright picture; 0 unless `status` is OK.
        timings: the time by stage.
        captured_at_us: `Frame.captured_at_us`, unchanged.
        smallest_face_px: side of the smallest face that was searched for; see `Recognition`.
        detection_mode: how faces were looked for: only a SEARCHED frame can show that no new face is there.
    """

    sequence: int
    status: FrameStatus
    reason: ErrorReason | None
    detail: str
    faces: tuple[Face, ...]
    width_px: int
    height_px: int
    timings: StageTimings
    captured_at_us: int
    smallest_face_px: float = 0.0
    detection_mode: DetectionMode = DetectionMode.UNSPECIFIED

    @property
    def frame_count(self) -> int:
        """Frames that this accounts for, as of `FramesSkipped`: one."""
        return 1


@dataclass(frozen=True, slots=True)
class FramesSkipped:
    """Frames that were not worked on, as one range, both ends included."""

    first_sequence: int
    last_sequence: int
    reason: SkipReason
    frame_count: int


@dataclass(frozen=True, slots=True)
class Advice:
    """How the camera could make better use of the server; nothing is enforced.

    Attributes:
        target_fps: frames a second that the server keeps up with now.
        longest_side_px: longest side beyond which more pixels find no more faces;
            0: no limit.
    """

    target_fps: float
    longest_side_px: int


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """The limits of a stream.

    Attributes:
        max_in_flight: most frames sent and not accounted for.
        max_frame_bytes: most bytes of a picture.
        max_pixels: most pixels of a frame.
        model_contract_id: the model contract that embeddings are made under.
        resume_token: names the stream's tracks on the server, so that a stream that broke off is resumed; b"" on a server
            that keeps none. Who has it can take the stream over, so no repr shows it.
        resume_after_sequence: of a stream that was resumed, the last frame that was accounted for before; else 0.
        resume_within_ms: how long the token is good for after the stream broke off, milliseconds.
    """

    max_in_flight: int
    max_frame_bytes: int
    max_pixels: int
    model_contract_id: str
    resume_token: bytes = field(default=b"", repr=False)
    resume_after_sequence: int = 0
    resume_within_ms: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """Which parts of a server are ready for calls.

    Attributes:
        server: the process, and its galleries' storage.
        recognition: pictures and streams; the models are loaded and proven.
        galleries: reading and writing galleries.
    """

    server: bool
    recognition: bool
    galleries: bool

    @property
    def ready(self) -> bool:
        """Whether all of it is."""
        return self.server and self.recognition and self.galleries
