"""The address and credentials of a server: channel options, TLS, token."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from facewire._version import __version__
from facewire._wire.retries import FIRST_BACKOFF_S
from facewire._wire.target import checked_target
from facewire._wire.tokens import SentToken, TokenSource

__all__ = ["CHANNEL_OPTIONS", "Address"]

CHANNEL_OPTIONS: list[tuple[str, int | str]] = [
    ("grpc.primary_user_agent", f"facewire-python/{__version__}"),
    # A thousand faces with twenty candidates each are 8 MiB; gRPC's default is 4.
    ("grpc.max_receive_message_length", 32 * 2**20),
    # So that a retry after 100 ms does connect; gRPC waits a second by default.
    ("grpc.initial_reconnect_backoff_ms", int(FIRST_BACKOFF_S * 1000)),
    # Finds a dead connection within 40 s; the kernel takes a quarter of an hour.
    # A facewire server allows a ping every 10 s; gRPC's own limit is 5 minutes.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    # Channels of one process share connections by default, and a worker is chosen for
    # each connection: a stream that is refused by a busy worker needs a new one.
    ("grpc.use_local_subchannel_pool", 1),
]
"""Options of every channel, for `grpc` and `grpc.aio`. The times of keepalive are chosen, not measured."""


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A server's address with its credentials. No repr: it holds the token.

    Attributes:
        target: gRPC's name of the server, "host:port".
        token: sent with every call; None: none is.
        root_certificates: PEM; None if TLS is off, or uses gRPC's built-in ones.
        tls: whether the connection is encrypted.
    """

    target: str
    token: SentToken | None
    root_certificates: bytes | None
    tls: bool

    @classmethod
    def of(
        cls,
        target: str,
        *,
        token: TokenSource | None,
        root_certificates: bytes | str | os.PathLike[str] | None,
        tls: bool,
    ) -> "Address":
        """Reads the certificates if they are a path, and strips space around the token.

        Raises:
            OSError: the file cannot be read.
            ValueError: the address is not HOST:PORT, the token has characters that no header may have (the text
                does not show it), or what should be certificates is not.
        """
        checked_target(target)
        sent = SentToken(token) if token else None
        if isinstance(root_certificates, str | os.PathLike):
            root_certificates = Path(root_certificates).read_bytes()
        _check_certificates(root_certificates)
        return cls(target, sent, root_certificates, tls or root_certificates is not None)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The metadata of every call; reads the token if it is not kept.

        Raises:
            OSError, ValueError: the token cannot be read, or be sent.
            TypeError: its source must be awaited.
        """
        token = self.token.blocking() if self.token else ""
        return (("authorization", f"Bearer {token}"),) if token else ()

    def credentials(self) -> grpc.ChannelCredentials | None:
        """Returns the credentials of TLS; None if it is off."""
        return grpc.ssl_channel_credentials(self.root_certificates) if self.tls else None


def _check_certificates(pem: bytes | None) -> None:
    """Raises ValueError: these bytes are no certificates in PEM."""
    if pem is None:
        return
    try:
        if not pem:  # which would be the public roots
            raise ValueError("empty")
        ssl.create_default_context(cadata=pem.decode("ascii"))
    except (ValueError, ssl.SSLError) as error:
        raise ValueError("the trusted certificates are not in PEM, or damaged") from error
