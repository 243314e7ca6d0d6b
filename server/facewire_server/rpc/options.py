"""Options of the gRPC server: its address and credentials, and the defaults of requests."""

from dataclasses import dataclass, field

from facewire_server.access.tokens import Token
from facewire_server.rpc.forwarded import TrustedProxies
from facewire_server.types import DecisionPolicy, DetectionOptions

__all__ = ["RequestDefaults", "ServerOptions"]


@dataclass(frozen=True, slots=True)
class RequestDefaults:
    """Options of a request that leaves them unset, and the most faces that it may ask for.

    Attributes:
        decision: when a face counts as recognized.
        picture: what counts as a face in a single picture; its `max_faces` is the upper bound.
        stream: the same in a stream.
    """

    decision: DecisionPolicy
    picture: DetectionOptions
    stream: DetectionOptions


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Address, credentials and limit of calls.

    Attributes:
        address: "host:port"; port 0 = any free one.
        tokens: of which clients must send one as `authorization: Bearer ...`; None = nothing is asked for.
        tls_certificate_chain: PEM; b"" = no TLS.
        tls_private_key: PEM.
        tls_client_authorities: PEM of those who sign clients' certificates, which are asked for then; b"" = not.
        max_calls: most calls in progress, streams included and health not; more are refused.
        max_connections: most connections; more are closed at once.
        trusted_proxies: name their clients.
        shares_port: with other processes of this user; else it is refused if another has it.
    """

    address: str
    tokens: tuple[Token, ...] | None = None
    tls_certificate_chain: bytes = b""
    tls_private_key: bytes = b""
    tls_client_authorities: bytes = b""
    max_calls: int = 128
    max_connections: int = 1000
    trusted_proxies: TrustedProxies = field(default_factory=TrustedProxies)
    shares_port: bool = False
