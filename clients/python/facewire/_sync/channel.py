"""Blocking channels of gRPC to a server."""

import grpc

from facewire._wire.address import CHANNEL_OPTIONS, Address

__all__ = ["connect"]


def connect(address: Address) -> grpc.Channel:
    """Makes a channel with its own connection, which opens with the first call."""
    credentials = address.credentials()
    if credentials is None:
        return grpc.insecure_channel(address.target, options=CHANNEL_OPTIONS)
    return grpc.secure_channel(address.target, credentials, options=CHANNEL_OPTIONS)
