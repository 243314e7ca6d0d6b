"""TLS: the certificate that the server shows, and whose certificates it wants. It can be replaced while the server runs."""

from typing import Any, Final

import grpc

from facewire_server.rpc.listening import require_usable

__all__ = ["TlsCertificate"]

_END: Final = b"-----END CERTIFICATE-----\n"
"""The last line of a certificate in PEM (RFC 7468)."""


class TlsCertificate:
    """The certificate that the server shows to new connections, and the authorities that must have signed their clients'.

    Where these are set, gRPC refuses every connection without a certificate of theirs, also of health. So the server's own
    certificate is taken from a client, too: `facewire-server health` shows it. It has no role.
    """

    def __init__(
        self, certificate_chain: bytes, private_key: bytes, client_authorities: bytes = b""
    ) -> None:
        """Takes all as PEM; no certificates of clients are asked for without `client_authorities`.

        Raises:
            OSError: gRPC cannot use them.
        """
        self._authorities = client_authorities
        self._shown = _configuration(certificate_chain, private_key, client_authorities)
        self._next: grpc.ServerCertificateConfiguration | None = None

    def replace(
        self, certificate_chain: bytes, private_key: bytes, client_authorities: bytes = b""
    ) -> None:
        """Uses others from the next connection on; open connections stay. Whether clients are asked stays, too.

        Raises:
            OSError: gRPC cannot use them; those before stay.
        """
        authorities = (
            client_authorities if self._authorities and client_authorities else self._authorities
        )
        self._next = _configuration(certificate_chain, private_key, authorities)

    def credentials(self) -> grpc.ServerCredentials:
        """Returns the server's side of TLS, which follows `replace`."""
        fetch: Any = self._fetch  # the types of grpc-stubs lack that None is allowed
        return grpc.dynamic_ssl_server_credentials(
            self._shown, fetch, require_client_authentication=bool(self._authorities)
        )

    def _fetch(self) -> grpc.ServerCertificateConfiguration | None:
        """Called by gRPC before each handshake, one at a time; None = unchanged."""
        fetched, self._next = self._next, None
        return fetched


def _configuration(
    chain: bytes, key: bytes, authorities: bytes
) -> grpc.ServerCertificateConfiguration:
    # The first certificate of the chain, which is the server's, and not those who signed it: they sign others, too.
    trusted = authorities + b"\n" + chain.partition(_END)[0] + _END if authorities else None
    configuration = grpc.ssl_server_certificate_configuration([(key, chain)], trusted)
    require_usable(configuration)
    return configuration
