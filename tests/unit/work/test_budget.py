"""Pictures in work have together no more pixels than may be in memory."""

import asyncio

from facewire_server.work.budget import PixelBudget, PixelBudgets


class Pictures:
    """Pictures that are let in by a budget and leave when they are told to."""

    def __init__(self, budget: PixelBudget | PixelBudgets) -> None:
        self._budget = budget
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}
        self.inside: list[str] = []

    async def come(self, name: str, pixels: int) -> None:
        self._ends[name] = asyncio.Event()
        self._tasks[name] = asyncio.create_task(self._one(name, pixels))
        await self._settle()

    async def leave(self, name: str) -> None:
        self._ends[name].set()
        await self._settle()

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await self._settle()

    async def _one(self, name: str, pixels: int) -> None:
        async with self._budget.taken(pixels):
            self.inside.append(name)
            await self._ends[name].wait()
            self.inside.remove(name)

    async def _settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)


async def test_they_are_let_in_while_they_fit_and_in_order() -> None:
    pictures = Pictures(PixelBudget(100))
    await pictures.come("a", 40)
    await pictures.come("b", 40)
    await pictures.come("large", 60)
    await pictures.come("small", 1)
    assert pictures.inside == ["a", "b"], "who waits for much is not overtaken"
    await pictures.leave("a")
    assert pictures.inside == ["b", "large"]
    await pictures.leave("b")
    assert pictures.inside == ["large", "small"]


async def test_one_above_the_budget_is_alone() -> None:
    pictures = Pictures(PixelBudget(100))
    await pictures.come("a", 1)
    await pictures.come("huge", 10_000)
    assert pictures.inside == ["a"]
    await pictures.leave("a")
    assert pictures.inside == ["huge"]
    await pictures.come("b", 1)
    assert pictures.inside == ["huge"]
    await pictures.leave("huge")
    assert pictures.inside == ["b"]


async def test_one_that_gives_up_leaves_no_trace() -> None:
    pictures = Pictures(PixelBudget(100))
    await pictures.come("a", 100)
    await pictures.come("b", 100)
    await pictures.come("c", 100)
    await pictures.give_up("b")
    await pictures.leave("a")
    assert pictures.inside == ["c"]


async def test_small_pictures_never_wait_for_large_ones_nor_these_for_small_ones() -> None:
    pictures = Pictures(PixelBudgets(100, small_pixels=40))
    await pictures.come("large", 90)
    await pictures.come("next large", 90)
    await pictures.come("small", 40)
    await pictures.come("other small", 40)
    await pictures.come("third small", 40)
    assert pictures.inside == ["large", "small", "other small"]
    await pictures.leave("large")
    assert pictures.inside == ["small", "other small", "next large"]
    await pictures.leave("small")
    assert pictures.inside == ["other small", "next large", "third small"]


async def test_frames_of_usual_size_never_wait_for_the_largest_that_a_stream_may_send() -> None:
    largest = 4096 * 3072
    pictures = Pictures(PixelBudgets(50_000_000, small_pixels=largest))
    for number in range(4):
        await pictures.come(f"largest {number}", largest)
    assert "largest 3" not in pictures.inside
    await pictures.come("1080p", 1920 * 1080)
    await pictures.come("4 megapixels", 2688 * 1520)
    assert pictures.inside[-2:] == ["1080p", "4 megapixels"]
    await pictures.leave("largest 0")
    assert pictures.inside[-1] == "largest 3"
