"""Finds out why gRPC cannot listen, which it does not say itself."""

import errno
import secrets
import socket
from concurrent.futures import ThreadPoolExecutor

import grpc

__all__ = ["require_usable", "why_not"]


def why_not(address: str) -> str:
    """Returns in words why a server cannot listen on "host:port" or "unix:PATH", by trying it; blocks.

    Linux and BoringSSL name the reason, gRPC passes none of it on (its text names a variable for a log).
    """
    try:
        _try(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return "another server is there already"
        return error.strerror or str(error)
    return "the address is free; gRPC's lines in the log may have the reason"


def require_usable(certificate: grpc.ServerCertificateConfiguration) -> None:
    """Raises OSError if gRPC cannot use a certificate and its key; blocks for milliseconds.

    OpenSSL, with which settings are checked, takes more than BoringSSL does: a byte order mark before the PEM,
    and keys on other curves. gRPC itself would refuse every connection later, or the start.
    """
    credentials = grpc.dynamic_ssl_server_credentials(certificate, lambda: certificate)
    with ThreadPoolExecutor(1) as threads:
        server = grpc.server(threads)
        try:
            # A name that no other process has, and that no file is left of.
            server.add_secure_port(f"unix-abstract:facewire-{secrets.token_hex(16)}", credentials)
        except RuntimeError as error:
            raise OSError(
                "gRPC cannot use this certificate and key, although they are a pair: they must be PEM from their "
                "first byte, with RSA keys of 2,048 bits or more, or keys on P-256, P-384, P-521 or Ed25519"
            ) from error
        finally:
            server.stop(None)


def _try(address: str) -> None:
    if address.startswith("unix:"):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(address.removeprefix("unix:"))
        return
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    for family, kind, protocol, _, place in socket.getaddrinfo(
        host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    ):
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen()
