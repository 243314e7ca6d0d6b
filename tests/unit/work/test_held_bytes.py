"""Streams stop reading while the bytes are used up, each may hold one frame, and calls beyond are refused."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facewire_server.errors import TooManyCalls
from facewire_server.work.held_bytes import ByteBudget, ByteStatistics, Holder


def may_read(holder: Holder) -> bool:
    return holder._has_room()


def test_a_stream_below_its_share_reads_on_though_another_uses_up_the_budget() -> None:
    budget = ByteBudget(100)
    flooding, modest = Holder(budget), Holder(budget)
    with flooding, modest:
        flooding.take(200)
        assert not may_read(flooding)
        assert may_read(modest)
        modest.take(49)
        assert may_read(modest)
        modest.take(1)
        assert not may_read(modest)
        flooding.give_back(200)
        assert may_read(flooding)
        assert may_read(modest)


async def test_a_stream_waits_until_another_gives_back() -> None:
    budget = ByteBudget(100)
    one, other = Holder(budget), Holder(budget)
    with one, other:
        one.take(60)
        other.take(60)
        waiting = asyncio.ensure_future(one.until_room())
        await asyncio.sleep(0)
        assert not waiting.done()
        other.give_back(60)
        await asyncio.wait_for(waiting, 5)


def test_what_a_stream_holds_at_its_end_is_given_back() -> None:
    budget = ByteBudget(100)
    holder = Holder(budget)
    with holder:
        holder.take(70)
    assert budget.statistics() == ByteStatistics(100, 0)


def test_calls_beyond_the_budget_are_refused_and_one_always_finds_room() -> None:
    budget = ByteBudget(100)
    with budget.held(60):
        with pytest.raises(TooManyCalls), budget.held(41):
            pass
        with budget.held(40):
            assert budget.statistics().held_bytes == 100
    with budget.held(1000):
        pass
    assert budget.statistics().held_bytes == 0


@given(st.lists(st.lists(st.integers(0, 100), max_size=30), min_size=1, max_size=8))
@settings(max_examples=100)
def test_all_together_hold_at_most_the_budget_and_a_frame_each(frames: list[list[int]]) -> None:
    """Streams that read whenever they may, and of which none is ever answered."""
    budget = ByteBudget(150)
    holders = [Holder(budget) for _ in frames]
    for holder in holders:
        holder.__enter__()
    largest = max((size for each in frames for size in each), default=0)
    for step in range(30):
        for holder, sizes in zip(holders, frames, strict=True):
            if step < len(sizes) and may_read(holder):
                holder.take(sizes[step])
    assert budget.statistics().held_bytes <= 150 + len(frames) * largest
