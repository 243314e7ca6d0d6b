"""What can be wrong with a connection."""

from enum import StrEnum

__all__ = ["ConnectionFault"]


class ConnectionFault(StrEnum):
    """Why a server was not reached, as far as that could be found out."""

    UNKNOWN = "UNKNOWN"
    UNKNOWN_HOST = "UNKNOWN_HOST"
    """The name has no address."""
    REFUSED = "REFUSED"
    """Nothing listens on the port."""
    NO_ROUTE = "NO_ROUTE"
    """The network has no way to the host."""
    NO_RESPONSE = "NO_RESPONSE"
    """Nothing came back: neither a connection nor, on one, a word."""
    CLOSED = "CLOSED"
    """Whatever listens there closes each connection."""
    TLS_NEEDED = "TLS_NEEDED"
    """The server uses TLS, the client does not."""
    TLS_NOT_SPOKEN = "TLS_NOT_SPOKEN"
    """The client uses TLS, the server does not."""
    UNTRUSTED = "UNTRUSTED"
    """The certificate is not signed by one that the client trusts."""
    OTHER_NAME = "OTHER_NAME"
    """The certificate is for other names and addresses than this one."""
    EXPIRED = "EXPIRED"
    """The certificate is not valid now."""
    CLIENT_CERTIFICATE = "CLIENT_CERTIFICATE"
    """The server wants a certificate of the client."""
    NOT_GRPC = "NOT_GRPC"
    """A server of another kind responds there: it speaks HTTP/1.1, or HTTP/2 without gRPC."""
    BEHIND_PROXY = "BEHIND_PROXY"
    """A proxy before the server responds, and does not reach it."""
    FORWARD_PROXY = "FORWARD_PROXY"
    """The proxy that the environment names for connections of this process does not reach it."""
    BROKEN = "BROKEN"
    """The connection was there, and broke."""

    @property
    def passes(self) -> bool:
        """Whether it may pass by itself; the others need another address, certificate or setting."""
        return self not in _LASTING


_LASTING = {
    ConnectionFault.TLS_NEEDED,
    ConnectionFault.TLS_NOT_SPOKEN,
    ConnectionFault.UNTRUSTED,
    ConnectionFault.OTHER_NAME,
    ConnectionFault.EXPIRED,
    ConnectionFault.CLIENT_CERTIFICATE,
    ConnectionFault.NOT_GRPC,
}
