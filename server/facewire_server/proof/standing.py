"""Whether a replica takes part: one that fails several times in a row is left out until it passes a probe.

Outlier detection, as Envoy has it (https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier), with a
probe before the return: a canary, not a picture.
"""

import time
from typing import Final

__all__ = ["Standing"]

_FAILURES: Final = 3
"""Failures in a row after which a replica is left out. Chosen, not measured: each costs its picture a second attempt; one or two may be
a connection that was lost."""

_FIRST_PAUSE_S: Final = 1.0
"""Seconds until the first probe of a replica that was left out: the next check. Chosen, not measured."""

_LONGEST_PAUSE_S: Final = 10.0
"""Most seconds between two probes. Chosen, not measured: they are doubled up to this, so that a replica which passes probes and fails
calls does not come and go every second."""

_FORGIVEN_AFTER_S: Final = 60.0
"""Seconds of taking part after which the first pause is the first one again. Chosen, not measured."""


class Standing:
    """The failures of one replica.

    Attributes:
        reason: why the replica is left out; "" = it takes part.
        failures: in a row, up to now.
    """

    def __init__(self) -> None:
        self.reason = ""
        self.failures = 0
        self._pause_s = 0.0
        self._next_probe_s = 0.0
        self._since_s = time.monotonic()

    @property
    def is_out(self) -> bool:
        """Whether the replica is left out."""
        return bool(self.reason)

    @property
    def is_probe_due(self) -> bool:
        """Whether the replica is left out, and the pause before the next probe is over."""
        return self.is_out and time.monotonic() >= self._next_probe_s

    def succeeded(self) -> None:
        """Takes the replica back."""
        self.failures = 0
        if self.is_out:
            self.reason = ""
            self._since_s = time.monotonic()

    def failed(self, reason: str) -> None:
        """Counts a failure, and leaves the replica out after several in a row."""
        self.failures += 1
        if self.failures >= _FAILURES and not self.is_out:
            self.leave_out(reason)

    def leave_out(self, reason: str) -> None:
        """Leaves the replica out at once."""
        if not self.is_out:
            if time.monotonic() - self._since_s > _FORGIVEN_AFTER_S:
                self._pause_s = 0.0
            self._pause()
        self.reason = reason

    def probe_failed(self, reason: str) -> None:
        """Leaves the replica out for longer."""
        self._pause()
        self.reason = reason

    def probe_now(self) -> None:
        """Makes the next probe due: something has changed."""
        self._next_probe_s = 0.0

    def _pause(self) -> None:
        self._pause_s = min(max(_FIRST_PAUSE_S, 2 * self._pause_s), _LONGEST_PAUSE_S)
        self._next_probe_s = time.monotonic() + self._pause_s
