"""When a stream is opened again, after its server or its connection was lost."""

from collections.abc import Callable
from typing import TypeAlias

from facewire._values.enums import ErrorReason
from facewire._values.errors import FacewireError, ReconnectError
from facewire._wire.backoff import Backoff

__all__ = ["OnReopen", "Reopening", "lacked_frames"]

OnReopen: TypeAlias = Callable[[FacewireError, float], object]


def _never() -> bool:
    return False


class Reopening:
    """Pauses until a result comes; see `Backoff`.

    Before its first call is open, a stream is opened again only if a facewire server has said that it has no place
    now: an address at which no server responds may be wrong, and is reported at once. What runs for months says so
    (`from_start`): a power cut ends cameras, servers and clients, and they return in any order.

    Attributes:
        count: how often the stream was opened again.
    """

    def __init__(
        self,
        *,
        is_wanted: bool,
        note: OnReopen | None,
        from_start: bool = False,
        renew: Callable[[], bool] = _never,
    ) -> None:
        """Takes what has the refused token, or the certificate that has expired, read again, and returns whether that is worth a call.

        It is called once until a result comes.
        """
        self.count = 0
        self._renew = renew
        self._is_renewed = False
        self._is_moved = False
        self._is_wanted = is_wanted
        self._note = note
        self._from_start = from_start
        self._was_open = False
        self._backoff = Backoff()

    def opened(self) -> None:
        """Counts a call that is open."""
        self.count += self._was_open
        self._was_open = True

    def progressed(self) -> None:
        """Begins with short pauses again: a result has come."""
        self._is_renewed = self._is_moved = False
        self._backoff.reset()

    def goes_on(self, error: FacewireError) -> bool:
        """Returns whether a new call may follow an error."""
        if error.reason is ErrorReason.TOKEN_REQUIRED:
            return self._is_wanted and self._was_open and self._renews()
        is_place_lacking = error.reason is not ErrorReason.UNSPECIFIED
        may_wait = self._was_open or self._from_start or is_place_lacking
        return self._is_wanted and error.retryable and may_wait

    def _renews(self) -> bool:
        if self._is_renewed:
            return False
        self._is_renewed = self._renew()
        return self._is_renewed

    def pause_s(self, error: FacewireError) -> float:
        """Returns the pause before a new call, seconds, and reports it: none, once until a result comes, if another worker is to serve it."""
        pause_s = error.retry_after_s or 0.0
        is_asked = isinstance(error, ReconnectError)  # by the server, for this stream
        is_moved = is_asked and error.reason is ErrorReason.WORKER_BUSY and not self._is_moved
        self._is_moved = self._is_moved or is_moved
        if not is_moved and not (is_asked and pause_s > 0):
            pause_s += self._backoff.next_s()
        if self._note is not None:
            self._note(error, pause_s)
        return pause_s


def lacked_frames(error: FacewireError) -> bool:
    """Whether the server ended the stream because it had no frame for long: a new one is opened with the next frame."""
    idle = isinstance(error, ReconnectError) and error.reason is ErrorReason.TOO_MANY_STREAMS
    return idle or error.reason is ErrorReason.TIMED_OUT
