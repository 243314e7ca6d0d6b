"""What eight cameras and a caller see behind the real Envoy and nginx while their two servers are killed, drained and started.

Both servers are on one gallery, and the proxies have the configurations of deploy/proxies. The cameras
stream with `reopen`; the caller calls again whenever an error says that this is worth it. `--lame-duck 0` shows a drain without that time.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple, get_args

import cv2
import numpy as np
from skimage import data

from bench.report import Report, parser, run
from harness.certificates import self_signed
from harness.proxied import TOKEN, Proxied, proxied
from harness.proxies import Kind
from harness.resuming import Caller, ResumingCamera, Watched

__all__ = ["main"]

_CAMERAS: Final = 8
_APART_S: Final = 0.5
"""Seconds between two pictures of a client. Chosen, not measured: two idle processors answer nine clients at once."""

_ANSWERS: Final = 6
"""Right answers of each client that end a step: three seconds of a camera."""


class _Seen(NamedTuple):
    """What one client saw in one step."""

    pause_s: float
    errors: Counter[str]
    lost: int


def main() -> int:
    flags = parser("proxies", __doc__)
    flags.add_argument("--proxy", choices=get_args(Kind), help="one of them only")
    flags.add_argument("--lame-duck", type=float, default=5.0, help="lame_duck_s of the servers")
    arguments = flags.parse_args()
    report = Report("proxies", arguments)
    kinds = [arguments.proxy] if arguments.proxy else get_args(Kind)
    for kind in kinds:
        _measure(report, kind, arguments.lame_duck)
    return report.finish()


def _measure(report: Report, kind: Kind, lame_duck_s: float) -> None:
    portrait = np.ascontiguousarray(data.astronaut()[:256, 96:352, ::-1])
    picture = cv2.imencode(".jpg", portrait)[1].tobytes()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        certificate = self_signed(Path(folder))
        both = stack.enter_context(proxied(kind, certificate, lame_duck_s=lame_duck_s))
        with both.client() as enrolling:
            enrolling.enroll("ada", [picture])
        place = both.proxy.address, both.certificate, TOKEN, picture
        clients: list[Watched] = [
            *(ResumingCamera(*place, apart_s=_APART_S) for _ in range(_CAMERAS)),
            Caller(*place, apart_s=_APART_S),
        ]
        for client in clients:
            stack.enter_context(client)
        noticed: list[float] = []
        steps: dict[str, Callable[[], None]] = {
            "nothing": lambda: None,
            "kill -9 of one": lambda: both.kill(0),
            "its start": lambda: both.start(0),
            "drain of the other": lambda: noticed.append(_drain(both, 1)),
            "its start, too": lambda: both.start(1),
        }
        seen = {name: _step(clients, do) for name, do in steps.items()}
    _report(report, kind, clients, seen)
    ended = [client for client in clients if client.failure is not None]
    report.values[kind] |= {"ended": len(ended), "noticed_s": noticed[0]}
    report.aim(f"{kind}: clients that ended", str(len(ended)), met=not ended)
    wrong = sum(client.wrong.total() for client in clients)
    report.aim(f"{kind}: wrong answers", str(wrong), met=not wrong)
    if kind == "envoy":
        report.note(f"Envoy noticed after {noticed[0]:.1f} s that a server was leaving.\n")


def _step(clients: list[Watched], do: Callable[[], None]) -> list[_Seen]:
    """Does something, and returns what each client saw until it had some more right answers."""
    before = [(client.errors.copy(), client.lost) for client in clients]
    for client in clients:
        client.forget_gap()
    do()
    for client in clients:
        client.until_answers(_ANSWERS)
    return [
        _Seen(client.longest_gap_s, client.errors - errors, client.lost - lost)
        for client, (errors, lost) in zip(clients, before, strict=True)
    ]


def _drain(both: Proxied, index: int) -> float:
    """Drains a server; returns after how many seconds Envoy sent it nothing new, 0 for nginx, which does not ask."""
    began_s, noticed_s = time.monotonic(), 0.0
    both.servers[index].terminate()
    if both.proxy.kind == "envoy":
        address = both.addresses[index]
        both.proxy.wait_until(lambda: both.proxy.servers()[address] != "healthy")
        noticed_s = time.monotonic() - began_s
    both.servers[index].wait()
    return noticed_s


def _report(
    report: Report, kind: Kind, clients: list[Watched], seen: dict[str, list[_Seen]]
) -> None:
    names = [*(f"camera {number}" for number in range(1, _CAMERAS + 1)), "caller"]
    lines = []
    for number, (name, client) in enumerate(zip(names, clients, strict=True)):
        steps = [_text(step[number]) for step in seen.values()]
        lines.append((name, *steps, f"{client.answers}", "yes" if client.failure else "no"))
    report.table(
        f"{kind}: longest pause between two answers of each client, s, and what it saw, while this was done",
        ["client", *seen, "answers", "ended"],
        lines,
    )
    report.values[kind] = {
        name: {
            "pause_s": [round(one.pause_s, 2) for one in step],
            "errors": dict(sum((one.errors for one in step), Counter())),
            "lost": [one.lost for one in step],
        }
        for name, step in seen.items()
    }


def _text(seen: _Seen) -> str:
    errors = [f"{error.partition('Error')[0]} × {count}" for error, count in seen.errors.items()]
    lost = [f"{seen.lost} lost"] if seen.lost else []
    return ", ".join([f"{seen.pause_s:.1f}", *errors, *lost])


if __name__ == "__main__":
    run(main)
