"""Distinguishes the two meanings of CancelledError: the call was cancelled, or the task that waits for it."""

import asyncio

__all__ = ["is_task_cancelled"]


def is_task_cancelled() -> bool:
    """Returns whether the running task is to end: whoever takes its CancelledError for a call's must not swallow it."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
