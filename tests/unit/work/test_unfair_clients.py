"""No client gets more turns, or the kept slot, by what it sends or by how many streams it opens one after the other."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.turns import Simulation

COSTS_S = st.floats(0.01, 1.0)


@given(COSTS_S, st.lists(COSTS_S, min_size=2, max_size=6))
@settings(max_examples=25)
def test_a_new_stream_for_each_picture_does_not_pay(cost_s: float, costs_s: list[float]) -> None:
    async def play() -> None:
        simulation = Simulation(1)
        for index, each_s in enumerate(costs_s):
            simulation.add(f"stream {index}", each_s, waiting=2)
        simulation.add_a_stream_for_each_picture("many streams", cost_s)
        await simulation.run(60.0)
        least_s = min(simulation.work_s[f"stream {index}"] for index in range(len(costs_s)))
        assert simulation.work_s["many streams"] <= least_s + 3 * max(cost_s, *costs_s)
        await simulation.end()

    asyncio.run(play())


async def test_costly_streams_leave_a_slot_to_usual_frames() -> None:
    simulation = Simulation(3)
    simulation.add("usual", 0.05, waiting=2)
    for index in range(5):
        simulation.add(f"costly {index}", 5.0, waiting=2)
    await simulation.run(100.0)
    del simulation.turns[:]
    began_s = simulation.now_s
    await simulation.run(began_s + 5.0)
    # One slot is free of costly pictures all the time, which is 100 turns of the usual ones.
    assert simulation.turns.count("usual") >= 90
    await simulation.end()


async def test_costly_streams_that_were_there_first_leave_a_slot_to_a_camera() -> None:
    """A camera that pauses has fewer turns than they, so that the mean of all turns is near theirs."""
    simulation = Simulation(3)
    for index in range(4):
        simulation.add(f"costly {index}", 0.4, waiting=1)
    await simulation.run(20.0)
    simulation.add("usual", 0.04, waiting=1, pause_s=0.03)
    await simulation.run(25.0)
    del simulation.turns[:]
    began_s = simulation.now_s
    await simulation.run(began_s + 7.0)
    assert simulation.turns.count("usual") >= 90  # of 100
    await simulation.end()


@pytest.mark.parametrize("broken_s", [0.0, 0.0005, 0.002])
@pytest.mark.parametrize(("cameras", "count"), [(2, 3), (6, 3), (4, 5)])
def test_frames_of_nearly_no_work_make_no_camera_costly(
    broken_s: float, cameras: int, count: int
) -> None:
    async def play() -> None:
        simulation = Simulation(count)
        simulation.add("broken", broken_s, waiting=1, pause_s=0.002)
        await simulation.run(1.0)
        for index in range(cameras):
            simulation.add(f"camera {index}", 0.06, waiting=count)
        await simulation.run(3.0)
        before_s = sum(simulation.work_s.values())
        await simulation.run(6.0)
        # The broken one holds a slot half of the time. If they were costly, they would leave one free all the time.
        assert sum(simulation.work_s.values()) - before_s > 3.0 * (count - 0.75)
        await simulation.end()

    asyncio.run(play())


@pytest.mark.parametrize("empty_s", [0.0, 0.0005, 0.005])
@pytest.mark.parametrize("empty_frames", [1, 5, 30])
def test_a_costly_stream_with_empty_frames_between_is_still_costly(
    empty_s: float, empty_frames: int
) -> None:
    async def play() -> None:
        simulation = Simulation(3)
        simulation.add("usual", 0.05, waiting=2)
        for index in range(3):
            between_s = (empty_s,) * empty_frames
            simulation.add(f"costly {index}", 5.0, waiting=2, then_s=between_s)
        await simulation.run(50.0)
        del simulation.turns[:]
        began_s = simulation.now_s
        await simulation.run(began_s + 20.0)
        # One slot is free of costly pictures all the time, which is 400 turns of the usual ones.
        assert simulation.turns.count("usual") >= 360
        await simulation.end()

    asyncio.run(play())
