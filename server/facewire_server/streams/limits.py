"""The terms on which the wire serves; the composition root fills them from the settings."""

from dataclasses import dataclass

from facewire_server.types import DecisionPolicy, DetectionOptions

__all__ = ["RequestDefaults", "ServerOptions", "ServingLimits", "StreamPlan"]


@dataclass(frozen=True, slots=True)
class RequestDefaults:
    """What a request that says nothing gets, and the most that it may ask for.

    Attributes:
        decision: when a face counts as recognised.
        picture: what counts as a face in a single picture; its `max_faces` is the upper bound.
        stream: the same in a stream.
    """

    decision: DecisionPolicy
    picture: DetectionOptions
    stream: DetectionOptions


@dataclass(frozen=True, slots=True)
class ServingLimits:
    """How streams are served.

    Attributes:
        max_in_flight: a stream's credit: most frames sent and not accounted for.
        frames_at_once: most frames of one stream in work. Two keep a model busy while
            the next frame is decoded.
        frame_timeout_s: most time from a picture's arrival to its answer; holds for single
            pictures, too.
        config_timeout_s: a stream that has not sent its config by then is ended.
        max_waiting_answers: with so many answers unsent the server stops reading a stream.
        slow_reader_timeout_s: a stream whose client has not read for so long is ended.
        max_streams: most streams open.
        reconnect_after_ms: told to cameras when the server shuts down.
    """

    max_in_flight: int = 4
    frames_at_once: int = 2
    frame_timeout_s: float = 10.0
    config_timeout_s: float = 10.0
    max_waiting_answers: int = 64
    slow_reader_timeout_s: float = 30.0
    max_streams: int = 64
    reconnect_after_ms: int = 500


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What one camera asked for.

    Attributes:
        gallery_id: the gallery to search.
        newest_wins: of the frames that wait, work on the newest only.
        decision: when a face counts as recognised.
        detection: what counts as a face.
    """

    gallery_id: str
    newest_wins: bool
    decision: DecisionPolicy
    detection: DetectionOptions


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where and to whom the server listens.

    Attributes:
        address: "host:port"; port 0 = any free one.
        token: what clients must send as `authorization: Bearer ...`; "" = nothing.
        tls_certificate_chain: PEM; b"" = no TLS.
        tls_private_key: PEM.
        max_calls: most calls under way, streams included; more are refused by gRPC with
            RESOURCE_EXHAUSTED before their request is read, which bounds the memory.
    """

    address: str
    token: str = ""
    tls_certificate_chain: bytes = b""
    tls_private_key: bytes = b""
    max_calls: int = 128
