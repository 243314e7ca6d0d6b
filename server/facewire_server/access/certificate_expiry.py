"""When a certificate expires, of which gRPC has checked the signature and gives no more than the text."""

from datetime import datetime

from cryptography import x509

__all__ = ["expiry_of"]


def expiry_of(pem: bytes) -> datetime | None:
    """Returns the end of a certificate's validity, in UTC; None if it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(pem).not_valid_after_utc
    except (ValueError, x509.InvalidVersion):
        return None
