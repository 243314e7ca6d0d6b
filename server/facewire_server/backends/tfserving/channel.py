"""One channel to all replicas of a servable; gRPC itself spreads calls, reconnects and retries."""

import ipaddress
import json
from typing import Final

from grpc import aio, ssl_channel_credentials

__all__ = ["channel", "target"]

_POLICY: Final = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [
                {"service": "tensorflow.serving.PredictionService"},
                {"service": "tensorflow.serving.ModelService"},
            ],
            # One retry, which round_robin gives to the next replica. A prediction changes nothing.
            "retryPolicy": {
                "maxAttempts": 2,
                "initialBackoff": "0.02s",
                "maxBackoff": "0.02s",
                "backoffMultiplier": 1,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ],
}

_OPTIONS: Final = (
    ("grpc.service_config", json.dumps(_POLICY)),
    # What TensorFlow Serving itself takes; gRPC's default is 4 MiB.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A call whose request does not fit is not retried; a canvas has at most 6 MiB.
    ("grpc.per_rpc_retry_buffer_size", 16 << 20),
    # A container that comes back is found soon: by default gRPC waits for up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
    # A replica that hangs keeps its connection open. Pings find it out while calls wait for it; a
    # ping of gRPC's own, which it sends instead where one is due, would be waited for for a minute.
    ("grpc.keepalive_time_ms", 2000),
    ("grpc.keepalive_timeout_ms", 3000),
    ("grpc.http2.ping_timeout_ms", 3000),
    # A new channel to the same replicas makes connections of its own: an old one's are waiting.
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)


def target(address: str, *, tls: bool = False) -> str:
    """An address of the settings as gRPC's name of a target.

    Args:
        address: "host:port", where the host may be a DNS name with several addresses, or
            several "ip:port" with commas between them.
        tls: whether certificates will be checked, which are made out to one name.

    Raises:
        ValueError: it is neither, or several addresses are to be checked.
    """
    parts = [part.strip() for part in address.split(",")]
    for part in parts:
        host, _, port = part.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
            raise ValueError(f"{part!r} is not host:port")
    if tls and len(parts) > 1:
        raise ValueError(
            "with TLS, several replicas need one DNS name, which their certificates have"
        )
    versions = {_ip_version(part) for part in parts}
    if versions in ({4}, {6}):
        return f"ipv{versions.pop()}:{','.join(parts)}"
    if len(parts) > 1:
        raise ValueError(
            "several addresses are IP addresses of one kind; for several hosts by name, give "
            "one DNS name that has all their addresses"
        )
    return f"dns:///{parts[0]}"


def channel(address: str, tls_ca: bytes) -> aio.Channel:
    """A channel to all replicas at an address; it connects with the first call.

    Args:
        address: as `target` takes it.
        tls_ca: PEM certificates that the replicas' certificates are checked with; b"" = no TLS.
    """
    if tls_ca:
        credentials = ssl_channel_credentials(root_certificates=tls_ca)
        return aio.secure_channel(target(address, tls=True), credentials, options=_OPTIONS)
    return aio.insecure_channel(target(address), options=_OPTIONS)


def _ip_version(part: str) -> int:
    try:
        return ipaddress.ip_address(part.rpartition(":")[0].strip("[]")).version
    except ValueError:  # a name
        return 0
