"""TLS: a connection holds a place from its first byte on, and its handshake must end in time."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Final

from facewire_console.guard.places import Places
from facewire_console.settings import SettingsError

__all__ = ["HANDSHAKE_S", "Handshake", "tls_context"]

HANDSHAKE_S: Final = 10.0
"""Seconds until a TLS handshake has ended. Chosen, not measured: as for a request's headers."""


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Returns what connections are encrypted with: TLS 1.2 or newer.

    Raises:
        SettingsError: the files cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password="")  # asks no one for a password
    except (OSError, ssl.SSLError) as error:
        why = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        raise SettingsError(f"tls_certificate and tls_key cannot be used: {why}") from None
    return context


class Handshake(asyncio.Protocol):
    """A connection until its TLS handshake has ended; then it is one of HTTP.

    asyncio's own servers make a protocol before the handshake, and tell it nothing about one that fails or never ends: such connections could
    not be counted.

    Attributes:
        context: what is encrypted with.
        places: of the server.
        http: makes the protocol of HTTP, of uvicorn's arguments.
    """

    context: ClassVar[ssl.SSLContext]
    places: ClassVar[Places]
    http: ClassVar[Callable[..., asyncio.Protocol]]

    @classmethod
    def over(
        cls, context: ssl.SSLContext, places: Places, http: Callable[..., asyncio.Protocol]
    ) -> "type[Handshake]":
        """Returns the class of the connections of one server."""
        members = {"context": context, "places": places, "http": staticmethod(http)}
        return type(cls.__name__, (cls,), members)

    def __init__(self, **of_uvicorn: Any) -> None:
        self._of_uvicorn = of_uvicorn
        self._early = bytearray()
        self._is_lost = False
        self._shaking: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.pause_reading()  # until asyncio's TLS reads
        self.places.take(self, transport.get_extra_info("peername"))
        if not transport.is_closing():
            self._shaking = asyncio.get_running_loop().create_task(self._shake())

    def data_received(self, data: bytes) -> None:
        """Keeps what came right behind the handshake."""
        self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left before HTTP began."""
        self._is_lost = True
        self.places.leave(self)

    def give_way(self) -> None:
        """Cuts the connection off."""
        self._transport.abort()

    async def _shake(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            encrypted = await loop.start_tls(
                self._transport,
                self,
                self.context,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_S,
            )
        except (OSError, ssl.SSLError):  # what it sent was no TLS, or it left, or was too slow
            self._transport.abort()
            return
        finally:
            self.places.leave(self)
        if self._is_lost or encrypted is None:
            return
        http = self.http(**self._of_uvicorn)
        encrypted.set_protocol(http)
        http.connection_made(encrypted)
        if self._early:
            http.data_received(bytes(self._early))
