"""Finds out what is wrong with a connection by making one, step by step: name, TCP, TLS, HTTP/2.

gRPC's own text is about the last of several addresses only, and does not distinguish a server that wants TLS from one that
closes every connection.
"""

import socket
import ssl
import threading
import time
from typing import Any, NamedTuple

from facewire._values.faults import ConnectionFault
from facewire._wire.address import Address
from facewire._wire.target import split_target
from facewire._wire.unreachable import Finding

__all__ = ["probed"]

_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""The preface of HTTP/2 with empty SETTINGS (RFC 9113, 3.4). A server of gRPC responds with its own SETTINGS."""

_SETTINGS = 4
"""The type of a frame of SETTINGS, its fourth byte (RFC 9113, 6.5)."""

_TLS_ALERT = 21
"""The first byte of an alert of TLS (RFC 8446, 5.1)."""

_EXPIRED_CODES = (9, 10)
"""OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED."""

_NAME_CODES = (62, 64)
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""


_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
)
"""OpenSSL's reasons, of several versions, for bytes that are not TLS."""


_CLOSED = Finding(ConnectionFault.CLOSED)

_NOT_CONNECTED = {ConnectionFault.REFUSED, ConnectionFault.NO_ROUTE, ConnectionFault.NO_RESPONSE}

_SHORTEST_S = 0.05
"""Seconds of one step, at least. Chosen, not measured: a server of the same network responds within."""

_MARGIN_S = 0.25
"""Seconds that the steps may take longer than their limits. Chosen, not measured."""

_LOOK_AGAIN_S = 0.1
"""Seconds between two looks whether the finding is still wanted. Chosen, not measured: Ctrl-C must end a command within a second."""

_SILENT = "it takes connections and sends nothing on them"


def probed(address: Address, limit_s: float, closed: threading.Event) -> Finding | None:
    """Returns what is wrong with a connection to the server; None if nothing is, or it took too long to find out.

    Args:
        address: the server, and how to connect.
        limit_s: seconds that it may take.
        closed: set when its finding is no longer wanted.
    """
    split = split_target(address.target)
    if split is None:
        return None
    found: list[Finding | None] = []
    ends_s = time.monotonic() + limit_s
    # In a thread: looking up a name has no limit of time.
    probing = threading.Thread(
        target=lambda: found.append(_probe(address, *split, ends_s)), daemon=True
    )
    probing.start()
    latest_s = ends_s + _MARGIN_S
    while probing.is_alive() and time.monotonic() < latest_s and not closed.is_set():
        probing.join(_LOOK_AGAIN_S)
    return found[0] if found else None


def _probe(address: Address, host: str, port: int, ends_s: float) -> Finding | None:
    try:
        places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:  # no host can have such a name: an empty label, or one that is too long
        return Finding(ConnectionFault.UNKNOWN_HOST)
    except OSError as error:
        return Finding(ConnectionFault.UNKNOWN_HOST, error.strerror or "")
    findings = []
    for number, (family, _, _, _, place) in enumerate(places):
        step_s = (ends_s - time.monotonic()) / (len(places) - number)
        finding = _probe_place(address, host, _Place(family, place, max(_SHORTEST_S, step_s)))
        if finding is None:
            return None
        findings.append(finding)
    # Of several addresses the one that was reached says most.
    return min(findings, key=lambda each: each.fault in _NOT_CONNECTED)


class _Place(NamedTuple):
    """One address of a host, and the seconds that each step may take."""

    family: int
    place: tuple[Any, ...]
    step_s: float

    def connected(self) -> socket.socket:
        connection = socket.socket(self.family, socket.SOCK_STREAM)
        connection.settimeout(self.step_s)
        try:
            connection.connect(self.place)
        except BaseException:
            connection.close()
            raise
        return connection


def _probe_place(address: Address, host: str, place: _Place) -> Finding | None:
    try:
        with place.connected() as plain:
            return (
                _probe_tls(address, host, plain, place)
                if address.tls
                else _probe_plain(plain, place)
            )
    except ConnectionRefusedError:
        return Finding(ConnectionFault.REFUSED)
    except TimeoutError:
        return Finding(ConnectionFault.NO_RESPONSE)
    except ConnectionError:
        return Finding(ConnectionFault.CLOSED)
    except OSError as error:
        return Finding(ConnectionFault.NO_ROUTE, error.strerror or "")


def _probe_plain(connection: socket.socket, place: _Place) -> Finding | None:
    finding = _heard(connection)
    if finding == _CLOSED and _handshake_fault(place, ssl.TLSVersion.MAXIMUM_SUPPORTED) is None:
        # Many servers of TLS close a connection without TLS without a word.
        return Finding(ConnectionFault.TLS_NEEDED)
    return finding


def _probe_tls(address: Address, host: str, plain: socket.socket, place: _Place) -> Finding | None:
    try:
        with _context(address).wrap_socket(plain, server_hostname=host) as connection:
            if connection.selected_alpn_protocol() != "h2":
                return Finding(ConnectionFault.NOT_GRPC)
            finding = _heard(connection)
    except ssl.SSLCertVerificationError as error:
        words = error.verify_message.replace("self-signed", "self signed")  # as gRPC writes it
        fault = _fault_of_certificate(error.verify_code)
        return Finding(fault, words if fault is ConnectionFault.UNTRUSTED else "")
    except ssl.SSLError as error:
        finding = _fault_of_handshake(error)
    if finding == _CLOSED and _handshake_fault(place, ssl.TLSVersion.TLSv1_2) is not None:
        # In TLS 1.3 the lack of a certificate shows after the handshake only, in 1.2 within it.
        finding = Finding(ConnectionFault.CLIENT_CERTIFICATE)
    is_shown = address.client_certificate is not None
    if is_shown and finding == Finding(ConnectionFault.CLIENT_CERTIFICATE):
        return Finding(ConnectionFault.CLIENT_CERTIFICATE, "it does not take the one that is shown")
    return finding


def _heard(connection: socket.socket) -> Finding | None:
    """Says hello, and returns what is wrong with what comes back."""
    try:
        connection.sendall(_HELLO)
        answer = connection.recv(len(b"HTTP/"))
    except TimeoutError:
        return Finding(ConnectionFault.NO_RESPONSE, _SILENT)
    except (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
        return _CLOSED
    if not answer:
        return _CLOSED
    if answer[0] == _TLS_ALERT:
        return Finding(ConnectionFault.TLS_NEEDED)
    return None if answer[3:4] == bytes([_SETTINGS]) else Finding(ConnectionFault.NOT_GRPC)


def _handshake_fault(place: _Place, most: ssl.TLSVersion) -> OSError | None:
    """Returns why a handshake fails that checks no certificate; None if it does not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent on it
    context.maximum_version = most
    context.set_alpn_protocols(["h2"])
    try:
        with place.connected() as plain, context.wrap_socket(plain):
            return None
    except OSError as error:
        return error


def _context(address: Address) -> ssl.SSLContext:
    roots = address.root_certificates
    context = ssl.create_default_context(cadata=roots.decode("ascii") if roots else None)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as gRPC does
    context.set_alpn_protocols(["h2"])
    if address.client_certificate is not None:
        address.client_certificate.load_into(context)
    return context


def _fault_of_certificate(code: int) -> ConnectionFault:
    if code in _EXPIRED_CODES:
        return ConnectionFault.EXPIRED
    return ConnectionFault.OTHER_NAME if code in _NAME_CODES else ConnectionFault.UNTRUSTED


def _fault_of_handshake(error: ssl.SSLError) -> Finding:
    reason = error.reason or ""
    if "CERTIFICATE_REQUIRED" in reason or "BAD_CERTIFICATE" in reason:
        return Finding(ConnectionFault.CLIENT_CERTIFICATE)
    if reason in _NOT_TLS:
        return Finding(ConnectionFault.TLS_NOT_SPOKEN)
    return Finding(ConnectionFault.CLOSED, reason)
