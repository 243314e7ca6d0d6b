"""The reading half of a stream: converts its messages, and checks its end."""

from typing import Any

from facewire._values.enums import ErrorReason
from facewire._values.errors import DeadlineError, ReconnectError, ServerError, UnavailableError
from facewire._values.results import Advice, FrameResult, FramesSkipped
from facewire._values.tracks import TrackEvent
from facewire._wire.ledger import Ledger
from facewire._wire.read_results import read_advice, read_frame_result, read_frames_skipped
from facewire._wire.read_tracks import read_track_event
from facewire._wire.retries import Deadline
from facewire.v1 import recognition_pb2

__all__ = ["Responses", "not_started", "too_late"]

_REASONS = {
    recognition_pb2.RECONNECT_REASON_SHUTTING_DOWN: ErrorReason.SHUTTING_DOWN,
    recognition_pb2.RECONNECT_REASON_IDLE: ErrorReason.TOO_MANY_STREAMS,
}
"""The reason of the error that a stream ends with; of a reason that is not known here WORKER_BUSY."""


class Responses:
    """Reads the messages of one stream, and passes advice on to the source of its frames.

    Attributes:
        advice: the server's last advice to this camera, or None.
    """

    def __init__(self, target: str, source: object) -> None:
        self.advice: Advice | None = None
        self._target = target
        self._advise: Any = getattr(source, "advise", None)
        self._reconnect: recognition_pb2.Reconnect | None = None

    def begin(self) -> None:
        """Begins with a new call."""
        self._reconnect = None

    def read(
        self, message: recognition_pb2.StreamRecognizeResponse
    ) -> FrameResult | FramesSkipped | TrackEvent | None:
        """Returns the result or the event in a message; None if it has none."""
        match message.WhichOneof("message"):
            case "track":
                return read_track_event(message.track)
            case "frame":
                return read_frame_result(message.frame)
            case "skipped":
                return read_frames_skipped(message.skipped)
            case "advice":
                self.advice = read_advice(message.advice)
                if self._advise is not None:
                    self._advise(self.advice)
            case "reconnect":
                self._reconnect = message.reconnect
        return None

    def check_end(self, ledger: Ledger) -> None:
        """Raises if the stream ended with OK but is not complete.

        Raises:
            ReconnectError: the server asked for it.
            UnavailableError: not all frames were accounted for.
        """
        if (
            ledger.is_done
        ):  # also if the server asked for a new stream: there is nothing to send on it
            return
        if self._reconnect is not None:
            after_s = self._reconnect.after_ms / 1000
            raise ReconnectError(
                f"{self._target}: the server ends this stream. Open a new one in {after_s:g} s.",
                reason=_REASONS.get(self._reconnect.reason, ErrorReason.WORKER_BUSY),
                after_s=after_s,
            )
        raise UnavailableError(
            f"{self._target}: the server ended the stream with {ledger.in_flight} "
            "frames unanswered. Open a new one."
        )


def too_late(target: str, deadline: Deadline) -> DeadlineError:
    """Returns the error of a stream that was not opened in time."""
    return DeadlineError(
        f"{target}: no response within {deadline.timeout_s:g} s.",
        advice="Allow more with timeout_s.",
    )


def not_started(target: str) -> ServerError:
    """Returns the error of a stream whose first message is not `started`."""
    return ServerError(f"{target}: the server did not start the stream.")
