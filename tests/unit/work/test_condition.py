"""Who waits for a condition is woken, and leaves nothing behind."""

import asyncio

from facewire_server.work.condition import Condition


async def test_a_waiter_looks_again_at_each_notification() -> None:
    condition = Condition()
    seen: list[int] = []

    def holds() -> bool:
        seen.append(len(seen))
        return len(seen) == 3

    waiting = asyncio.create_task(condition.until(holds))
    for looks in (1, 2):
        await asyncio.sleep(0)
        assert len(seen) == looks
        assert not waiting.done()
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
