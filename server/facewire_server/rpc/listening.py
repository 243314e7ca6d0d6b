"""Finds out whether gRPC can use a certificate, which it does not say itself when a server runs."""

import secrets
from concurrent.futures import ThreadPoolExecutor

import grpc

__all__ = ["require_usable"]


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
