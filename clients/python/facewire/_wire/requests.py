"""The calls of the contract as values: a request, and how its response is read.

Nothing is sent from here. `Client` and `AsyncClient` run the same values, so that both have the
same methods.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from facewire._values.enums import FaceSelection, FramePolicy, ResponseDetail, TrackState
from facewire._values.options import DecisionPolicy, DetectionOptions
from facewire._values.pictures import Picture
from facewire._values.results import Comparison, Recognition
from facewire._values.server_info import ServerInfo
from facewire._values.tracks import TrackCrop
from facewire._wire.declared import ENUM, TEXT, declare
from facewire._wire.read_results import read_comparison, read_recognition
from facewire._wire.read_server_info import read_server_info
from facewire._wire.read_tracks import read_track_crop
from facewire._wire.write import decision_message, detection_message, image_message
from facewire.v1 import gallery_pb2_grpc, recognition_pb2, recognition_pb2_grpc

__all__ = [
    "SERVICES",
    "Call",
    "Stubs",
    "check_health",
    "compare",
    "recognize",
    "server_info",
    "stream_config",
    "track_crop",
    "watch_tracks",
]

T = TypeVar("T")

SERVICES = ("", "facewire.v1.RecognitionService", "facewire.v1.GalleryService")
"""Services whose health is checked, in the order of the fields of `Health`."""


class Stubs:
    """The methods of a server on a channel, of `grpc` or of `grpc.aio`.

    Generated without types; `Call` adds the type of each response.
    """

    def __init__(self, channel: Any) -> None:
        self.recognition: Any = recognition_pb2_grpc.RecognitionServiceStub(channel)
        self.galleries: Any = gallery_pb2_grpc.GalleryServiceStub(channel)
        self.check_health: Any = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=_health_messages()["HealthCheckResponse"].FromString,
        )


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One call with one response.

    Attributes:
        method: returns the method of the stubs.
        request: its message.
        read: turns the response's message into the value for the caller.
        repeatable: whether it is safe to repeat the call if its response was lost; other
            calls are not repeated.
    """

    method: Callable[[Stubs], Any]
    request: Any
    read: Callable[[Any], T]
    repeatable: bool = True


def recognize(
    picture: Picture,
    gallery: str,
    decision: DecisionPolicy,
    detection: DetectionOptions,
    max_candidates: int,
    *,
    explain: bool,
) -> Call[Recognition]:
    """Recognizes every face of one picture."""
    request = recognition_pb2.RecognizeRequest(
        gallery_id=gallery,
        image=image_message(picture),
        decision_policy=decision_message(decision),
        detection=detection_message(detection),
        max_candidates=max_candidates,
        explain=explain,
    )
    return Call(lambda stubs: stubs.recognition.Recognize, request, read_recognition)


def compare(
    first: Picture,
    second: Picture,
    selection: FaceSelection,
    decision: DecisionPolicy,
    detection: DetectionOptions,
) -> Call[Comparison]:
    """Compares two pictures."""
    request = recognition_pb2.CompareRequest(
        first=image_message(first),
        second=image_message(second),
        selection=selection.wire_name,
        decision_policy=decision_message(decision),
        detection=detection_message(detection),
    )
    return Call(lambda stubs: stubs.recognition.Compare, request, read_comparison)


def stream_config(
    camera: str,
    gallery: str,
    policy: FramePolicy,
    decision: DecisionPolicy,
    detection: DetectionOptions,
    max_candidates: int,
    rotation_degrees: int,
    detail: ResponseDetail,
    search_interval_ms: int,
    *,
    explain: bool,
) -> recognition_pb2.StreamConfig:
    """Returns the first message of a stream."""
    return recognition_pb2.StreamConfig(
        gallery_id=gallery,
        camera_id=camera,
        frame_policy=policy.wire_name,
        decision_policy=decision_message(decision),
        detection=detection_message(detection),
        max_candidates=max_candidates,
        rotation_degrees=rotation_degrees,
        detail=detail.wire_name,
        search_interval_ms=search_interval_ms,
        explain=explain,
    )


def watch_tracks(
    cameras: Iterable[str],
    identities: Iterable[str],
    states: Iterable[TrackState],
    after_event: int,
    *,
    kept_only: bool,
) -> recognition_pb2.WatchTracksRequest:
    """Returns the request of a feed.

    Raises:
        TypeError: a filter is one text.
    """
    if isinstance(cameras, str) or isinstance(identities, str) or isinstance(states, str):
        raise TypeError("cameras, identities and states are many: [name] is a single one")
    return recognition_pb2.WatchTracksRequest(
        camera_ids=cameras,
        identity_ids=identities,
        states=[state.wire_name for state in states],
        after_event=after_event,
        kept_only=kept_only,
    )


def track_crop(track_id: int) -> Call[TrackCrop]:
    """Reads the best picture of a track's face."""
    request = recognition_pb2.GetTrackCropRequest(track_id=track_id)
    return Call(lambda stubs: stubs.recognition.GetTrackCrop, request, read_track_crop)


def server_info() -> Call[ServerInfo]:
    """Reads the server's version, limits and features."""
    request = recognition_pb2.GetServerInfoRequest()
    return Call(lambda stubs: stubs.recognition.GetServerInfo, request, read_server_info)


def check_health(service: str) -> Call[bool]:
    """Checks whether a service of the server is ready for calls."""
    request = _health_messages()["HealthCheckRequest"](service=service)
    # Not repeated: whether the server can be reached is the question.
    return Call(
        lambda stubs: stubs.check_health,
        request,
        lambda response: bool(response.status == _SERVING),
        repeatable=False,
    )


_SERVING = 1
"""`HealthCheckResponse.ServingStatus.SERVING`."""


@cache
def _health_messages() -> dict[str, Any]:
    """Source: grpc/health/v1/health.proto."""
    return declare(
        {
            "HealthCheckRequest": [("service", 1, TEXT)],
            "HealthCheckResponse": [("status", 1, ENUM)],
        }
    )
