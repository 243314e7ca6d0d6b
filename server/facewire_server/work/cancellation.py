"""A cancellation that must not come between a step and its outcome: it is put off, and comes at the next wait."""

import asyncio

__all__ = ["cancel_at_next_wait"]


def cancel_at_next_wait() -> None:
    """Has the next wait of the present task raise CancelledError, in place of the one that was caught.

    For a coroutine that returns an outcome although it was cancelled: what its caller does next without a wait is done, and then
    the caller ends. If the cancellation were dropped, the caller would go on, and whoever waits for its end would wait for ever.
    """
    task = asyncio.current_task()
    assert task is not None  # a coroutine that was cancelled runs in one
    task.cancel()  # a task that runs is cancelled at its next wait
    task.uncancel()  # it was counted when it came
