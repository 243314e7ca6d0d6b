"""Cancellation that came during a write, which a storage completes once it has begun."""

import asyncio

__all__ = ["heed_cancellation"]


def heed_cancellation() -> None:
    """Ends a task that was cancelled during a write, which is waited for once it has begun, and takes the cancellation.

    Without this the task would go on, and whoever waits for its end would wait for ever.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
