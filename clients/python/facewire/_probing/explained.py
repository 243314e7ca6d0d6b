"""Adds to an error what a probe of the connection finds."""

import threading

from facewire._probing.probe import probed
from facewire._values.errors import DeadlineError, FacewireError
from facewire._wire.address import Address
from facewire._wire.unreachable import is_unclear, unreachable

__all__ = ["explained"]

_PROBE_S = 2.0
"""Seconds that it may take to find out what is wrong with a connection. Chosen, not measured: a handshake over a slow
network takes a fraction of one."""

_PROBE_AFTER_DEADLINE_S = 1.0
"""The same if the caller's time is over. Chosen, not measured: a server that has no processor for as long is not reached."""


def explained(
    problem: FacewireError, address: Address, *, closed: threading.Event
) -> FacewireError:
    """Returns the error with the fault that a probe finds, if it is unclear; blocks for up to two seconds, or until `closed`."""
    if not is_unclear(problem, address):
        return problem
    late = isinstance(problem, DeadlineError)
    finding = probed(address, _PROBE_AFTER_DEADLINE_S if late else _PROBE_S, closed)
    return problem if finding is None else unreachable(finding, address.target)
