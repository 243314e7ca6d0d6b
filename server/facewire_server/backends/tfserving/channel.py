"""The channel to one replica: gRPC connects again by itself; which replica is called, and again, is not its part."""

from typing import Final

from grpc import aio, ssl_channel_credentials

__all__ = ["channel"]

_SERVICE_CONFIG: Final = '{"loadBalancingConfig": [{"round_robin": {}}]}'
"""gRPC's service config (https://github.com/grpc/grpc/blob/master/doc/service_config.md). With the default, `pick_first`, a
channel whose connection is lost waits for a call before it connects again."""

_OPTIONS: Final = (
    ("grpc.service_config", _SERVICE_CONFIG),
    # gRPC's default is 4 MiB; the longest outputs (`signature.MOST_ROWS`) are far below 16 MiB.
    ("grpc.max_receive_message_length", 16 << 20),
    ("grpc.max_send_message_length", -1),
    # A container that comes back is found within a second or two: by default gRPC waits for up to two
    # minutes before it connects again.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A replica that hangs keeps its connection open; pings find that out while calls wait for it. gRPC
    # may wait by its ping timeout instead, a minute by default: https://github.com/grpc/grpc/pull/39239
    # A model server would end the connection (too_many_pings) after a few pings without any data of its own between
    # them. It does not come to that: a channel sends two, and further ones only after it sent data, which the server
    # acknowledges, or a minute apart. Tried with a server whose calls hang.
    # https://github.com/grpc/grpc/blob/master/doc/keepalive.md
    ("grpc.keepalive_time_ms", 2000),
    ("grpc.keepalive_timeout_ms", 3000),
    ("grpc.http2.ping_timeout_ms", 3000),
    # Connections that other channels to the address share would wait as theirs do.
    # https://github.com/grpc/grpc/issues/17282
    ("grpc.use_local_subchannel_pool", 1),
    # Model servers are reached directly: the proxy that a variable `http_proxy` names leads out of their network.
    ("grpc.enable_http_proxy", 0),
)
"""Channel options. The times are chosen, not measured: within a few seconds a failed replica is noticed, and one that
comes back is used."""


def channel(address: str, name: str, tls_ca: bytes) -> aio.Channel:
    """Makes a channel to one replica; it connects when it is first asked for its state, or at the first call.

    Args:
        address: IP address and port, "10.0.0.5:8500" or "[fd00::5]:8500".
        name: the host that its certificate must be made out to: a DNS name or the IP address.
        tls_ca: PEM certificates that its certificate is checked with; b"" = no TLS.
    """
    target = f"{'ipv6' if address.startswith('[') else 'ipv4'}:{address}"
    if not tls_ca:
        return aio.insecure_channel(target, options=_OPTIONS)
    credentials = ssl_channel_credentials(root_certificates=tls_ca)
    by_name = (("grpc.ssl_target_name_override", name),)
    return aio.secure_channel(target, credentials, options=(*_OPTIONS, *by_name))
