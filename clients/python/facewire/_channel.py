"""How a server is reached: channel options, TLS, token, retries."""

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc import aio

from facewire._enums import ErrorReason
from facewire._errors import FacewireError, UnavailableError
from facewire._version import __version__

__all__ = ["Address", "Deadline", "Retries"]

_ATTEMPTS = 5
_BUSY_ATTEMPTS = 4
_FIRST_BACKOFF_S = 0.1

_OPTIONS: list[tuple[str, int | str]] = [
    ("grpc.primary_user_agent", f"facewire-python/{__version__}"),
    # A thousand faces with twenty candidates each are 8 MiB; gRPC's default is 4.
    ("grpc.max_receive_message_length", 32 * 2**20),
    # So that a retry after 100 ms does try; gRPC's default waits a second.
    ("grpc.initial_reconnect_backoff_ms", int(_FIRST_BACKOFF_S * 1000)),
    # Finds a dead connection within 40 s, where the kernel takes a quarter of an hour.
    # A facewire server allows a ping every 10 s; gRPC's own limit is 5 minutes.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Channels of one process share connections by default, and a worker is chosen for
    # each connection: a stream that is refused by a busy worker needs a new one.
    ("grpc.use_local_subchannel_pool", 1),
]


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where a server is and how it is spoken to. No repr: it holds the token.

    Attributes:
        target: gRPC's name of the server, "host:port".
        token: sent with every call.
        root_certificates: PEM; None where TLS is off or the built-in ones are meant.
        tls: whether the connection is encrypted.
    """

    target: str
    token: str | None
    root_certificates: bytes | None
    tls: bool

    @classmethod
    def of(
        cls,
        target: str,
        *,
        token: str | None,
        root_certificates: bytes | str | os.PathLike[str] | None,
        tls: bool,
    ) -> "Address":
        """Reads the certificates where they are a path, and leaves out space around the token.

        Raises:
            OSError: the file cannot be read.
            ValueError: the token holds what no header may; it is not in the text.
        """
        token = token and token.strip()
        if token and not (token.isascii() and token.isprintable()):
            raise ValueError("a token is made of printable ASCII characters; this one is not")
        if isinstance(root_certificates, str | os.PathLike):
            root_certificates = Path(root_certificates).read_bytes()
        return cls(target, token, root_certificates, tls or root_certificates is not None)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What is sent with every call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def connect(self) -> grpc.Channel:
        """Makes a channel with a connection of its own, which opens with the first call."""
        if not self.tls:
            return grpc.insecure_channel(self.target, options=_OPTIONS)
        credentials = grpc.ssl_channel_credentials(self.root_certificates)
        return grpc.secure_channel(self.target, credentials, options=_OPTIONS)

    def connect_aio(self) -> aio.Channel:
        """The same for asyncio; to be called where its loop runs."""
        if not self.tls:
            return aio.insecure_channel(self.target, options=_OPTIONS)
        credentials = grpc.ssl_channel_credentials(self.root_certificates)
        return aio.secure_channel(self.target, credentials, options=_OPTIONS)


class Deadline:
    """A moment by which a call, its retries included, is to be over.

    Attributes:
        timeout_s: from now to then.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._end = time.monotonic() + timeout_s

    @property
    def left_s(self) -> float:
        """Seconds left, at least 0."""
        return max(0.0, self._end - time.monotonic())


class Retries:
    """How often, and how soon, an unavailable server is asked again.

    Five attempts at most, waiting up to 0.1, 0.2, 0.4 and 0.8 s between them, by
    chance ("full jitter": M. Brooker, AWS Architecture Blog, 2015; a quarter at least,
    so that a restart of a moment is outlived). A busy worker's refusal of a stream is
    answered at once, up to four times: a new connection may find another worker. Only for
    calls that may be repeated.
    """

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._busy_attempts = _BUSY_ATTEMPTS
        self._bounds_s = [_FIRST_BACKOFF_S * 2**tried for tried in range(_ATTEMPTS - 1)]

    def pause_s(self, error: FacewireError) -> float | None:
        """How long to wait before the next attempt; None where there is to be none."""
        if not self._deadline.left_s:
            return None
        if error.reason is ErrorReason.WORKER_BUSY and self._busy_attempts:
            self._busy_attempts -= 1
            return 0.0
        if not isinstance(error, UnavailableError) or not self._bounds_s:
            return None
        pause_s = self._bounds_s.pop(0) * random.uniform(0.25, 1.0)
        return pause_s if pause_s < self._deadline.left_s else None
