"""Two real workers on one port: one server to its clients, whatever happens to one of them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.python import PATHS
from harness.running import RunningServer, ServerFailed, running_server

WITHIN_S = 100.0
"""For what a busy machine does in seconds."""


def entries(server: RunningServer, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def until(holds: Callable[[], object]) -> None:
    ends_s = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < ends_s
        time.sleep(0.05)  # of another process's state there is no event


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def serving(server: RunningServer) -> list[int]:
    """The workers that take calls and have not ended."""
    return [one["pid"] for one in entries(server, "worker_serves") if is_running(one["pid"])]


@pytest.fixture(scope="module")
def workers(models: Path) -> Iterator[RunningServer]:
    """One server for the tests of this file; whoever kills a worker waits for the next one."""
    with running_server(workers=2, threads=2, frame_timeout_s=60) as server:
        yield server


def test_each_worker_has_its_part_of_the_processors(workers: RunningServer) -> None:
    started = entries(workers, "server_started")
    assert {one["worker"] for one in started} >= set(serving(workers))
    assert [one["processors"] for one in started] == [1] * len(started)


def test_the_health_command_asks_a_worker(workers: RunningServer) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "facewire_server", "health", f"--listen={workers.address}"],
        env=os.environ | {"PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "process SERVING" in done.stdout


@pytest.mark.parametrize("count", [1, 2])
def test_a_port_that_is_taken_is_refused(workers: RunningServer, count: int) -> None:
    with (
        pytest.raises(ServerFailed, match="another server is there already"),
        running_server(listen=workers.address, workers=count),
    ):
        pass


def test_a_worker_that_is_killed_is_replaced(workers: RunningServer) -> None:
    gone, other = serving(workers)
    os.kill(gone, signal.SIGKILL)
    until(lambda: len(serving(workers)) == 2 and gone not in serving(workers))
    assert other in serving(workers)


def test_workers_end_with_their_parent(models: Path) -> None:
    with running_server(workers=2, drain_s=0) as server:
        pids = serving(server)
        assert len(pids) == 2
        server.kill()
        until(lambda: not any(map(is_running, pids)))
