"""Deadline and retries of a call."""

import random
import time

from facewire._values.enums import ErrorReason
from facewire._values.errors import FacewireError
from facewire._wire.tokens import SentToken

__all__ = ["FIRST_BACKOFF_S", "Deadline", "Retries"]

_ATTEMPTS = 5
"""Attempts of a call. Chosen, not measured: 1.5 s of pauses at most, enough for a lost connection and a busy moment,
too short for a server's restart, for which the caller must wait."""

_LASTING = {ErrorReason.TIMED_OUT, ErrorReason.TOO_MANY_STREAMS, ErrorReason.SLOW_READER}
"""Reasons that do not pass within the pauses of one call: the same picture takes as long again, and the streams of others last.
The caller decides."""

_BUSY_ATTEMPTS = 4
"""The contract's limit for WORKER_BUSY: with a few workers, one of four connections reaches another worker."""

FIRST_BACKOFF_S = 0.1
"""Longest pause before the second attempt, seconds. Chosen, not measured: shorter than a person notices."""


class Deadline:
    """The end of the time for a call, retries included.

    Attributes:
        timeout_s: seconds from now.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._end = time.monotonic() + timeout_s

    @property
    def left_s(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self._end - time.monotonic())


class Retries:
    """When a call is tried again. Only for calls that may be repeated.

    At most five attempts, with random pauses of up to 0.1, 0.2, 0.4 and 0.8 s ("full jitter":
    M. Brooker, AWS Architecture Blog, 2015), but at least a quarter of these, so that a server
    has time to return, and never less than the server asks for. After a busy worker's refusal of a stream the next attempt comes at once, up
    to four times: a new connection may find another worker.
    """

    def __init__(self, deadline: Deadline, token: SentToken | None = None) -> None:
        """Takes the token, which is read again once if the server refuses it."""
        self._deadline = deadline
        self._token = token
        self._busy_attempts = _BUSY_ATTEMPTS
        self._bounds_s = [FIRST_BACKOFF_S * 2**tried for tried in range(_ATTEMPTS - 1)]

    def pause_s(self, error: FacewireError, *, repeatable: bool = True) -> float | None:
        """Returns the pause before the next attempt, seconds; None if there is to be none.

        What is not `repeatable` is repeated after a refused token only: the server has not looked at such a call.
        """
        if not self._deadline.left_s:
            return None
        if error.reason is ErrorReason.TOKEN_REQUIRED and self._token is not None:
            token, self._token = self._token, None
            return 0.0 if token.renew() else None
        if not repeatable:
            return None
        if error.reason is ErrorReason.WORKER_BUSY and self._busy_attempts:
            self._busy_attempts -= 1
            return 0.0
        if not error.retryable or error.reason in _LASTING or not self._bounds_s:
            return None
        pause_s = self._bounds_s.pop(0) * random.uniform(0.25, 1.0) + (error.retry_after_s or 0.0)
        return pause_s if pause_s < self._deadline.left_s else None
