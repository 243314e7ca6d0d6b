"""The certificate that a client shows to a server that asks for one: in files, which may be replaced while the client runs."""

import os
import ssl
from contextlib import suppress
from pathlib import Path

__all__ = ["ClientCertificate"]


class ClientCertificate:
    """A certificate and its key; each new connection takes those that are in the files then. No repr: it holds the key."""

    def __init__(
        self, certificate: str | os.PathLike[str], key: str | os.PathLike[str] | None
    ) -> None:
        """Reads the files.

        Args:
            certificate: path of the certificate, PEM, with those that signed it behind it.
            key: path of its key, PEM, without a password; None: it is in the same file.

        Raises:
            OSError: a file cannot be read.
            ValueError: they are no certificate and its key.
        """
        self._certificate = Path(certificate)
        self._key = Path(certificate if key is None else key)
        self._pair = self._read()

    def current(self) -> tuple[bytes, bytes]:
        """Returns key and certificate, PEM; those before if the files cannot be used, as in the middle of a change."""
        with suppress(OSError, ValueError):
            self._pair = self._read()
        return self._pair

    def load_into(self, context: ssl.SSLContext) -> None:
        """Has a context show the certificate.

        Raises:
            OSError: the files cannot be read, or used.
        """
        # An empty password: without one OpenSSL asks the terminal for that of an encrypted key.
        context.load_cert_chain(self._certificate, self._key, password="")

    def _read(self) -> tuple[bytes, bytes]:
        pair = self._key.read_bytes(), self._certificate.read_bytes()
        try:
            self.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        except ssl.SSLError as error:
            raise ValueError(
                "the client's certificate and key are not in PEM, or do not belong together"
            ) from error
        return pair
