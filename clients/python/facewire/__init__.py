"""Python client of facewire, a gRPC face-recognition service.

```python
import facewire

with facewire.Client("127.0.0.1:50051") as client:
    client.enroll("ada", ["ada_1.jpg", "ada_2.jpg"])
    for face in client.recognize("party.jpg").faces:
        print(face.name, face.box)
```
"""

from facewire._aio.camera_follower import AsyncCameraFollower
from facewire._aio.client import AsyncClient
from facewire._aio.stream import AsyncStream
from facewire._aio.track_feed import AsyncTrackFeed
from facewire._sync.camera_follower import CameraFollower
from facewire._sync.client import Client
from facewire._sync.stream import Stream
from facewire._sync.track_feed import TrackFeed
from facewire._values.checkup import Finding, Findings, FoundPerson, GalleryCheckup
from facewire._values.enums import (
    CompareOutcome,
    DecidingRule,
    DetectionMode,
    ErrorReason,
    FaceSelection,
    Feature,
    FindingKind,
    FramePolicy,
    FrameStatus,
    ImageFormat,
    Outcome,
    QualityFault,
    ResponseDetail,
    SkipReason,
    ThresholdSource,
    TrackReason,
    TrackState,
)
from facewire._values.errors import (
    AlreadyExistsError,
    AuthenticationError,
    ContractMismatchError,
    DeadlineError,
    FacewireError,
    InvalidPictureError,
    InvalidRequestError,
    LimitError,
    NoFaceError,
    NotFoundError,
    NotSupportedError,
    ReconnectError,
    ServerError,
    SeveralFacesError,
    UnavailableError,
    UnreachableError,
)
from facewire._values.faces import (
    Box,
    Candidate,
    Decision,
    DetectedFace,
    Face,
    Landmarks,
    Point,
    Quality,
)
from facewire._values.faults import ConnectionFault
from facewire._values.galleries import (
    EnrolledPicture,
    EnrollResult,
    Gallery,
    Identity,
    IdentityPage,
    ImportResult,
    SimilarIdentityWarning,
    Template,
)
from facewire._values.judgments import Judgment, ThresholdRule
from facewire._values.negatives import AddedNegativeExample, NegativeExample
from facewire._values.options import DecisionPolicy, DetectionOptions
from facewire._values.pictures import Frame, Image, Picture
from facewire._values.results import (
    Advice,
    Comparison,
    FrameResult,
    FramesSkipped,
    Health,
    Recognition,
    StageTimings,
    StreamLimits,
)
from facewire._values.server_info import ServerInfo, ServerLimits, ThresholdStep
from facewire._values.tracks import TrackCrop, TrackEvent
from facewire._values.unknown import UnknownPerson, UnknownPicture
from facewire._version import __version__
from facewire._wire.tokens import TokenFile

__all__ = [
    "AddedNegativeExample",
    "Advice",
    "AlreadyExistsError",
    "AsyncCameraFollower",
    "AsyncClient",
    "AsyncStream",
    "AsyncTrackFeed",
    "AuthenticationError",
    "Box",
    "CameraFollower",
    "Candidate",
    "Client",
    "CompareOutcome",
    "Comparison",
    "ConnectionFault",
    "ContractMismatchError",
    "DeadlineError",
    "DecidingRule",
    "Decision",
    "DecisionPolicy",
    "DetectedFace",
    "DetectionMode",
    "DetectionOptions",
    "EnrollResult",
    "EnrolledPicture",
    "ErrorReason",
    "Face",
    "FaceSelection",
    "FacewireError",
    "Feature",
    "Finding",
    "FindingKind",
    "Findings",
    "FoundPerson",
    "Frame",
    "FramePolicy",
    "FrameResult",
    "FrameStatus",
    "FramesSkipped",
    "Gallery",
    "GalleryCheckup",
    "Health",
    "Identity",
    "IdentityPage",
    "Image",
    "ImageFormat",
    "ImportResult",
    "InvalidPictureError",
    "InvalidRequestError",
    "Judgment",
    "Landmarks",
    "LimitError",
    "NegativeExample",
    "NoFaceError",
    "NotFoundError",
    "NotSupportedError",
    "Outcome",
    "Picture",
    "Point",
    "Quality",
    "QualityFault",
    "Recognition",
    "ReconnectError",
    "ResponseDetail",
    "ServerError",
    "ServerInfo",
    "ServerLimits",
    "SeveralFacesError",
    "SimilarIdentityWarning",
    "SkipReason",
    "StageTimings",
    "Stream",
    "StreamLimits",
    "Template",
    "ThresholdRule",
    "ThresholdSource",
    "ThresholdStep",
    "TokenFile",
    "TrackCrop",
    "TrackEvent",
    "TrackFeed",
    "TrackReason",
    "TrackState",
    "UnavailableError",
    "UnknownPerson",
    "UnknownPicture",
    "UnreachableError",
    "__version__",
]

# Users meet these names here, in reprs, tracebacks and documentation; and a pickle that names only
# `facewire` can be read after the modules within were moved.
for _public in [globals()[name] for name in __all__]:
    if isinstance(_public, type):
        _public.__module__ = __name__
del _public
