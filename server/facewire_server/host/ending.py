"""Bounds the end of the process, whatever its threads do.

Python waits for the threads of its executors when a process ends, and none can be stopped: one that hangs, in a
decoder or on a disk that does not respond, would keep a server from ending for ever. Nothing is lost by leaving such a
thread: a write that was not committed is undone, as after a power failure.
"""

import faulthandler
import os
import threading
import time
from collections.abc import Callable
from typing import Final

__all__ = ["EXIT_FORCED", "Ending"]

EXIT_FORCED: Final = 3
"""Exit status of a process that did not wait for a thread."""

_STUCK_S: Final = 2.0
"""Seconds after which a process ends that cannot even report: a thread holds Python's own lock. Chosen, not measured."""


class Ending:
    """Ends the process at a deadline, once there is one."""

    def __init__(self, report: Callable[[tuple[str, ...]], None]) -> None:
        """Starts nothing yet.

        Args:
            report: called right before the end with the names of the threads that have not ended; in another
                thread than the event loop's.
        """
        self._report = report
        self._ends_at_s: float | None = None
        self._earlier = threading.Condition()

    def within(self, seconds: float) -> None:
        """Ends the process with `EXIT_FORCED` after `seconds`, or at an earlier deadline that was set before."""
        ends_at_s = time.monotonic() + seconds
        with self._earlier:
            is_first = self._ends_at_s is None
            self._ends_at_s = min(self._ends_at_s or ends_at_s, ends_at_s)
            left_s = self._ends_at_s - time.monotonic()
            self._earlier.notify()
        faulthandler.dump_traceback_later(left_s + _STUCK_S, exit=True)
        if is_first:
            threading.Thread(target=self._end, name="ending", daemon=True).start()

    def _end(self) -> None:
        with self._earlier:
            while (
                self._ends_at_s is not None and (left_s := self._ends_at_s - time.monotonic()) > 0
            ):
                self._earlier.wait(left_s)
        self._report(_not_ended())
        os._exit(EXIT_FORCED)


def _not_ended() -> tuple[str, ...]:
    main = threading.main_thread()
    left = (one for one in threading.enumerate() if not one.daemon and one is not main)
    return tuple(sorted(one.name for one in left))
