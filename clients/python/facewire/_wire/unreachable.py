"""The error of a server that is not reached: which fault the connection has, and what to do about it."""

from typing import NamedTuple

from facewire._values.enums import ErrorReason
from facewire._values.errors import DeadlineError, FacewireError, UnreachableError
from facewire._values.faults import ConnectionFault
from facewire._wire.address import Address
from facewire._wire.fault_texts import fault_of_text, http_status, is_not_made, words_of
from facewire._wire.forward_proxy import forward_proxy
from facewire._wire.target import split_target

__all__ = ["Finding", "is_unclear", "unreachable", "unreachable_from_text"]

_DETAILS = {
    ConnectionFault.UNKNOWN: "the server is not reached",
    ConnectionFault.UNKNOWN_HOST: "there is no host of this name",
    ConnectionFault.REFUSED: "the connection is refused, nothing listens on this port",
    ConnectionFault.NO_ROUTE: "there is no route to this host",
    ConnectionFault.NO_RESPONSE: "there is no response",
    ConnectionFault.CLOSED: "each connection is closed at once",
    ConnectionFault.TLS_NEEDED: "the server uses TLS, and this client does not",
    ConnectionFault.TLS_NOT_SPOKEN: "this client uses TLS, and the server does not",
    ConnectionFault.UNTRUSTED: "the server's certificate is not trusted",
    ConnectionFault.OTHER_NAME: "the server's certificate is for another name or address",
    ConnectionFault.EXPIRED: "the server's certificate is not valid now",
    ConnectionFault.CLIENT_CERTIFICATE: "the server wants a certificate of the client",
    ConnectionFault.NOT_GRPC: "what responds there is not a gRPC server",
    ConnectionFault.BEHIND_PROXY: "a proxy responds, and does not reach the server",
    ConnectionFault.FORWARD_PROXY: "the proxy of the environment does not reach the server",
    ConnectionFault.BROKEN: "the connection broke",
}

_ADVICE = {
    ConnectionFault.UNKNOWN: "Is a facewire server running there?",
    ConnectionFault.UNKNOWN_HOST: "Look into the address.",
    ConnectionFault.REFUSED: "Is the server running there, and is the port right?",
    ConnectionFault.NO_ROUTE: "Look into the address, and into the network.",
    ConnectionFault.NO_RESPONSE: "Is the address right, and does a firewall let it through?",
    ConnectionFault.CLOSED: "Is a facewire server running there, or a proxy without one behind it?",
    ConnectionFault.TLS_NEEDED: "Turn TLS on: root_certificates= with the path of a PEM file, or tls=True for the public roots.",
    ConnectionFault.TLS_NOT_SPOKEN: "Leave root_certificates= and tls= out, or turn TLS on at the server.",
    ConnectionFault.UNTRUSTED: "Name its PEM file, or that of its authority, with root_certificates=.",
    ConnectionFault.OTHER_NAME: "Use an address that the certificate names.",
    ConnectionFault.EXPIRED: "It must be renewed; or a clock is wrong.",
    ConnectionFault.CLIENT_CERTIFICATE: "Give client_certificate= and client_key=, signed by an authority that the server trusts.",
    ConnectionFault.NOT_GRPC: "Is the port right? A proxy before the server must pass HTTP/2 and gRPC on.",
    ConnectionFault.BEHIND_PROXY: "Is the server running behind it?",
    ConnectionFault.FORWARD_PROXY: "Name the host in the variable no_grpc_proxy, or unset that of the proxy.",
    ConnectionFault.BROKEN: "Try again: the server or a proxy ended it.",
}

_OF_MANY_ADDRESSES = {ConnectionFault.REFUSED, ConnectionFault.NO_ROUTE}
"""Faults of which gRPC's text is enough if the host is a number: a name may have several addresses, and the text is about the last."""

_TOO_LARGE = 413
"""The status of HTTP for a request that a proxy takes for too large: nginx, from 1 MB of a stream on, by default."""

_PASSING_HTTP = {408, 429, 500, 502, 503, 504}
"""Statuses of HTTP of a proxy that may have another one later."""


class Finding(NamedTuple):
    """What was found, and in which words a library said it, or ""."""

    fault: ConnectionFault
    words: str = ""


def unreachable_from_text(detail: str, *, target: str) -> UnreachableError:
    """Returns the error of a call that failed without a reason of facewire's, as far as gRPC's text says it."""
    status = http_status(detail)
    if status is not None:
        passes = status in _PASSING_HTTP
        fault = ConnectionFault.BEHIND_PROXY if passes else ConnectionFault.NOT_GRPC
        finding = Finding(fault, f"HTTP status {status}")
        if status != _TOO_LARGE:
            return unreachable(finding, target)
        return UnreachableError(
            f"{target}: a proxy limits the bytes of a request ({finding.words}).",
            advice="Raise that limit, which for nginx is client_max_body_size.",
            fault=ConnectionFault.BEHIND_PROXY,
            retryable=False,
        )
    if not is_not_made(detail):
        behind = "upstream" in detail  # Envoy's word for what is behind it
        fault = ConnectionFault.BEHIND_PROXY if behind else ConnectionFault.BROKEN
        return unreachable(Finding(fault, detail.rstrip(".")), target)
    split = split_target(target)
    proxy = forward_proxy(split[0]) if split else None
    if proxy is not None:
        cause = _DETAILS[fault_of_text(detail)].partition(",")[0]
        words = f"{proxy.address}, of the variable {proxy.variable}: {cause}"
        return unreachable(Finding(ConnectionFault.FORWARD_PROXY, words), target)
    return unreachable(Finding(fault_of_text(detail), words_of(detail)), target)


def is_unclear(problem: FacewireError, address: Address) -> bool:
    """Returns whether a probe may say more about an error than gRPC's text does."""
    if problem.reason is not ErrorReason.UNSPECIFIED:
        return False
    if isinstance(problem, DeadlineError):
        split = split_target(address.target)
        return split is not None and forward_proxy(split[0]) is None
    if not isinstance(problem, UnreachableError):
        return False
    if problem.fault in _OF_MANY_ADDRESSES:
        split = split_target(address.target)
        return split is not None and not _is_number(split[0])
    return problem.fault in (
        ConnectionFault.UNKNOWN,
        ConnectionFault.CLOSED,
        ConnectionFault.NO_RESPONSE,
    )


def _is_number(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


def unreachable(finding: Finding, target: str) -> UnreachableError:
    """Returns the error of a finding."""
    words = f" ({finding.words})" if finding.words else ""
    return UnreachableError(
        f"{target}: {_DETAILS[finding.fault]}{words}.",
        advice=_ADVICE[finding.fault],
        fault=finding.fault,
    )
