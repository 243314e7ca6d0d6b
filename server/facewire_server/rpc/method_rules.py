"""What the requests of each method may be: their bytes, and how long they may take to come."""

import math
from dataclasses import dataclass
from typing import Final

from facewire_server.rpc.services import METHODS, is_open
from facewire_server.streams.limits import ServingLimits

__all__ = ["MAX_SMALL_BYTES", "MESSAGE_ROOM_BYTES", "OPEN_TIMEOUT_S", "MethodRule", "method_rules"]

MESSAGE_ROOM_BYTES: Final = 1 << 20
"""Bytes that a message may hold beside its picture; above, gRPC itself ends the call."""

MAX_SMALL_BYTES: Final = 1 << 16
"""Most bytes of a request without a picture. The largest that the contract allows is a record of an import: 16 KiB of
embedding, and texts below 1 KiB. Parsing 64 KiB of whatever content keeps the event loop for about 1 ms."""

OPEN_TIMEOUT_S: Final = 2.0
"""Most seconds until the request of a call of health, which fits into the packet that opens the call. Chosen, not
measured."""

_WHOLE_S: Final = 3600.0
"""Most seconds in which a client may send the records of an import, or the requests of reflection: it holds a place as
long. As long as an export may take. Chosen, not measured."""

_PICTURE_METHODS: Final = frozenset(
    {"StreamRecognize", "Recognize", "Compare", "EnrollTemplates", "AddNegativeExample"}
)
_STREAM: Final = "StreamRecognize"


@dataclass(frozen=True, slots=True)
class MethodRule:
    """What a call may send.

    Attributes:
        max_bytes: most bytes of a message.
        first_timeout_s: most seconds from the start of the call to its first message.
        next_timeout_s: most seconds that the server then waits for another message.
        whole_timeout_s: most seconds from the first message to the end of the last one; infinite for cameras.
        is_open: needs no token: health.
        is_streaming: the client may send more than one message.
        is_camera: the stream of a camera, for which places are kept.
    """

    max_bytes: int
    first_timeout_s: float
    next_timeout_s: float
    whole_timeout_s: float
    is_open: bool
    is_streaming: bool
    is_camera: bool


def method_rules(limits: ServingLimits) -> dict[str, MethodRule]:
    """Returns the rule of each method, by its path."""
    with_picture = limits.picture.max_frame_bytes + MESSAGE_ROOM_BYTES
    in_time = limits.request_timeout_s
    return {
        path: MethodRule(
            max_bytes=with_picture if method.name in _PICTURE_METHODS else MAX_SMALL_BYTES,
            first_timeout_s=OPEN_TIMEOUT_S if is_open(path) else in_time,
            next_timeout_s=limits.stream_idle_timeout_s if method.name == _STREAM else in_time,
            whole_timeout_s=math.inf if method.name == _STREAM else _WHOLE_S,
            is_open=is_open(path),
            is_streaming=method.client_streaming,
            is_camera=method.name == _STREAM,
        )
        for path, method in METHODS.items()
    }
