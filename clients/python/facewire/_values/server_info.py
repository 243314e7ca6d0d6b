"""Version, limits and features of a server, as immutable values."""

from dataclasses import dataclass

from facewire._values.enums import Feature, ImageFormat
from facewire._values.options import DecisionPolicy

__all__ = ["ServerInfo", "ServerLimits", "ThresholdStep"]


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """The most that a client may ask of a server.

    Attributes:
        max_frame_bytes: most bytes of a picture.
        max_pixels: most pixels of a picture.
        max_message_bytes: most bytes of one message to the server, picture included.
        max_in_flight: most frames of a stream that are sent and not accounted for.
        max_streams: most streams open at the same time, of all clients together.
        max_faces: most faces of one picture.
        max_enroll_images: most pictures of one EnrollTemplates call; `Client.enroll` makes
            several calls.
        max_enroll_bytes: most bytes of these pictures together.
        frame_timeout_ms: longest time from a picture's arrival to its result, milliseconds.
        min_ping_interval_ms: shortest time between two keepalive pings, milliseconds.
        max_stream_pixels: most pixels of a frame of a stream; 0 from a server that is older than this
            value, as of the next two.
        request_timeout_ms: longest time until a request's next message has come, milliseconds.
        max_calls_per_connection: most calls in progress on one connection.
    """

    max_frame_bytes: int
    max_pixels: int
    max_message_bytes: int
    max_in_flight: int
    max_streams: int
    max_faces: int
    max_enroll_images: int
    max_enroll_bytes: int
    frame_timeout_ms: int
    min_ping_interval_ms: int
    max_stream_pixels: int = 0
    request_timeout_ms: int = 0
    max_calls_per_connection: int = 0


@dataclass(frozen=True, slots=True)
class ThresholdStep:
    """One step of the table of thresholds.

    Attributes:
        identity_count: number of identities in a gallery.
        threshold: what a probe of a gallery of that many is compared with.
    """

    identity_count: int
    threshold: float


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Version, model, limits and features of a server; they do not change while it runs.

    Attributes:
        server_version: by Semantic Versioning, for people and logs.
        model_contract_id: the model contract that embeddings are made under.
        model_contract_name: its name, for people.
        limits: the most that a client may ask for.
        image_formats: the layouts of pictures that the server accepts.
        decision_defaults: the policy of a request without a `DecisionPolicy`; of its `threshold` and `max_fpir` one is None.
            By `max_fpir` each gallery has its own threshold, see `Gallery.threshold`.
        features: the features that the server has.
        absent_features: the features that the server knows of and does not have.
        threshold_steps: the thresholds that follow from `decision_defaults.max_fpir` for galleries of some sizes,
            ascending, before their own people are taken into account.
    """

    server_version: str
    model_contract_id: str
    model_contract_name: str
    limits: ServerLimits
    image_formats: tuple[ImageFormat, ...]
    decision_defaults: DecisionPolicy
    features: tuple[Feature, ...]
    absent_features: tuple[Feature, ...]
    threshold_steps: tuple[ThresholdStep, ...] = ()

    def has(self, feature: Feature) -> bool | None:
        """Whether the server has a feature; None if the server is older than the feature."""
        if feature in self.features:
            return True
        return False if feature in self.absent_features else None
