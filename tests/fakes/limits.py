"""Serving limits of tests: fixed, whatever the settings' defaults are."""

from facewire_server.streams.limits import ServingLimits
from facewire_server.types import PictureLimits

__all__ = ["serving_limits"]


def serving_limits(picture: PictureLimits) -> ServingLimits:
    """Returns limits with these of a picture; `dataclasses.replace` changes others."""
    return ServingLimits(
        picture,
        max_stream_pixels=picture.max_pixels,
        max_in_flight=4,
        slow_reader_timeout_s=30.0,
        max_streams=64,
        reconnect_spread_ms=0,
    )
