"""The values of all rooms: pictures, faces, decisions.

Positions are pixels of the upright picture, x to the right, y downwards. Arrays
that describe n faces have n rows in the same order; n may be 0 everywhere.
"""

from facewire_server.types.comparisons import CompareOutcome, Comparison, PairThreshold
from facewire_server.types.decisions import (
    Candidate,
    Decision,
    DecisionPolicy,
    DetectionMode,
    Face,
    Grounds,
    Outcome,
    Recognition,
    Timings,
)
from facewire_server.types.faces import (
    CANVAS_MIN_FACE_PX,
    CROP_PX,
    SURROUNDINGS_PX,
    DetectionOptions,
    Faces,
    FaceSelection,
    Quality,
    QualityFault,
)
from facewire_server.types.pictures import (
    Header,
    Picture,
    PictureFormat,
    PictureLimits,
    Rgb,
)
from facewire_server.types.tracks import TrackEvent, TrackReason, TrackState

__all__ = [
    "CANVAS_MIN_FACE_PX",
    "CROP_PX",
    "SURROUNDINGS_PX",
    "Candidate",
    "CompareOutcome",
    "Comparison",
    "Decision",
    "DecisionPolicy",
    "DetectionMode",
    "DetectionOptions",
    "Face",
    "FaceSelection",
    "Faces",
    "Grounds",
    "Header",
    "Outcome",
    "PairThreshold",
    "Picture",
    "PictureFormat",
    "PictureLimits",
    "Quality",
    "QualityFault",
    "Recognition",
    "Rgb",
    "Timings",
    "TrackEvent",
    "TrackReason",
    "TrackState",
]
