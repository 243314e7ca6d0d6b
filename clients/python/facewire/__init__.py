"""Python client of facewire, a gRPC face-recognition service.

```python
import facewire

with facewire.Client("127.0.0.1:50051") as client:
    client.enroll("ada", ["ada_1.jpg", "ada_2.jpg"])
    for face in client.recognize("party.jpg").faces:
        print(face.name, face.box)
```
"""

from facewire._aio_client import AsyncClient
from facewire._aio_stream import AsyncStream
from facewire._client import Client
from facewire._enums import (
    CompareOutcome,
    ErrorReason,
    FaceSelection,
    FramePolicy,
    FrameStatus,
    ImageFormat,
    Outcome,
    SkipReason,
)
from facewire._errors import (
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
from facewire._faces import Box, Candidate, Decision, Face, Landmarks, Point, Quality
from facewire._galleries import (
    EnrolledPicture,
    EnrollResult,
    Gallery,
    Identity,
    ImportResult,
    Template,
)
from facewire._options import DecisionPolicy, DetectionOptions
from facewire._pictures import Frame, Image, Picture
from facewire._results import (
    Advice,
    Comparison,
    FrameResult,
    FramesSkipped,
    Health,
    Recognition,
    StageTimings,
    StreamLimits,
)
from facewire._stream import Stream
from facewire._version import __version__

__all__ = [
    "Advice",
    "AlreadyExistsError",
    "AsyncClient",
    "AsyncStream",
    "AuthenticationError",
    "Box",
    "Candidate",
    "Client",
    "CompareOutcome",
    "Comparison",
    "ContractMismatchError",
    "DeadlineError",
    "Decision",
    "DecisionPolicy",
    "DetectionOptions",
    "EnrollResult",
    "EnrolledPicture",
    "ErrorReason",
    "Face",
    "FaceSelection",
    "FacewireError",
    "Frame",
    "FramePolicy",
    "FrameResult",
    "FrameStatus",
    "FramesSkipped",
    "Gallery",
    "Health",
    "Identity",
    "Image",
    "ImageFormat",
    "ImportResult",
    "InvalidPictureError",
    "InvalidRequestError",
    "Landmarks",
    "LimitError",
    "NoFaceError",
    "NotFoundError",
    "NotSupportedError",
    "Outcome",
    "Picture",
    "Point",
    "Quality",
    "Recognition",
    "ReconnectError",
    "ServerError",
    "SeveralFacesError",
    "SkipReason",
    "StageTimings",
    "Stream",
    "StreamLimits",
    "Template",
    "UnavailableError",
    "UnreachableError",
    "__version__",
]
