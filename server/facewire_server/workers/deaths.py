"""How soon a worker that died is replaced, and when the server stops for it."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from facewire_server.events import Emit, WorkerDied, WorkersGivenUp
from facewire_server.workers.process import WorkerProcess

__all__ = ["EXIT_GIVEN_UP", "FIRST_PAUSE_S", "Deaths", "longer"]

EXIT_GIVEN_UP: Final = 4
"""Exit status of a server whose workers died again and again."""

_MOST_DEATHS: Final = 5
"""Workers in a row that may die before they take calls. Chosen, not measured: with the pauses between them about ten seconds
beside their starts, which a lack of memory that passes may take."""

_MOST_SOON: Final = 10
"""Workers of one place in a row that may die within `_LONG_S`, though they took calls: two minutes of pauses and up to ten of serving.
Chosen, not measured. Without it a server that can do no work looks like one that runs, to its operator and to whatever starts it again."""

FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 30.0
"""Seconds before a worker is replaced: they double with each that dies soon. Chosen, not measured."""

_LONG_S: Final = 60.0
"""Seconds of serving after which a death is the first one again. Chosen, not measured."""

_CANNOT_RUN: Final = 1
"""Exit status of a server that cannot run, and has said why."""


def longer(pause_s: float) -> float:
    """Returns the pause after one of this length."""
    return min(2 * pause_s, _LONGEST_PAUSE_S)


class Deaths:
    """The workers of one server that ended without being asked to.

    Attributes:
        count: how many.
        given_up: has the server's exit status once there is no more sense in replacing them.
    """

    def __init__(self, serves: Callable[[], bool], emit: Emit) -> None:
        """Takes whether any worker takes calls now, and what takes the events `WorkerDied` and `WorkersGivenUp`."""
        self.count = 0
        self.given_up: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._serves = serves
        self._emit = emit
        self._before_serving = 0
        self._soon: Counter[int] = Counter()  # by place

    def served(self) -> None:
        """Takes that a worker takes calls."""
        self._before_serving = 0

    def replaced(self, place: int) -> None:
        """Takes that the worker of a place was replaced on purpose: the new one's first death is the first."""
        del self._soon[place]

    def note(self, worker: WorkerProcess, place: int, served_s: float, *, hung: bool) -> float:
        """Counts a worker that has died; returns the seconds before another one is started.

        Args:
            worker: that has ended.
            place: that it had among the workers.
            served_s: seconds for which it took calls.
            hung: its parent ended it, since its event loop stood still.
        """
        status, has_served = worker.ended.result(), worker.serves.is_set()
        self.count += 1
        self._soon[place] = 1 if served_s > _LONG_S else self._soon[place] + 1
        pause_s = min(FIRST_PAUSE_S * 2.0 ** (self._soon[place] - 1), _LONGEST_PAUSE_S)
        self._emit(WorkerDied(worker.pid, status, has_served, hung, pause_s))
        self._before_serving = 0 if has_served else self._before_serving + 1
        if status == _CANNOT_RUN and not has_served and not self._serves():
            self._give_up(_CANNOT_RUN)  # as a server of one process
        elif self._before_serving == _MOST_DEATHS:
            self._give_up(EXIT_GIVEN_UP, _MOST_DEATHS)
        elif self._soon[place] == _MOST_SOON:
            self._give_up(EXIT_GIVEN_UP, _MOST_SOON)
        return pause_s

    def _give_up(self, status: int, death_count: int = 0) -> None:
        if self.given_up.done():
            return
        if death_count:
            self._emit(WorkersGivenUp(death_count))
        self.given_up.set_result(status)
