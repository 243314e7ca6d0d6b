"""How soon a camera was back after each break of its stream, and whether its pauses kept the back-off of docs/firmware.md."""

import statistics
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from bench.report import Report

__all__ = ["Break", "judge_breaks"]

_FIRST_S: Final = 1.0
"""Longest pause before the first attempt, and of the back-off's doubling its beginning."""

_LONGEST_S: Final = 30.0
"""Longest pause of the back-off."""

_SLACK_S: Final = 2.0
"""From the end of the last pause to the next result: a connection, a frame, and its work on a busy machine. Chosen, not measured."""


class Break(NamedTuple):
    """One break.

    Attributes:
        is_restart: of the server; else the connection was cut.
        pauses_s: before each attempt until the next result, in order.
        back_s: to the next result, from when the server was there: since the cut, or since the line that says it is ready.
    """

    is_restart: bool
    pauses_s: Sequence[float]
    back_s: float

    @property
    def is_in_schedule(self) -> bool:
        """Whether each pause is at most that of the back-off: 1 s, twice as long each time, 30 s."""
        return all(
            pause_s <= min(_FIRST_S * 2**number, _LONGEST_S)
            for number, pause_s in enumerate(self.pauses_s)
        )

    @property
    def late_s(self) -> float:
        """By how much longer than the last pause the next result took: in that pause the server came, or after it."""
        return self.back_s - self.pauses_s[-1]


def judge_breaks(report: Report, breaks: Sequence[Break]) -> None:
    """Reports cuts and restarts, each with its aims; of what did not happen no aim is judged."""
    for is_restart, name in ((False, "a cut"), (True, "a restart")):
        some = [each for each in breaks if each.is_restart is is_restart]
        if some:
            _judge(report, some, name)
        else:
            report.note(f"Without {name}: no aim of it is judged.\n")
    report.values["each_break"] = [each._asdict() for each in breaks]


def _judge(report: Report, breaks: Sequence[Break], name: str) -> None:
    def edges(value: Callable[[Break], float]) -> list[float]:
        values = [value(each) for each in breaks]
        return [statistics.median(values), max(values)]

    report.table(
        f"after {name}, of {len(breaks)}",
        ["", "median", "most"],
        [
            ["attempts", *edges(lambda each: len(each.pauses_s))],
            ["first pause, s", *edges(lambda each: each.pauses_s[0])],
            ["last pause, s", *edges(lambda each: each.pauses_s[-1])],
            ["until the next result, s", *edges(lambda each: each.back_s)],
        ],
    )
    beyond = sum(not each.is_in_schedule for each in breaks)
    report.aim(f"pauses after {name} beyond the back-off", str(beyond), met=not beyond)
    late_s = max(each.late_s for each in breaks)
    report.aim(
        f"next result after {name}, s beyond the last pause, at most {_SLACK_S:g}",
        f"{late_s:.3f}",
        met=late_s <= _SLACK_S,
    )
