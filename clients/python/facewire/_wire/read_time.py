"""Reads the contract's times of day."""

from datetime import UTC, datetime, timedelta

__all__ = ["read_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""The contract's times of day are microseconds since then."""


def read_time(since_epoch_us: int) -> datetime:
    # Not fromtimestamp: a float of seconds loses microseconds.
    return _EPOCH + timedelta(microseconds=since_epoch_us)
