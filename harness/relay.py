"""A way between two processes that can be held up and cut: a relay of TCP connections on a port of its own."""

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator
from typing import Final

__all__ = ["Relay", "relay_to"]

_PIECE_BYTES: Final = 65536


class Relay:
    """Relays the connections to its port.

    Attributes:
        port: of 127.0.0.1.
        accepted_count: connections so far.
    """

    def __init__(self, target_port: int) -> None:
        self.accepted_count = 0
        self._target_port = target_port
        self._open = threading.Event()
        self._open.set()
        self._ended = threading.Event()
        self._ends: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self) -> None:
        """Passes nothing on; what is sent meanwhile waits in buffers, as on a bad network."""
        self._open.clear()

    def go_on(self) -> None:
        """Passes on again, first what has waited."""
        self._open.set()

    def cut(self) -> None:
        """Ends all connections."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Ends everything."""
        self._ended.set()
        self._open.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self.accepted_count += 1
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near:
            try:
                far = socket.create_connection(("127.0.0.1", self._target_port))
            except OSError:
                return
            with far, selectors.DefaultSelector() as ready:
                self._ends += [near, far]
                ready.register(near, selectors.EVENT_READ, far)
                ready.register(far, selectors.EVENT_READ, near)
                with contextlib.suppress(OSError):
                    while self._pass_on(ready):
                        pass

    def _pass_on(self, ready: selectors.BaseSelector) -> bool:
        for key, _ in ready.select():
            self._open.wait()
            source = key.fileobj
            assert isinstance(source, socket.socket)
            if not (piece := source.recv(_PIECE_BYTES)):
                return False
            key.data.sendall(piece)
        return not self._ended.is_set()


@contextlib.contextmanager
def relay_to(port: int) -> Iterator[Relay]:
    """Runs a relay to a port of 127.0.0.1 until the block ends."""
    relay = Relay(port)
    try:
        yield relay
    finally:
        relay.close()
