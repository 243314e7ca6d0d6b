"""When a certificate expires: read from its DER, of which gRPC has checked the signature and gives no more than the text.

Certificate.tbsCertificate: [0] version, serialNumber, signature, issuer, validity, ...    (RFC 5280, 4.1)
"""

import ssl
from datetime import UTC, datetime
from typing import Final

__all__ = ["expiry_of"]

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
"""The tag of `[0] EXPLICIT`, which certificates of version 1 lack."""

_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_LONG_LENGTH: Final = 0x80
"""From here on the byte has the number of bytes of the length (X.690, 8.1.3.5)."""


def expiry_of(pem: bytes) -> datetime | None:
    """Returns the end of a certificate's validity, in UTC; None if it cannot be read."""
    try:
        certificate = _Reader(ssl.PEM_cert_to_DER_cert(pem.decode("ascii").strip() + "\n"))
        signed = _Reader(_Reader(certificate.next(_SEQUENCE)).next(_SEQUENCE))
        if signed.tag == _VERSION:
            signed.next()
        for _ in ("serialNumber", "signature", "issuer"):
            signed.next()
        validity = _Reader(signed.next(_SEQUENCE))
        validity.next()
        tag = validity.tag
        return _time(tag, validity.next().decode("ascii"))
    except (ValueError, IndexError):
        return None


class _Reader:
    """Reads one value after another."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def tag(self) -> int:
        """Of the next value; raises IndexError at the end."""
        return self._data[0]

    def next(self, tag: int | None = None) -> bytes:
        """Returns the content of the next value; raises ValueError if it has another tag, or is cut short."""
        length, start = self._data[1], 2
        if length >= _LONG_LENGTH:
            start += length - _LONG_LENGTH
            length = int.from_bytes(self._data[2:start], "big")
        content = self._data[start : start + length]
        if len(content) < length or tag not in (None, self._data[0]):
            raise ValueError("not what a certificate has here")
        self._data = self._data[start + length :]
        return content


def _time(tag: int, text: str) -> datetime | None:
    """Returns a time of a certificate, which is in UTC and to the second (RFC 5280, 4.1.2.5)."""
    if tag == _UTC_TIME:  # of the years 1950 to 2049
        text = ("20" if text < "50" else "19") + text
    elif tag != _GENERALIZED_TIME:
        return None
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
