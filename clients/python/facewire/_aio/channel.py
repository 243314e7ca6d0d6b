"""Channels of grpc.aio to a server."""

from grpc import aio

from facewire._wire.address import CHANNEL_OPTIONS, Address

__all__ = ["connect"]


def connect(address: Address) -> aio.Channel:
    """Makes a channel, as `facewire._sync.channel.connect` does; to be called in the event loop that will use it."""
    credentials = address.credentials()
    if credentials is None:
        return aio.insecure_channel(address.target, options=CHANNEL_OPTIONS)
    return aio.secure_channel(address.target, credentials, options=CHANNEL_OPTIONS)
