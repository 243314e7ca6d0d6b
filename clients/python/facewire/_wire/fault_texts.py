"""Finds the fault of a connection in gRPC's text, of grpcio 1.74 to 1.85."""

import re

from facewire._values.faults import ConnectionFault

__all__ = ["fault_of_text", "http_status", "is_not_made", "words_of"]

_NOT_MADE = ("failed to connect to all addresses", "errors resolving", "DNS resolution failed")
"""How gRPC's texts begin if there was no connection at all."""

_BY_TEXT: tuple[tuple[str, ConnectionFault], ...] = (
    ("errors resolving", ConnectionFault.UNKNOWN_HOST),
    ("DNS resolution failed", ConnectionFault.UNKNOWN_HOST),
    ("certificate has expired", ConnectionFault.EXPIRED),
    ("certificate is not yet valid", ConnectionFault.EXPIRED),
    ("CERTIFICATE_VERIFY_FAILED", ConnectionFault.UNTRUSTED),
    ("Hostname Verification Check failed", ConnectionFault.OTHER_NAME),
    ("is not in peer certificate", ConnectionFault.OTHER_NAME),
    ("CERTIFICATE_REQUIRED", ConnectionFault.CLIENT_CERTIFICATE),
    ("WRONG_VERSION_NUMBER", ConnectionFault.TLS_NOT_SPOKEN),
    ("missing selected ALPN", ConnectionFault.NOT_GRPC),
    ("http1.x server", ConnectionFault.NOT_GRPC),
    ("Connection refused", ConnectionFault.REFUSED),
    ("is unreachable", ConnectionFault.NO_ROUTE),
    ("No route to host", ConnectionFault.NO_ROUTE),
    ("timed out", ConnectionFault.NO_RESPONSE),
    ("Socket closed", ConnectionFault.CLOSED),
    ("Connection reset", ConnectionFault.CLOSED),
)
"""Parts of texts, and what they say; the first that is found counts."""

_SAID_BY_THE_FAULT = {
    ConnectionFault.UNKNOWN_HOST,
    ConnectionFault.REFUSED,
    ConnectionFault.CLOSED,
    ConnectionFault.OTHER_NAME,
    ConnectionFault.TLS_NOT_SPOKEN,
    ConnectionFault.NOT_GRPC,
    ConnectionFault.NO_RESPONSE,
}
"""Faults to which gRPC's own words add nothing."""


def is_not_made(detail: str) -> bool:
    """Returns whether gRPC says that no connection was made: one that was there and broke has another text."""
    return detail.startswith(_NOT_MADE)


def fault_of_text(detail: str) -> ConnectionFault:
    """Returns what gRPC's text says of a connection that was not made. Of several addresses it is about the last."""
    return next((fault for text, fault in _BY_TEXT if text in detail), ConnectionFault.UNKNOWN)


def words_of(detail: str) -> str:
    """Returns the words of gRPC's text that add something to the fault, or ""."""
    fault = fault_of_text(detail)
    if fault is ConnectionFault.UNTRUSTED:
        # "...CERTIFICATE_VERIFY_FAILED: self signed certificate: OK"
        return detail.partition("CERTIFICATE_VERIFY_FAILED: ")[2].partition(":")[0]
    if fault is ConnectionFault.EXPIRED:
        return "it has expired" if "expired" in detail else "it is not yet valid"
    if fault in _SAID_BY_THE_FAULT:
        return ""
    # gRPC lists everything that led to the cause, which comes last: "...: Socket closed".
    return detail.rpartition(": ")[2].rstrip(".")


def http_status(detail: str) -> int | None:
    """Returns the status of HTTP that came in the place of gRPC's; None if there was none."""
    found = re.search(r"http2 header with status: (\d+)", detail)
    return int(found[1]) if found else None
