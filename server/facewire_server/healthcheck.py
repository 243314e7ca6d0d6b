"""The command `facewire-server health`: asks the server that these settings start how it is."""

import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire_server.settings import Settings

__all__ = ["NoAnswer", "health"]

_TIMEOUT_S: Final = 4.0
_SERVING: Final = health_pb2.HealthCheckResponse.SERVING


class NoAnswer(Exception):
    """Nothing answers where these settings serve, or not as this server does."""


def health(settings: Settings) -> dict[str, bool]:
    """Whether each service is serving, by its name in `grpc.health.v1`; "" is the process.

    Needs no token: health is open to all. Over TLS it trusts the server's own certificate and
    nothing else, by whatever name that was issued: it asks over this machine's own interfaces.

    Raises:
        NoAnswer: there is none within 4 s.
    """
    target = _target(settings.listen)
    try:
        with _channel(target, settings.tls_certificate) as channel:
            answer = health_pb2_grpc.HealthStub(channel).List(
                health_pb2.HealthListRequest(), timeout=_TIMEOUT_S
            )
    except grpc.RpcError as error:
        raise NoAnswer(f"no answer from {target}: {error.code().name}") from error
    except (OSError, ValueError) as error:
        raise NoAnswer(f"no answer from {target}: {error}") from error
    return {name: each.status == _SERVING for name, each in sorted(answer.statuses.items())}


def _target(listen: str) -> str:
    """An address to reach this machine's server by: one cannot connect to "all interfaces"."""
    host, _, port = listen.rpartition(":")
    try:
        if ipaddress.ip_address(host.strip("[]")).is_unspecified:
            return f"[::1]:{port}" if ":" in host else f"127.0.0.1:{port}"
    except ValueError:
        pass  # a name, or the path of a socket
    return listen


def _channel(target: str, certificate: Path | None) -> grpc.Channel:
    if certificate is None:
        return grpc.insecure_channel(target)
    trusted = grpc.ssl_channel_credentials(root_certificates=certificate.read_bytes())
    named = [("grpc.ssl_target_name_override", _name(target, certificate))]
    return grpc.secure_channel(target, trusted, options=named)


def _name(target: str, certificate: Path) -> str:
    """A name that the server's certificate was issued for."""
    host, _, port = target.rpartition(":")
    context = ssl.create_default_context(cafile=str(certificate))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the file may end below the root
    context.check_hostname = False
    with (
        socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT_S) as plain,
        context.wrap_socket(plain) as encrypted,
    ):
        names = (encrypted.getpeercert() or {}).get("subjectAltName", ())
    return str(names[0][1]) if names else host
