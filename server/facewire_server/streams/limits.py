"""The limits of this server; the composition root fills them from the settings."""

import random
from dataclasses import dataclass, replace

from facewire_server.types import PictureLimits

__all__ = ["ServingLimits"]


@dataclass(frozen=True, slots=True)
class ServingLimits:
    """The most that a client may ask for.

    Attributes:
        picture: of a single picture, and of the pictures of one enrollment together.
        max_stream_pixels: most pixels of a stream's frame, at most those of a single picture.
        max_in_flight: a stream's credit: most frames sent and not accounted for.
        slow_reader_timeout_s: seconds after which a client that does not read is cut off.
        max_streams: most streams open.
        max_calls_per_connection: most open calls of one connection, streams included.
        request_timeout_s: seconds until the first message of a call, and between those of an import.
        stream_idle_timeout_s: seconds after which a stream without frames is ended.
        config_timeout_s: seconds until a stream that has not sent its config is ended.
        max_waiting_answers: unsent answers at which the server stops reading a stream.
        refresh_s: seconds between two looks at what changes without a frame: lost tracks, the gallery. Chosen, not measured.
        reconnect_after_ms, reconnect_spread_ms: a camera whose stream the server ends waits this long, and a random
            part of the spread longer. Chosen, not measured: the cameras of a server return within two seconds, evenly.
    """

    picture: PictureLimits
    max_stream_pixels: int
    max_in_flight: int
    slow_reader_timeout_s: float
    max_streams: int
    max_calls_per_connection: int = 48
    request_timeout_s: float = 10.0
    stream_idle_timeout_s: float = 600.0
    config_timeout_s: float = 10.0
    max_waiting_answers: int = 64
    refresh_s: float = 0.5
    reconnect_after_ms: int = 500
    reconnect_spread_ms: int = 1500

    @property
    def frame(self) -> PictureLimits:
        """The limits of a stream's frame."""
        return replace(self.picture, max_pixels=self.max_stream_pixels)

    def reconnect_pause_ms(self) -> int:
        """Returns how long one camera waits: each another time, so that they do not all return at the same moment."""
        return self.reconnect_after_ms + random.randint(0, self.reconnect_spread_ms)
