"""Two real servers on one gallery behind a real proxy, which can be killed, drained and started again."""

import contextlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import facewire
from harness.model_servers import free_port
from harness.proxies import Kind, Proxy, running_proxy
from harness.running import RunningServer, running_server

__all__ = ["TOKEN", "Proxied", "proxied"]

TOKEN: Final = "s3cret-0123456789"
"""What both servers want; the proxy passes it on."""

_LAME_DUCK_S: Final = 5.0
"""As the server's default; measurements set others."""


class Proxied:
    """The servers and their proxy.

    Attributes:
        proxy: in front.
        certificate: of the proxy.
        servers: as they run now, or ran last.
    """

    def __init__(self, certificate: Path, stack: ExitStack, settings: Mapping[str, Any]) -> None:
        self.proxy: Proxy
        self.certificate = certificate
        self.addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        self._settings = settings
        self._stack = stack
        self.servers: list[RunningServer] = [self._started(index) for index in range(2)]

    def client(self) -> facewire.Client:
        """Returns a new client, which reaches the servers through the proxy."""
        return facewire.Client(self.proxy.address, token=TOKEN, root_certificates=self.certificate)

    def is_streaming(self, index: int) -> bool:
        """Returns whether a stream of this server is open, as its log says."""
        lines = self.servers[index].log().splitlines()
        events = [json.loads(line)["event"] for line in lines]
        return events.count("stream_opened") > events.count("stream_ended")

    def start(self, index: int) -> None:
        """Starts a server again, and waits until it takes calls and the proxy knows."""
        self.servers[index] = self._started(index)
        self.wait_until_healthy()

    def wait_until_healthy(self) -> None:
        """Waits until Envoy sends to both; nginx asks no server for its health."""
        if self.proxy.kind == "envoy":
            self.proxy.wait_until(lambda: set(self.proxy.servers().values()) == {"healthy"})

    def kill(self, index: int) -> None:
        """Ends a server as a power cut would (SIGKILL)."""
        self.servers[index].kill()

    def drain(self, index: int) -> None:
        """Asks a server to end (SIGTERM), and waits until it has."""
        self.servers[index].terminate()
        self.servers[index].wait()

    def _started(self, index: int) -> RunningServer:
        server = running_server(listen=self.addresses[index], **self._settings)
        return self._stack.enter_context(server)


@contextlib.contextmanager
def proxied(
    kind: Kind,
    certificate: tuple[Path, Path],
    changes: Mapping[str, str] | None = None,
    **settings: object,
) -> Iterator[Proxied]:
    """Runs two servers on one data folder, and a proxy before them, until the block ends.

    Args:
        kind: which proxy.
        certificate: of the proxy, and its key.
        changes: of the proxy's configuration; see `running_proxy`.
        **settings: of both servers.
    """
    with tempfile.TemporaryDirectory(prefix="proxied-") as scratch, ExitStack() as stack:
        token = Path(scratch) / "token"
        token.write_text(TOKEN)
        token.chmod(0o600)
        shared = {
            "data": Path(scratch) / "data",
            "token_file": token,
            "trusted_proxies": "127.0.0.1",
            "lame_duck_s": _LAME_DUCK_S,
            **settings,
        }
        both = Proxied(certificate[0], stack, shared)
        with running_proxy(kind, both.addresses, certificate, changes) as both.proxy:
            both.wait_until_healthy()
            yield both
