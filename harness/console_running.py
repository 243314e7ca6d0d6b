"""A real console process before a server, from its start to its clean end, and requests to it."""

import contextlib
import http.client
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from harness import REPOSITORY

__all__ = [
    "Answer",
    "Browser",
    "ConsoleFailed",
    "Part",
    "RunningConsole",
    "form",
    "running_console",
]

_READY: Final = "facewire console on http"
_START_TIMEOUT_S: Final = 60.0
_STOP_TIMEOUT_S: Final = 30.0
_PATIENCE_S: Final = 60.0

Part = tuple[str, str | bytes]
"""A part of a form: its name, and a text or a file."""


class ConsoleFailed(Exception):
    """The console did not start, or did not end cleanly; the text ends with its log."""


class Answer(NamedTuple):
    """A response: its status, its headers by their names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Returns the body as JSON."""
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """The reason of an error."""
        return str(self.json()["error"]["reason"])


class Browser:
    """A client of HTTP/1.1 on one connection."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._connection.close()

    def send(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        content: Any = None,
    ) -> Answer:
        """Sends a request, and returns the response.

        Args:
            method: of HTTP.
            path: with its query.
            body: as it is.
            headers: further ones.
            content: sent as JSON.
        """
        sent = dict(headers or {})
        if content is not None:
            body = json.dumps(content).encode()
            sent.setdefault("Content-Type", "application/json")
        self._connection.request(method, path, body, sent)
        response = self._connection.getresponse()
        received = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, received, response.read())

    def send_form(
        self, path: str, parts: Sequence[Part], *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends a form, and returns the response."""
        body, kind = form(parts)
        return self.send("POST", path, body, headers={"Content-Type": kind, **(headers or {})})


class RunningConsole:
    """One console process.

    Attributes:
        host: that it listens on.
        port: that it listens on.
        pid: of the process.
    """

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.host = "127.0.0.1"
        self.port = 0
        self.pid = process.pid
        self._process = process
        self._log = log

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{self.host}:{self.port}"

    def browser(self) -> Browser:
        """Opens a connection."""
        return Browser(self.host, self.port)

    def connect(self) -> socket.socket:
        """Opens a connection for bytes of the caller's own."""
        return socket.create_connection((self.host, self.port), timeout=_PATIENCE_S)

    def send(self, method: str, path: str, body: bytes | None = None, **more: Any) -> Answer:
        """Sends one request on a connection of its own; see `Browser.send`."""
        with self.browser() as browser:
            return browser.send(method, path, body, **more)

    def send_form(self, path: str, parts: Sequence[Part], **more: Any) -> Answer:
        """Sends one form on a connection of its own; see `Browser.send_form`."""
        with self.browser() as browser:
            return browser.send_form(path, parts, **more)

    def rss_bytes(self) -> int:
        """Returns the resident memory of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def log(self) -> str:
        """Returns what the process has written to its standard error."""
        return self._log.read_text(errors="replace")

    def _wait_until_ready(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(stdout, selectors.EVENT_READ)
            if not ready.select(_START_TIMEOUT_S):
                raise self._failure("was not ready in time")
        line = stdout.readline().strip()
        if not line.startswith(_READY):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
            raise self._failure(f"did not start (status {self._process.poll()})")
        self.port = int(line.rpartition(":")[2])

    def _end(self) -> None:
        """Asks the process to end, as Ctrl-C does.

        Raises:
            ConsoleFailed: it has not ended cleanly.
        """
        self._process.send_signal(signal.SIGINT)
        try:
            status = self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise self._failure("was still running after it was asked to end") from None
        # uvicorn raises the signal again once everything is closed.
        if status not in (0, -signal.SIGINT):
            raise self._failure(f"ended with status {status}")

    def _failure(self, what: str) -> ConsoleFailed:
        return ConsoleFailed(f"the console {what}; the end of its log:\n{self.log()[-4000:]}")


@contextlib.contextmanager
def running_console(server: str, **settings: object) -> Iterator[RunningConsole]:
    """Runs `facewire-console` on a free port before a server, until the block ends; it must end cleanly.

    Args:
        server: address of the server, which need not be there.
        **settings: of `facewire_console.settings.Settings`.

    Raises:
        ConsoleFailed: it does not start, or does not end cleanly.
    """
    values = {"port": 0, "server": server, **settings}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in values.items()]
    with tempfile.TemporaryDirectory(prefix="facewire-console-") as scratch:
        log = Path(scratch) / "stderr"
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "facewire_console", *flags],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env=_environment(),
                cwd=scratch,
            )
        console = RunningConsole(process, log)
        with process:
            try:
                console._wait_until_ready()
                yield console
                console._end()
            finally:
                process.kill()


def form(parts: Sequence[Part]) -> tuple[bytes, str]:
    """Returns a form's body and its content type (multipart/form-data, RFC 7578); bytes are a file."""
    boundary = uuid.uuid4().hex
    body = bytearray()
    for name, value in parts:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        if isinstance(value, str):
            body += b"\r\n\r\n" + value.encode()
        else:
            body += b'; filename="x.jpg"\r\nContent-Type: image/jpeg\r\n\r\n' + value
        body += b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return bytes(body), f"multipart/form-data; boundary={boundary}"


def _environment() -> dict[str, str]:
    """Returns this process' environment without FACEWIRE settings, and without the server's code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACEWIRE_")}
    rooms = [str(REPOSITORY / room) for room in ("clients/console", "clients/python")]
    return {**kept, "PYTHONPATH": os.pathsep.join(rooms)}
