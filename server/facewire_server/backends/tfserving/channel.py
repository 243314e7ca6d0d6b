"""One channel to all replicas of a servable; gRPC itself spreads calls, reconnects and retries."""

import json
from typing import Final

from grpc import aio, ssl_channel_credentials

__all__ = ["channel"]

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
    # gRPC's default is 4 MiB. An answer is smaller than these 16, whatever model gives it.
    ("grpc.max_receive_message_length", 16 << 20),
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


def channel(target: str, tls_ca: bytes) -> aio.Channel:
    """A channel to all replicas of a target; it connects with the first call.

    Args:
        target: as `Replicas.target` gives it.
        tls_ca: PEM certificates that the replicas' certificates are checked with; b"" = no TLS.
    """
    if tls_ca:
        credentials = ssl_channel_credentials(root_certificates=tls_ca)
        return aio.secure_channel(target, credentials, options=_OPTIONS)
    return aio.insecure_channel(target, options=_OPTIONS)
