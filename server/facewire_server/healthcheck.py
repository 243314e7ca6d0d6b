"""The command `facewire-server health`: checks the server that the same settings start."""

import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire_server.configuration.settings import Settings

__all__ = ["NoAnswer", "health"]

_TIMEOUT_S: Final = 4.0
"""Seconds: less than the 5 s that the health checks of Dockerfile.server and compose.yaml allow."""

_SERVING: Final = health_pb2.HealthCheckResponse.SERVING


class NoAnswer(Exception):
    """No facewire server answers at the configured address."""


def health(settings: Settings) -> dict[str, bool]:
    """Returns whether each service is serving, by its name in `grpc.health.v1`; "" is the process.

    Needs no token: health is open to all. It trusts whichever certificate the server shows, and
    sends no secret: the file may already hold the next certificate, which a running server does
    not show before SIGHUP, and a check that fails for that would have it restarted. A server that wants certificates of its clients
    is shown its own, which it takes (`rpc.tls`); after that one was changed in its file, only if `tls_client_ca` signed it.

    Raises:
        NoAnswer: no server answers within 4 s.
    """
    target = _target(settings.listen)
    try:
        with _channel(target, settings) as channel:
            response = health_pb2_grpc.HealthStub(channel).List(
                health_pb2.HealthListRequest(), timeout=_TIMEOUT_S
            )
    except grpc.RpcError as error:
        raise NoAnswer(f"no answer from {target}: {error.code().name}") from error
    except (OSError, ValueError) as error:
        raise NoAnswer(f"no answer from {target}: {error}") from error
    return {name: each.status == _SERVING for name, each in sorted(response.statuses.items())}


def _target(listen: str) -> str:
    """Returns an address to connect to: "all interfaces" is only one to listen on."""
    host, _, port = listen.rpartition(":")
    try:
        if ipaddress.ip_address(host.strip("[]")).is_unspecified:
            return f"[::1]:{port}" if ":" in host else f"127.0.0.1:{port}"
    except ValueError:
        pass  # a name, or the path of a socket
    return listen


def _channel(target: str, settings: Settings) -> grpc.Channel:
    if settings.tls_certificate is None:
        return grpc.insecure_channel(target)
    own = _own_pair(settings)
    certificate, name = _shown_certificate(target, own)
    key, chain = (own[1].read_bytes(), own[0].read_bytes()) if own else (None, None)
    trusted = grpc.ssl_channel_credentials(certificate.encode(), key, chain)
    options = [("grpc.ssl_target_name_override", name)]
    return grpc.secure_channel(target, trusted, options=options)


def _own_pair(settings: Settings) -> tuple[Path, Path] | None:
    """Returns the certificate and key to show to the server; None if it asks for none."""
    if settings.tls_client_ca is None or not settings.tls_certificate or not settings.tls_key:
        return None
    return settings.tls_certificate, settings.tls_key


def _shown_certificate(target: str, own: tuple[Path, Path] | None) -> tuple[str, str]:
    """Returns the certificate that the server shows, as PEM, and a name that it was issued for."""
    any_certificate = ssl.create_default_context()
    any_certificate.check_hostname = False
    any_certificate.verify_mode = ssl.CERT_NONE
    shown, _ = _handshake(target, any_certificate, own)
    certificate = ssl.DER_cert_to_PEM_cert(shown)
    # `ssl` reads the names of a certificate that it trusts only, hence a second connection.
    context = ssl.create_default_context(cadata=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it need not be a root
    context.check_hostname = False
    _, names = _handshake(target, context, own)
    return certificate, names[0] if names else target.rpartition(":")[0].strip("[]")


def _handshake(
    target: str, context: ssl.SSLContext, own: tuple[Path, Path] | None
) -> tuple[bytes, list[str]]:
    """Returns the certificate that the server shows, as DER, and its names if the context trusts it."""
    if own:
        context.load_cert_chain(*own)
    host, _, port = target.rpartition(":")
    with (
        socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT_S) as plain,
        context.wrap_socket(plain) as encrypted,
    ):
        names = (encrypted.getpeercert() or {}).get("subjectAltName", ())
        return encrypted.getpeercert(binary_form=True) or b"", [str(each[1]) for each in names]
