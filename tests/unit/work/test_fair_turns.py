"""Among flows that wait, each gets its share of the work, whatever its pictures cost; and none waits forever."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facewire_server.work.slots import Flow, WorkSlots
from facewire_server.work.spent import spend

CALLS = "calls"
COSTS_S = st.floats(0.01, 1.0)
fair = settings(max_examples=25, deadline=None)


class Simulation:
    """Flows that always have pictures waiting, before a real `WorkSlots`, in a time of the test's own.

    Attributes:
        slots: what is tried.
        now_s: the clock.
        work_s: seconds of finished work, by flow.
        turns: flows in the order in which their pictures began.
    """

    def __init__(self, count: int) -> None:
        self.now_s = 0.0
        self.slots = WorkSlots(count)
        self.work_s: defaultdict[str, float] = defaultdict(float)
        self.turns: list[str] = []
        self._events: dict[asyncio.Event, float] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def add(
        self,
        name: str,
        cost_s: float,
        waiting: int,
        *,
        then_s: tuple[float, ...] = (),
        pause_s: float = 0.0,
    ) -> None:
        """Adds a flow of whose pictures so many wait at any time, each `pause_s` after the one before.

        They take `cost_s`, then each of `then_s`, and so on.
        """
        flow = None if name == CALLS else Flow()
        costs_s = itertools.cycle((cost_s, *then_s))
        for _ in range(waiting):
            pictures = self._pictures(name, flow, costs_s, pause_s)
            self._tasks.append(asyncio.create_task(pictures))

    async def run(self, until_s: float) -> None:
        """Goes from the end of one picture to the next."""
        await self._settle()
        while self._events and self.now_s < until_s:
            passed, self.now_s = min(self._events.items(), key=lambda item: item[1])
            del self._events[passed]
            passed.set()
            await self._settle()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _pictures(
        self, name: str, flow: Flow | None, costs_s: Iterator[float], pause_s: float
    ) -> None:
        while True:
            async with self.slots.slot(flow):
                self.turns.append(name)
                cost_s = next(costs_s)
                await self._pass(max(0.001, cost_s))
                spend(cost_s)
                self.work_s[name] += cost_s
            if pause_s:
                await self._pass(pause_s)

    async def _pass(self, seconds: float) -> None:
        passed = asyncio.Event()
        self._events[passed] = self.now_s + seconds
        await passed.wait()

    async def _settle(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)


def simulated(play: Coroutine[Any, Any, None]) -> None:
    asyncio.run(play)


@given(st.lists(COSTS_S, min_size=2, max_size=6))
@fair
def test_streams_get_the_same_work_done_whatever_a_picture_costs(costs_s: list[float]) -> None:
    async def play() -> None:
        simulation = Simulation(1)
        for index, cost_s in enumerate(costs_s):
            simulation.add(f"stream {index}", cost_s, waiting=2)
        await simulation.run(30.0)
        shares_s = [simulation.work_s[f"stream {index}"] for index in range(len(costs_s))]
        # The bound of Goyal et al. for two flows is the sum of their longest turns. The first turn of each is paid
        # with the mean of the others, so one more is allowed.
        assert max(shares_s) - min(shares_s) <= 3 * max(costs_s)
        await simulation.end()

    simulated(play())


@given(st.integers(1, 6), COSTS_S, COSTS_S)
@fair
def test_calls_get_a_quarter_however_many_there_are(
    streams: int, frame_s: float, call_s: float
) -> None:
    async def play() -> None:
        simulation = Simulation(1)
        for index in range(streams):
            simulation.add(f"stream {index}", frame_s, waiting=2)
        simulation.add(CALLS, call_s, waiting=40)
        await simulation.run(30.0)
        weight = streams / 3  # a quarter for the calls, three for the streams
        by_weight_s = simulation.work_s[CALLS] / weight
        most_s = max(frame_s, call_s, call_s / weight)
        for index in range(streams):
            assert abs(by_weight_s - simulation.work_s[f"stream {index}"]) <= 3 * most_s
        await simulation.end()

    simulated(play())


@given(st.integers(1, 5), st.lists(COSTS_S, min_size=2, max_size=6))
@fair
def test_no_flow_starves_and_the_cheapest_has_its_share(count: int, costs_s: list[float]) -> None:
    async def play() -> None:
        simulation = Simulation(count)
        for index, cost_s in enumerate(costs_s):
            simulation.add(f"stream {index}", cost_s, waiting=count + 1)
        simulation.add(CALLS, 0.5, waiting=20)
        await simulation.run(30.0)
        assert set(simulation.turns[len(simulation.turns) // 2 :]) == set(simulation.turns)
        cheapest = f"stream {costs_s.index(min(costs_s))}"
        share = 0.75 / len(costs_s)
        total_s = sum(simulation.work_s.values())
        assert simulation.work_s[cheapest] >= share * total_s - 3 * count * max(costs_s)
        await simulation.end()

    simulated(play())


@given(st.integers(1, 5), st.booleans())
@fair
def test_a_flow_alone_has_all_turns(count: int, is_stream: bool) -> None:
    async def play() -> None:
        simulation = Simulation(count)
        simulation.add("stream" if is_stream else CALLS, 1.0, waiting=40)
        await simulation.run(10.0)
        kept = 0 if is_stream or count == 1 else 1  # for a frame that may come
        assert simulation.slots.statistics().in_use == count - kept
        await simulation.end()

    simulated(play())


async def test_beside_frames_in_work_calls_hold_their_share_of_the_slots() -> None:
    simulation = Simulation(8)
    simulation.add("camera", 1.0, waiting=2)
    simulation.add(CALLS, 1.0, waiting=40)
    await simulation.run(10.0)
    assert simulation.slots.statistics().in_use == 2 + 2
    await simulation.end()


async def test_a_flow_that_comes_back_has_no_credit() -> None:
    simulation = Simulation(1)
    simulation.add("always", 1.0, waiting=2)
    await simulation.run(1000.0)
    simulation.add("back", 1.0, waiting=2)
    del simulation.turns[:]
    await simulation.run(1020.0)
    assert abs(simulation.turns.count("back") - simulation.turns.count("always")) <= 1
    await simulation.end()


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

    simulated(play())


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

    simulated(play())


@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from(["ask", "cancel", "end"]), st.integers(0, 9)), max_size=60),
)
@fair
def test_no_slot_is_lost_whoever_gives_up(count: int, moves: list[tuple[str, int]]) -> None:
    async def play() -> None:
        slots = WorkSlots(count)
        flows: list[Flow | None] = [None, Flow(), Flow()]
        tasks: list[asyncio.Task[None]] = []
        ends: list[asyncio.Event] = []

        async def picture(flow: Flow | None, end: asyncio.Event) -> None:
            async with slots.slot(flow):
                await end.wait()

        for move, which in moves:
            if move == "ask":
                ends.append(asyncio.Event())
                tasks.append(asyncio.create_task(picture(flows[which % 3], ends[-1])))
            elif tasks and move == "cancel":
                tasks[which % len(tasks)].cancel()
            elif tasks:
                ends[which % len(tasks)].set()
            if which % 2:  # else the next move comes before the tasks have run
                await asyncio.sleep(0)
            assert slots.statistics().in_use <= count
        for end in ends:
            end.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert slots.statistics().in_use == slots.statistics().waiting_streams == 0
        stream = Flow()
        async with asyncio.timeout(5):
            async with slots.slot(stream):
                pass  # from now on it is known, and of usual cost
            async with asyncio.TaskGroup() as group:
                inside = asyncio.Barrier(count)
                for _ in range(count):
                    group.create_task(_meet(slots, stream, inside))

    simulated(play())


async def _meet(slots: WorkSlots, flow: Flow, inside: asyncio.Barrier) -> None:
    async with slots.slot(flow):
        await inside.wait()
