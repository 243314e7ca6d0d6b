"""The command `facewire-server health`: checks the server that the same settings start."""

import ipaddress
import socket
import ssl
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
    not show before SIGHUP, and a check that fails for that would have it restarted.

    Raises:
        NoAnswer: no server answers within 4 s.
    """
    target = _target(settings.listen)
    try:
        with _channel(target, tls=settings.tls_certificate is not None) as channel:
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


def _channel(target: str, *, tls: bool) -> grpc.Channel:
    if not tls:
        return grpc.insecure_channel(target)
    certificate, name = _shown_certificate(target)
    trusted = grpc.ssl_channel_credentials(root_certificates=certificate.encode())
    options = [("grpc.ssl_target_name_override", name)]
    return grpc.secure_channel(target, trusted, options=options)


def _shown_certificate(target: str) -> tuple[str, str]:
    """Returns the certificate that the server shows, as PEM, and a name that it was issued for."""
    host, _, port = target.rpartition(":")
    address = (host.strip("[]"), int(port))
    certificate = ssl.get_server_certificate(address, timeout=_TIMEOUT_S)
    # `ssl` reads the names of a certificate that it trusts only, hence a second connection.
    context = ssl.create_default_context(cadata=certificate)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it need not be a root
    context.check_hostname = False
    with (
        socket.create_connection(address, _TIMEOUT_S) as plain,
        context.wrap_socket(plain) as encrypted,
    ):
        names = (encrypted.getpeercert() or {}).get("subjectAltName", ())
    return certificate, str(names[0][1]) if names else host
