"""Who waits for a condition is woken, and leaves nothing behind."""

import asyncio

from facewire_server.work.condition import Condition


async def test_a_waiter_is_woken_by_the_notification_at_which_it_holds_and_by_none_before() -> None:
    condition, value = Condition(), 0
    turns: list[int] = []

    async def wait() -> None:
        await condition.until(lambda: value == 2)
        turns.append(value)

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    (waiter,) = condition._waiters
    value = 1
    condition.notify()
    await asyncio.sleep(0)
    assert list(condition._waiters) == [waiter], "it was woken in vain"
    value = 2
    condition.notify()
    async with asyncio.timeout(5):
        await waiting
    assert turns == [2]


async def test_what_holds_no_more_when_the_task_goes_on_is_waited_for_again() -> None:
    condition, is_open = Condition(), False
    waiting = asyncio.create_task(condition.until(lambda: is_open))
    await asyncio.sleep(0)
    is_open = True
    condition.notify()
    is_open = False  # another task was sooner
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    is_open = True
    condition.notify()
    async with asyncio.timeout(5):
        await waiting


async def test_a_wait_that_ended_or_was_cancelled_takes_no_memory() -> None:
    condition, open_ = Condition(), False
    waiting = [asyncio.create_task(condition.until(lambda: open_)) for _ in range(3)]
    await asyncio.sleep(0)
    assert len(condition._waiters) == 3
    waiting[0].cancel()
    await asyncio.gather(waiting[0], return_exceptions=True)
    assert len(condition._waiters) == 2
    open_ = True
    condition.notify()
    await asyncio.gather(*waiting[1:])
    assert not condition._waiters, "a stream waits thousands of times"
