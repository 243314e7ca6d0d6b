"""gRPC's own limits of connections: pings, idle time, handshakes, streams and bytes."""

from typing import Final

from facewire_server.rpc.method_rules import MESSAGE_ROOM_BYTES
from facewire_server.streams.limits import ServingLimits

__all__ = ["PING_INTERVAL_MS", "channel_options"]

PING_INTERVAL_MS: Final = 10_000
"""Shortest time between pings of a client: cameras behind NAT must ping more often than gRPC's default of 5 minutes
allows. Chosen, not measured."""

_PING_SLACK_MS: Final = 1_000
"""By how much sooner a ping may arrive, because of the network's jitter. Chosen, not measured."""

_LOOKAHEAD_BYTES: Final = 1 << 20
"""Bytes that a client may send ahead of what is read, a stream or call. gRPC's own estimate grows it without an upper
bound that a server could plan with: 25 MB of raw 1080p frames lay in one stream's buffers. With this, none does; a frame of
up to 1 MiB still needs no further round trip."""

_KEEPALIVE_MS: Final = 30_000
_KEEPALIVE_TIMEOUT_MS: Final = 10_000
"""The server pings a silent client after 30 s and waits 10 s for the reply; gRPC's default is two hours.
Chosen, not measured."""

_HANDSHAKE_MS: Final = 10_000
"""Longest time from a connection's start to the end of its TLS and HTTP/2 handshakes; gRPC's default is two minutes.
Chosen, not measured."""

_IDLE_MS: Final = 300_000
"""A connection without a call is closed after this time; gRPC's clients then open another one with their next call.
Chosen, not measured."""

_STREAMS_BEYOND_CALLS: Final = 32
"""HTTP/2 streams of a connection beyond its calls: calls of health, and calls that are refused. A client waits for a
stream without a limit and without an error, so there are more streams than calls. Chosen, not measured."""

_IDENTITY_ONLY: Final = 1
"""The set of compressions with one element: none. Pictures are compressed already, and gRPC would decompress a
request before this server sees it: 16 kB can become 16 MiB."""


def channel_options(
    max_connections: int, most_calls: int, limits: ServingLimits, *, shares_port: bool = False
) -> list[tuple[str, int]]:
    """Returns the options of gRPC's server.

    Source: https://github.com/grpc/grpc/blob/v1.85.x/include/grpc/impl/channel_arg_names.h

    Args:
        max_connections: most connections.
        most_calls: open calls that any connection may have.
        limits: what a client may ask for.
        shares_port: with other processes.
    """
    max_streams = most_calls + _STREAMS_BEYOND_CALLS
    return [
        ("grpc.max_receive_message_length", limits.picture.max_frame_bytes + MESSAGE_ROOM_BYTES),
        ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_ONLY),
        # On by default, which lets a second server share the port instead of refusing it.
        ("grpc.so_reuseport", int(shares_port)),
        ("grpc.max_allowed_incoming_connections", max_connections),
        ("grpc.max_concurrent_streams", min(max_streams, 2**31 - 1)),
        ("grpc.server_handshake_timeout_ms", _HANDSHAKE_MS),
        ("grpc.max_connection_idle_ms", _IDLE_MS),
        ("grpc.http2.min_ping_interval_without_data_ms", PING_INTERVAL_MS - _PING_SLACK_MS),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", _LOOKAHEAD_BYTES),
        ("grpc.keepalive_time_ms", _KEEPALIVE_MS),
        ("grpc.keepalive_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
        # gRPC waits for the reply to a ping for this time, too, which is a minute by default.
        ("grpc.http2.ping_timeout_ms", _KEEPALIVE_TIMEOUT_MS),
    ]
