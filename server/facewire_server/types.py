"""The values of all rooms: pictures, faces, decisions.

Positions are pixels of the upright picture, x to the right, y downwards. Arrays
that describe n faces have n rows in the same order; n may be 0 everywhere.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from facewire_server.thresholds import (
    EVERY_SIZE,
    Threshold,
    ThresholdSource,
    ThresholdStep,
    threshold_for,
)

__all__ = [
    "CANVAS_MIN_FACE_PX",
    "CROP_PX",
    "Candidate",
    "CompareOutcome",
    "Comparison",
    "Decision",
    "DecisionPolicy",
    "DetectionOptions",
    "Face",
    "FaceSelection",
    "Faces",
    "Header",
    "Outcome",
    "Picture",
    "PictureFormat",
    "PictureLimits",
    "Quality",
    "QualityFault",
    "Recognition",
    "Rgb",
    "Timings",
]

Rgb: TypeAlias = NDArray[np.uint8]
"""uint8, red green blue: a picture (h, w, 3), or aligned crops (n, 112, 112, 3)."""


CROP_PX = 112
"""Side of an aligned crop in pixels: the input size of the embedding model."""

CANVAS_MIN_FACE_PX = 20
"""Side of the smallest face wanted, on the canvas that is searched, pixels. MTCNN's smallest is 12; 20 leave its later stages
the detail that they need to reject patterns."""


class PictureFormat(Enum):
    """How the bytes of a picture are laid out (`facewire.v1.ImageFormat`)."""

    SNIFF = "recognized by the first bytes"
    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WebP"
    RGB8 = "RGB8"
    BGR8 = "BGR8"
    GRAY8 = "GRAY8"
    NV12 = "NV12"
    BMP = "BMP"
    I420 = "I420"
    NV21 = "NV21"
    YUYV = "YUYV"
    UYVY = "UYVY"
    BGRA8 = "BGRA8"
    GIF = "GIF"
    AVIF = "AVIF"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, not decoded yet.

    Attributes:
        data: the file, or the rows of a raw picture.
        format: how to read it.
        width_px, height_px, stride_bytes: of raw pictures; 0 stride = rows without padding.
        chroma_stride_bytes: of I420, from row to row of its chroma planes; 0 = half of the stride.
        plane_height_px: of NV12, NV21 and I420, rows of the luma plane with its padding; 0 = the height.
        rotation_degrees: the clockwise turn that makes it upright after its own EXIF orientation: 0, 90, 180 or 270.
    """

    data: bytes = field(repr=False)  # no traceback or log shows it
    format: PictureFormat = PictureFormat.SNIFF
    width_px: int = 0
    height_px: int = 0
    stride_bytes: int = 0
    chroma_stride_bytes: int = 0
    plane_height_px: int = 0
    rotation_degrees: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """A picture that was walked: its format and size, and what a decoder gets.

    Attributes:
        format: how its bytes are laid out; never SNIFF.
        width_px, height_px: as stored, before EXIF orientation.
        stride_bytes: from row to row, for raw pictures; 0 for encoded ones.
        chroma_stride_bytes, plane_height_px: as of a `Picture`; 0 for encoded ones.
        file: of an encoded picture, the parts of the file that were checked; b"" for raw ones.
        orientation: by which the stored picture is turned upright, 1 to 8 (EXIF 3.0, 4.6.5.1.6).
        passes: how often a decoder works through all pixels: the scans of a JPEG.
        is_cut: the file ends within the picture's data.
        remark: what is wrong with the file, though it is read; "" = nothing.
    """

    format: PictureFormat
    width_px: int
    height_px: int
    stride_bytes: int = 0
    chroma_stride_bytes: int = 0
    plane_height_px: int = 0
    file: bytes = field(default=b"", repr=False)
    orientation: int = 1
    passes: int = 1
    is_cut: bool = False
    remark: str = ""

    @property
    def pixel_count(self) -> int:
        """Pixels of the picture at full size."""
        return self.width_px * self.height_px


@dataclass(frozen=True, slots=True)
class Faces:
    """n detected faces of one picture, highest score first.

    Attributes:
        boxes: (n, 4) float32: x1, y1, x2, y2; may reach outside the picture.
        scores: (n,) float32 in [0, 1].
        landmarks: (n, 5, 2) float32 x, y: left eye, right eye, nose, left mouth corner,
            right mouth corner, as the viewer sees them.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    landmarks: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of faces."""
        return len(self.scores)

    def __getitem__(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> "Faces":
        """Returns the faces of `rows`, in that order."""
        return Faces(self.boxes[rows], self.scores[rows], self.landmarks[rows])

    def scaled(self, x: float, y: float) -> "Faces":
        """Returns the same faces in a picture that is x times as wide and y times as high."""
        by = np.array([x, y], np.float32)
        return Faces(self.boxes * np.tile(by, 2), self.scores, self.landmarks * by)

    def moved(self, x_px: float, y_px: float) -> "Faces":
        """Returns the same faces in a picture of which this one is the part that begins at x, y."""
        by = np.array([x_px, y_px], np.float32)
        return Faces(self.boxes + np.tile(by, 2), self.scores, self.landmarks + by)


class QualityFault(Enum):
    """What is wrong with a face (`facewire.v1.QualityFault`). The words are stored: do not change them."""

    TOO_SMALL = "too small"
    BLURRED = "blurred"
    TURNED_AWAY = "turned away"
    TOO_DARK = "too dark"
    TOO_BRIGHT = "too bright"
    UPSIDE_DOWN = "upside down"
    COVERED = "covered"
    UNRECOGNIZABLE = "unrecognizable"


class Quality(NamedTuple):
    """How well a face can be recognized (`facewire.v1.Quality`); `pipeline.quality` defines the measures.

    Attributes:
        inter_eye_px: distance of the eyes in the picture, pixels.
        sharpness: variance of the Laplacian of the crop's luma.
        brightness: mean luma of the crop, in [0, 255].
        directional_sharpness: variance of the second derivative of the crop's luma along x or along y, the smaller.
        embedding_norm: length of the embedding before it was normalized; 0 = unknown.
        yaw: the nose's shift to the viewer's right, in distances from eyes to mouth.
        pitch: the nose's shift toward the eyes, in distances from eyes to mouth.
        faults: what the limits of the server object to.
    """

    inter_eye_px: float
    sharpness: float
    brightness: float
    directional_sharpness: float = 0.0
    embedding_norm: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    faults: tuple[QualityFault, ...] = ()


class Candidate(NamedTuple):
    """A gallery identity, scored against a probe by its best template."""

    identity_id: str
    display_name: str
    similarity: float
    template_id: str


class Outcome(Enum):
    """The conclusion about a face (`facewire.v1.Outcome`)."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"
    TOO_POOR = "too poor"


@dataclass(frozen=True, slots=True)
class DecisionPolicy:
    """When a face counts as recognized.

    Attributes:
        threshold: lowest cosine similarity of a match, in (0, 1]; None = by the number of identities.
        min_margin: lead over a runner-up that also reaches the threshold, under which the outcome is AMBIGUOUS,
            in [0, 1].
        min_inter_eye_px: inter-eye distance under which the outcome is TOO_POOR.
        max_candidates: identities listed with a decision.
        threshold_source: who chose `threshold`, if it is set.
        threshold_steps: the thresholds by the number of identities.
    """

    threshold: float | None
    min_margin: float
    min_inter_eye_px: float
    max_candidates: int = 0
    threshold_source: ThresholdSource = ThresholdSource.REQUEST
    threshold_steps: tuple[ThresholdStep, ...] = EVERY_SIZE

    def threshold_among(self, identity_count: int) -> Threshold:
        """Returns the threshold of a comparison with this number of identities, and who chose it."""
        if self.threshold is not None:
            return Threshold(self.threshold, self.threshold_source)
        by_size = threshold_for(self.threshold_steps, identity_count)
        return Threshold(by_size, ThresholdSource.GALLERY_SIZE)


@dataclass(frozen=True, slots=True)
class Decision:
    """The conclusion about a face, with its evidence (`facewire.v1.Decision`).

    Attributes:
        outcome: the conclusion.
        best: the most similar identity, whatever the outcome; None if the gallery is empty
            or the face was too poor to be compared.
        margin: lead of `best` over the runner-up; 0 without a runner-up.
        threshold: lowest similarity of a match.
        gallery_revision: the revision searched.
        candidates: the best identities, best first, up to the number requested.
        threshold_source: who chose `threshold`.
        ambiguous_between: the best identity and the runner-up, if the outcome is AMBIGUOUS.
    """

    outcome: Outcome
    best: Candidate | None
    margin: float
    threshold: float
    gallery_revision: int
    candidates: tuple[Candidate, ...] = ()
    threshold_source: ThresholdSource = ThresholdSource.REQUEST
    ambiguous_between: tuple[Candidate, ...] = ()

    @property
    def identity(self) -> Candidate | None:
        """The recognized identity; None unless KNOWN.

        Identities that the outcome lies between are in `ambiguous_between`; others that were nearly
        matched are disclosed only in `candidates`, on request.
        """
        return self.best if self.outcome is Outcome.KNOWN else None

    @property
    def template_id(self) -> str:
        """The id of the matched template; "" if no identity was matched."""
        matched = self.outcome in (Outcome.KNOWN, Outcome.AMBIGUOUS)
        return self.best.template_id if self.best and matched else ""


@dataclass(frozen=True, slots=True)
class DetectionOptions:
    """What counts as a face.

    Attributes:
        min_face_px: side of the smallest face to find, in pixels of the picture; 0 = `short_side_fraction`.
        short_side_fraction: side of the smallest face to find, as a fraction of the picture's shorter side.
        min_score: lowest detection score reported.
        max_faces: most faces reported, the highest scores first.
        max_tiles: most tiles in which a picture is searched that is too large for one canvas; 0 = on one canvas only.
    """

    min_score: float
    max_faces: int
    short_side_fraction: float
    min_face_px: int = 0
    # Not part of the text, from which a repeated enrollment is recognized: it is the server's, not the request's.
    max_tiles: int = field(default=0, repr=False)


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """The limits of a single picture.

    Attributes:
        max_frame_bytes: most bytes of a picture.
        max_pixels: most pixels of a picture.
    """

    max_frame_bytes: int
    max_pixels: int


class FaceSelection(Enum):
    """Which face of a picture to use if one face is needed."""

    LARGEST = "largest"
    MOST_CENTRAL = "most central"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class Face:
    """One face of an answer.

    Attributes:
        box: (4,) float32 x1, y1, x2, y2.
        landmarks: (5, 2) float32.
        score: detection score.
        quality: measured on its crop.
        decision: None if no gallery was searched.
    """

    box: NDArray[np.float32]
    landmarks: NDArray[np.float32]
    score: float
    quality: Quality
    decision: Decision | None = None


@dataclass(slots=True)
class Timings:
    """Seconds spent on each stage of one picture; stages overlap."""

    queue_s: float = 0.0
    decode_s: float = 0.0
    detect_s: float = 0.0
    align_s: float = 0.0
    embed_s: float = 0.0
    match_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Recognition:
    """The answer to one picture.

    Attributes:
        faces: highest detection score first.
        width_px, height_px: of the upright picture.
        gallery_revision: the revision searched.
        timings: the time of each stage.
        smallest_face_px: side of the smallest face that was searched for, pixels of the picture.
        remark: what is wrong with the picture's file, though it was read; "" = nothing.
    """

    faces: tuple[Face, ...]
    width_px: int
    height_px: int
    gallery_revision: int
    timings: Timings = field(default_factory=Timings)
    smallest_face_px: float = 0.0
    remark: str = ""


class CompareOutcome(Enum):
    """The conclusion about two faces (`facewire.v1.CompareOutcome`)."""

    SAME = "same"
    DIFFERENT = "different"
    TOO_POOR = "too poor"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer to two pictures.

    Attributes:
        outcome: the conclusion.
        similarity: cosine of the two faces' embeddings.
        threshold: lowest similarity of the same person.
        first, second: the faces compared.
    """

    outcome: CompareOutcome
    similarity: float
    threshold: float
    first: Face
    second: Face
