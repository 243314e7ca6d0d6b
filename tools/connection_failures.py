"""Makes every connection fail, and prints the table of docs/errors.md: what the SDK raises, and what the command says.

python -m tools.connection_failures
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from facewire import Client, FacewireError
from harness import REPOSITORY
from harness.failing_servers import Failing, refusing_server, unreachable_servers, wrong_addresses

__all__ = ["Said", "failing_servers", "raised_by", "said_of", "table"]

_TIMEOUT_S = 3.0
"""Seconds that a call may take. Chosen, not measured: more than all retries need."""

_AT_ONCE = 3
"""Commands that run at once: each waits more than it computes."""

_HEAD = """| what is wrong | the SDK raises | try again | exit code | what both say | what the SDK adds | what the command adds |
|---|---|---|---|---|---|---|
"""


class Said(NamedTuple):
    """What the SDK raised, and what the command said and exited with."""

    failing: Failing
    error: Exception
    command: str
    exit_code: int


@contextmanager
def failing_servers() -> Iterator[list[Failing]]:
    """Runs all servers of the table, until the block ends."""
    gray = np.full((64, 64, 3), 128, np.uint8)
    picture = cv2.imencode(".jpg", gray)[1].tobytes()
    with ExitStack() as stack:
        unreachable = stack.enter_context(unreachable_servers())
        refusing = stack.enter_context(refusing_server(picture))
        yield [*wrong_addresses(), *unreachable, *refusing]


def raised_by(failing: Failing) -> Exception:
    """Returns what the SDK raises."""
    os.environ.update(failing.environment)
    try:
        with Client(
            failing.address,
            tls=failing.tls,
            root_certificates=failing.roots,
            token=failing.token,
            timeout_s=_TIMEOUT_S,
        ) as client:
            if failing.streams:
                client.stream([]).open()
            else:
                client.gallery()
    except (FacewireError, ValueError) as error:
        return error
    finally:
        for name in failing.environment:
            del os.environ[name]
    raise AssertionError(f"{failing.what}: the call succeeded")


def said_of(servers: list[Failing]) -> list[Said]:
    """Returns what is said of each."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.avi"
        writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64))
        for _ in range(3):
            writer.write(np.full((64, 64, 3), 128, np.uint8))
        writer.release()
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            done = list(threads.map(lambda each: _command(each, film), servers))
    return [
        Said(each, raised_by(each), command.stderr.strip(), command.returncode)
        for each, command in zip(servers, done, strict=True)
    ]


def table(said: list[Said]) -> str:
    """Returns the table in Markdown; the addresses of this run are HOST:PORT."""
    return _HEAD + "".join(map(_row, said))


def _command(failing: Failing, film: Path) -> "subprocess.CompletedProcess[str]":
    options = ["--server", failing.address, "--timeout", str(_TIMEOUT_S)]
    if failing.tls:
        options.append("--tls")
    if failing.roots is not None:
        options += ["--tls-ca", str(failing.roots)]
    environment = {**os.environ, **failing.environment, "COLUMNS": "1000"}
    environment["PYTHONPATH"] = str(REPOSITORY / "clients" / "python")
    if failing.token is not None:
        environment["FACEWIRE_TOKEN"] = failing.token
    work = ["watch", str(film)] if failing.streams else ["gallery", "list"]
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "facewire", *options, *work],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )


def _row(said: Said) -> str:
    error = said.error
    kind = f"`{type(error).__name__}`"
    both, own, again = str(error), "", "no"
    if isinstance(error, FacewireError):
        both, own = error.detail, error.advice
        again = "yes" if error.retryable else "no"
        if error.retry_after_s:
            again += f", after {error.retry_after_s:g} s"
        cause = getattr(error, "fault", error.reason)
        kind += "" if cause == "UNSPECIFIED" else f" `{cause}`"
    line = next(line for line in said.command.splitlines() if line.startswith("facewire: "))
    added = line.removeprefix("facewire: ").removeprefix(both).removeprefix(".").strip()
    texts = (_shown(text, said.failing) for text in (both, own, added))
    return f"| {said.failing.what} | {kind} | {again} | {said.exit_code} | {' | '.join(texts)} |\n"


def _shown(text: str, failing: Failing) -> str:
    if failing.kind is not ValueError:  # of which the address is the point
        text = text.replace(failing.address, "HOST:PORT")
    return text.replace("|", "\\|")


def main() -> None:
    """Prints the table."""
    with failing_servers() as servers:
        print(table(said_of(servers)), end="")


if __name__ == "__main__":
    main()
