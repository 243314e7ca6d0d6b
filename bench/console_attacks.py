"""What a console's clients get while others break its rules: results, their ages, refusals, and the console's memory.

One server, one console; a camera that speaks gRPC with the server, a board that posts pictures to the console, and a page that streams
over a WebSocket, ten small frames a second each; per attack a process that attacks the console. Meanwhile a new client asks for the
status four times a second. The oldest age is the longest stall, of the console, the server, or this machine: compare it with the first
row.
"""

import contextlib
import time
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np

from bench.report import Report, parser, run
from harness.console_attackers import ATTACKS, attacking
from harness.console_bystanders import Board, Bystander, Camera, LivePage
from harness.console_running import RunningConsole, running_console
from harness.running import running_server

__all__: list[str] = []

_VISIT_S: Final = 0.25
_PAUSE_S: Final = 2.0
"""Seconds between two attacks, in which the console lets go of the last one's connections."""

AIM: Final = 0.8
"""Least share of a bystander's results that an attack leaves. Chosen, not measured."""


class _Row(NamedTuple):
    name: str
    seconds: float
    ages: Sequence[Sequence[float]]
    """Of the camera, the board, the page."""
    refused: Sequence[int]
    shut_out: int
    visits: int
    peak_mb: float

    def cells(self) -> list[str]:
        """The row of a table."""
        several = [f"{len(ages) / self.seconds:.1f}, {_age_and_oldest(ages)}" for ages in self.ages]
        return [
            *(self.name, *several, ", ".join(map(str, self.refused))),
            *(f"{self.shut_out} of {self.visits}", f"{self.peak_mb:.0f}"),
        ]

    def values(self) -> dict[str, object]:
        """For JSON."""
        return {
            "attack": self.name,
            "results_per_s": [len(ages) / self.seconds for ages in self.ages],
            "oldest_ms": [1000 * max(ages, default=0.0) for ages in self.ages],
            "refused": list(self.refused),
            "shut_out": self.shut_out,
            "visits": self.visits,
            "peak_mb": self.peak_mb,
        }


def main() -> int:
    flags = parser("console_attacks", __doc__)
    flags.add_argument("--seconds", type=float, default=12.0, help="of each attack")
    arguments = flags.parse_args()
    picture = cv2.imencode(".jpg", np.full((180, 320, 3), 128, np.uint8))[1].tobytes()
    report = Report("console_attacks", arguments)
    with (
        running_server() as server,
        running_console(server.address) as console,
        Camera(server.address, picture) as camera,
        Board(console, picture) as board,
        LivePage(console, picture) as page,
    ):
        bystanders = (camera, board, page)
        time.sleep(_PAUSE_S)
        rows = [_measured("no attack", console, bystanders, arguments.seconds)]
        for name in ATTACKS:
            with attacking(name, console.host, console.port):
                rows.append(_measured(name, console, bystanders, arguments.seconds))
            time.sleep(_PAUSE_S)
    several = [f"{who}: results/s, age, oldest ms" for who in ("camera", "board", "page")]
    report.table(
        f"attacks of {arguments.seconds:g} s",
        ["attack", *several, "refused", "shut out", "peak MB"],
        [row.cells() for row in rows],
    )
    report.values["attacks"] = [row.values() for row in rows]
    least = min(
        len(ages) / max(1, len(before))
        for row in rows[1:]
        for ages, before in zip(row.ages, rows[0].ages, strict=True)
    )
    refused = sum(sum(row.refused) for row in rows)
    report.aim(f"least share of a bystander's results >= {AIM}", f"{least:.2f}", met=least >= AIM)
    report.aim("pictures of bystanders that were refused: 0", str(refused), met=refused == 0)
    return report.finish()


def _measured(
    name: str, console: RunningConsole, bystanders: Sequence[Bystander], seconds: float
) -> _Row:
    for each in bystanders:
        each.restart()
    Path(f"/proc/{console.pid}/clear_refs").write_text("5")  # forgets the peak (man 5 proc)
    shut_out, visits, end_s = 0, 0, time.monotonic() + seconds
    while time.monotonic() < end_s:
        visits += 1
        shut_out += not _is_served(console)
        time.sleep(_VISIT_S)
    counted = [each.restart() for each in bystanders]
    return _Row(
        name,
        seconds,
        [ages for ages, _ in counted],
        [refused for _, refused in counted],
        shut_out,
        visits,
        _peak_mb(console.pid),
    )


def _is_served(console: RunningConsole) -> bool:
    with contextlib.suppress(OSError, HTTPException):
        return console.send("GET", "/api/status").status == 200
    return False


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (each for each in status.splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


def _age_and_oldest(ages: Sequence[float]) -> str:
    return f"{1000 * np.median(ages):.0f}, {1000 * max(ages):.0f}" if ages else "-, -"


if __name__ == "__main__":
    run(main)
