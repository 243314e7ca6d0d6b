"""A connection to the broker that is made again whenever it breaks."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

import aiomqtt

from facewire._mqtt.broker import RefusedError, is_refusal
from facewire._mqtt.together import heed_cancellation
from facewire._wire.backoff import Backoff

__all__ = ["keep_connected"]

_LASTING_S = 30.0
"""Seconds after which a connection counts as one that lasts: the longest pause. Pauses get longer before a broker that takes each connection and drops it."""


async def keep_connected(
    connect: Callable[[], aiomqtt.Client],
    use: Callable[[aiomqtt.Client], Awaitable[None]],
    report: Callable[[str], object],
) -> NoReturn:
    """Connects, and calls `use` with each connection, until it is cancelled.

    Pauses begin short again after a connection that lasted. What is wrong at the first connection is raised; later it is waited for: passwords and certificates are changed.

    Args:
        connect: returns a client for one connection.
        use: runs until the connection breaks.
        report: is called with the reason of each pause, in words.

    Raises:
        RefusedError: the broker refuses the user.
        OSError: a file of the broker's options cannot be read.
        ValueError: as of `Broker.client`.
    """
    backoff = Backoff()
    was_connected = False
    while True:
        trouble: Exception
        connected_s = math.inf
        try:
            client = connect()
        except (OSError, ValueError) as error:
            if not was_connected:
                raise
            trouble = error
        else:
            try:
                async with client as mqtt:
                    heed_cancellation()
                    was_connected = True
                    connected_s = time.monotonic()
                    await use(mqtt)
                trouble = aiomqtt.MqttError("the connection has ended")
            except aiomqtt.MqttError as error:
                if is_refusal(error) and not was_connected:
                    raise RefusedError(f"the broker refuses the user: {error}") from error
                trouble = error
        if time.monotonic() - connected_s >= _LASTING_S:
            backoff.reset()
        pause_s = backoff.next_s()
        report(f"the broker is lost ({trouble}). Trying again in {pause_s:.1f} s.")
        await asyncio.sleep(pause_s)
