"""The address and credentials of a server: channel options, TLS, token."""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from facewire._version import __version__
from facewire._wire.client_certificate import ClientCertificate
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
        client_certificate: shown to a server that asks for one; None: none is.
    """

    target: str
    token: SentToken | None
    root_certificates: bytes | None
    tls: bool
    client_certificate: ClientCertificate | None = None

    @classmethod
    def of(
        cls,
        target: str,
        *,
        token: TokenSource | None,
        root_certificates: bytes | str | os.PathLike[str] | None,
        tls: bool,
        client_certificate: str | os.PathLike[str] | None = None,
        client_key: str | os.PathLike[str] | None = None,
    ) -> "Address":
        """Reads the certificates if they are a path, and strips space around the token.

        Raises:
            OSError: a file cannot be read.
            ValueError: the address is not HOST:PORT, the token has characters that no header may have (the text
                does not show it), what should be certificates is not, or there is a key without a certificate.
        """
        checked_target(target)
        sent = SentToken(token) if token else None
        if isinstance(root_certificates, str | os.PathLike):
            root_certificates = Path(root_certificates).read_bytes()
        _check_certificates(root_certificates)
        own = None
        if client_certificate is not None:
            own = ClientCertificate(client_certificate, client_key)
        elif client_key is not None:
            raise ValueError("the client's key is given, and not its certificate")
        encrypted = tls or root_certificates is not None or own is not None
        return cls(target, sent, root_certificates, encrypted, own)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """The metadata of every call; reads the token if it is not kept.

        Raises:
            OSError, ValueError: the token cannot be read, or be sent.
            TypeError: its source must be awaited.
        """
        token = self.token.blocking() if self.token else ""
        return (("authorization", f"Bearer {token}"),) if token else ()

    def renew(self) -> bool:
        """Returns whether a new connection may be let in after one was refused: it reads token and certificate again."""
        is_token_read = self.token is not None and self.token.renew()
        return is_token_read or self.client_certificate is not None

    def credentials(self) -> grpc.ChannelCredentials | None:
        """Returns the credentials of TLS for a new channel; None if it is off."""
        if not self.tls:
            return None
        own = self.client_certificate.current() if self.client_certificate else (None, None)
        return grpc.ssl_channel_credentials(self.root_certificates, *own)


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
