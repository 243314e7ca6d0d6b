"""Two real workers on one port: one server to its clients, whatever happens to one of them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import pytest

import facewire
from fakes.python import PATHS
from fakes.wire import reason_and_fields
from harness.running import RunningServer, ServerFailed, running_server
from harness.tracked import TrackedStream

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


def streams_by_worker(server: RunningServer) -> Counter[int]:
    found = Counter(one["worker"] for one in entries(server, "stream_opened"))
    found.subtract(one["worker"] for one in entries(server, "stream_ended"))
    return found


def all_have_ended(server: RunningServer) -> bool:
    return not any(streams_by_worker(server).values())


def test_streams_of_the_sdk_are_spread_over_the_workers(workers: RunningServer) -> None:
    """Each has a connection of its own, and opens another one if its worker is busy."""
    until(lambda: all_have_ended(workers))
    over = threading.Event()

    def no_frames() -> Iterator[facewire.Picture]:
        over.wait()
        return
        yield

    with facewire.Client(workers.address) as client, ExitStack() as opened:
        opened.callback(over.set)
        for _ in range(8):
            opened.enter_context(client.stream(no_frames()))
        until(lambda: streams_by_worker(workers).total() == 8)
        counts = [streams_by_worker(workers)[pid] for pid in serving(workers)]
        assert sorted(counts) in ([3, 5], [4, 4])


def test_a_client_with_one_connection_gets_all_its_streams(workers: RunningServer) -> None:
    until(lambda: all_have_ended(workers))
    with workers.channel() as channel, ExitStack() as opened:
        for refusals in (0, 0, 4, 4):
            for _ in range(refusals):
                with pytest.raises(grpc.RpcError) as caught:
                    TrackedStream(channel)
                error: Any = caught.value
                assert error.code() is grpc.StatusCode.UNAVAILABLE
                assert reason_and_fields(error) == ("WORKER_BUSY", [])
            opened.enter_context(TrackedStream(channel))


def test_workers_end_with_their_parent(models: Path) -> None:
    with running_server(workers=2, drain_s=0) as server:
        pids = serving(server)
        assert len(pids) == 2
        server.kill()
        until(lambda: not any(map(is_running, pids)))
