"""`make run`: a server and a console before it. Both end on Ctrl-C, and each with the other.

Each prints its address once it can be used; variables of both (FACEWIRE_..., FACEWIRE_CONSOLE_...) are passed on. The server has a
page of metrics on loopback, from which the console's Health shows workers, models and latency.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Final

__all__ = ["main"]

_READY: Final = "facewire.v1 on "
_STOP_TIMEOUT_S: Final = 40.0
"""Seconds until a process that was asked to end is killed: the server finishes what it has begun. Chosen, not measured."""

_METRICS: Final = "FACEWIRE_METRICS_LISTEN"
"""The variable that says where the server's page of metrics is; "" = there is none."""

_ANY: Final = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}
"""Addresses to listen on that no client can connect to, with one that it can."""


async def main() -> int:
    """Runs both until one ends, or a signal comes.

    Returns:
        The exit status: 0 after a signal, else that of the process that ended, but at least 1.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    metrics = os.environ.get(_METRICS)
    server_flags = []
    if metrics is None:
        metrics = _free_address()
        server_flags = [f"--metrics-listen={metrics}"]
    running: list[asyncio.subprocess.Process] = []
    try:
        server = await _start(["facewire_server", "run", *server_flags])
        running.append(server)
        line = await _first_line(server, stopped)
        if line.startswith(_READY):
            print(line, flush=True)
            console = await _start(["facewire_console", *_console_flags(line, metrics)])
            running.append(console)
            line = await _first_line(console, stopped)
            if line:
                print(line, flush=True)
        ended = await _first_end(running, stopped)
    finally:
        await asyncio.gather(*map(_end, running))
    return 0 if ended is None else ended or 1


async def _start(module: Sequence[str]) -> asyncio.subprocess.Process:
    # In a session of its own: Ctrl-C reaches this process alone, which then asks each to end, once.
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", *module, stdout=asyncio.subprocess.PIPE, start_new_session=True
    )


async def _first_line(process: asyncio.subprocess.Process, stopped: asyncio.Event) -> str:
    """Returns the line that a process prints when it is ready; "" if it has ended, or a signal came."""
    assert process.stdout is not None
    reading = asyncio.ensure_future(process.stdout.readline())
    stopping = asyncio.ensure_future(stopped.wait())
    await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if reading.done():
        return reading.result().decode().strip()
    reading.cancel()
    return ""


def _console_flags(line: str, metrics: str) -> list[str]:
    """Returns the flags with the server's address, and with that of its page of metrics, unless variables name them."""
    if "FACEWIRE_CONSOLE_SERVER" in os.environ:  # another one, whose page is elsewhere
        return []
    flags = [f"--server={_reachable(line.removeprefix(_READY))}"]
    # Port 0: the server took a free one, and only its log says which.
    is_known = metrics and not metrics.endswith(":0")
    if is_known and "FACEWIRE_CONSOLE_SERVER_METRICS" not in os.environ:
        flags.append(f"--server-metrics={_reachable(metrics)}")
    return flags


def _reachable(address: str) -> str:
    host, _, port = address.rpartition(":")
    return f"{_ANY.get(host, host)}:{port}"


def _free_address() -> str:
    """Returns an address on loopback with a port that is free now: a fixed one may be that of another program."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


async def _first_end(
    running: Sequence[asyncio.subprocess.Process], stopped: asyncio.Event
) -> int | None:
    """Waits for the first process to end, and returns its status; None if a signal came before."""
    waiting = {asyncio.ensure_future(process.wait()) for process in running}
    stopping = asyncio.ensure_future(stopped.wait())
    done, left = await asyncio.wait({*waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for each in left:
        each.cancel()
    if stopping in done:
        return None
    statuses = [process.returncode for process in running if process.returncode is not None]
    return abs(statuses[0])


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    try:
        await asyncio.wait_for(process.wait(), _STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
