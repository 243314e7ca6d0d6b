"""One channel to all replicas of a servable: gRPC resolves names, balances, reconnects and retries."""

import json
from typing import Final

from grpc import aio, ssl_channel_credentials

__all__ = ["channel"]

_SERVICE_CONFIG: Final = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [
        {
            "name": [
                {"service": "tensorflow.serving.PredictionService"},
                {"service": "tensorflow.serving.ModelService"},
            ],
            # One retry, which round_robin sends to the next replica. A prediction changes nothing.
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
"""gRPC's service config (https://github.com/grpc/grpc/blob/master/doc/service_config.md). The pause before the retry
is chosen, not measured."""

_OPTIONS: Final = (
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
    # gRPC's default is 4 MiB; the longest outputs (`signature.MOST_ROWS`) are far below 16 MiB.
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", -1),
    # gRPC does not retry a call whose request exceeds this buffer; a canvas has at most 6 MiB.
    ("grpc.per_rpc_retry_buffer_size", 16 << 20),
    # A container that comes back is found within a second or two: by default gRPC waits for up to two
    # minutes before it connects again, and for 30 s before it resolves the name again.
    # https://github.com/grpc/grpc/issues/12295
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.dns_min_time_between_resolutions_ms", 1000),
    # A replica that hangs keeps its connection open; pings find that out while calls wait for it. gRPC
    # may wait by its ping timeout instead, a minute by default: https://github.com/grpc/grpc/pull/39239
    # A model server would end the connection (too_many_pings) after a few pings without any data of its own between
    # them. It does not come to that: a channel sends two, and further ones only after it sent data, which the server
    # acknowledges, or a minute apart. Tried with a server whose calls hang.
    # https://github.com/grpc/grpc/blob/master/doc/keepalive.md
    ("grpc.keepalive_time_ms", 2000),
    ("grpc.keepalive_timeout_ms", 3000),
    ("grpc.http2.ping_timeout_ms", 3000),
    # A new channel opens new connections; shared ones would wait as the old channel's do.
    # https://github.com/grpc/grpc/issues/17282
    ("grpc.use_local_subchannel_pool", 1),
    # Model servers are reached directly: the proxy that a variable `http_proxy` names leads out of their network.
    ("grpc.enable_http_proxy", 0),
)
"""Channel options. The times are chosen, not measured: within a few seconds a failed replica is noticed, and one that
comes back is used."""


def channel(target: str, tls_ca: bytes) -> aio.Channel:
    """Makes a channel to all replicas of a target; it connects at the first call.

    Args:
        target: a `Target.name`.
        tls_ca: PEM certificates that the replicas' certificates are checked with; b"" = no TLS.
    """
    if tls_ca:
        credentials = ssl_channel_credentials(root_certificates=tls_ca)
        return aio.secure_channel(target, credentials, options=_OPTIONS)
    return aio.insecure_channel(target, options=_OPTIONS)
