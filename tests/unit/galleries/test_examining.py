"""Galleries are examined one at a time, none that is too large, and not for a caller who has left."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from facewire_server.errors import GalleryTooLarge
from facewire_server.galleries import similar_pairs
from facewire_server.galleries.checkup import EnrolledPeople, FindingKind, StoredTemplate
from facewire_server.galleries.examined import Examined, Standards
from facewire_server.galleries.examining import MOST_COMPARED, Examiner
from facewire_server.galleries.records import GalleryInfo
from facewire_server.galleries.single_picture import SinglePictureLimits
from facewire_server.thresholds import GalleryPairs, ThresholdSource
from facewire_server.types import DecisionPolicy, Quality, QualityFault

CONTRACT = "c" * 64
POLICY = DecisionPolicy(
    threshold=0.4,
    min_margin=0.05,
    min_inter_eye_px=12.0,
    threshold_source=ThresholdSource.OPERATOR,
)
STANDARDS = Standards(
    POLICY, CONTRACT, SinglePictureLimits(24.0, 9.0, 0.23, 0.3), lambda *_: (QualityFault.BLURRED,)
)
PEOPLE = 40


class Twins:
    """A gallery of people of whom each has a twin."""

    def __init__(self, template_count: int = PEOPLE) -> None:
        axes = np.eye(PEOPLE // 2, dtype=np.float32)
        ids = tuple(f"id{number}" for number in range(PEOPLE))
        self.info = GalleryInfo(
            gallery_id="default",
            display_name="",
            revision=1,
            identity_count=PEOPLE,
            template_count=template_count,
            model_contract_id=CONTRACT,
            created_at_us=0,
            pairs=GalleryPairs(),
        )
        means = np.concatenate([axes, axes])
        good = Quality(80.0, 100.0, 120.0, 30.0, 12.0, 0.0, 0.0)
        templates = tuple(
            StoredTemplate(person, template_id, good, is_searched=True)
            for person, template_id in enumerate(ids)
        )
        self.people = EnrolledPeople(ids, ids, np.arange(PEOPLE + 1), means, ids, templates, means)

    async def enrolled_people(
        self, gallery_id: str, most: int
    ) -> tuple[GalleryInfo, EnrolledPeople | None]:
        is_too_large = max(self.info.template_count, self.info.identity_count) > most
        return self.info, None if is_too_large else self.people


async def test_findings_are_those_of_the_checkup_as_many_as_are_wanted() -> None:
    examined = await Examiner(Twins(), STANDARDS).examine("default", 3)
    found = examined.findings[FindingKind.PROBABLE_DOUBLE]
    assert (found.total, len(found.listed)) == (PEOPLE // 2, 3)
    assert examined.threshold.value == 0.4
    assert examined.least_confusable == pytest.approx(0.35)
    assert not examined.is_sound


async def test_a_gallery_that_is_too_large_is_not_compared() -> None:
    most = await Examiner(Twins(MOST_COMPARED), STANDARDS).examine("default", 1)
    assert not most.is_sound
    with pytest.raises(GalleryTooLarge, match="gallery doctor"):
        await Examiner(Twins(MOST_COMPARED + 1), STANDARDS).examine("default", 1)


class Held(Standards):
    """Standards whose examinations wait for the test, which sees them begin and end."""

    def __init__(self) -> None:
        super().__init__(POLICY, CONTRACT, STANDARDS.limits, STANDARDS.stored_faults)
        begun: list[int] = []
        ended: list[BaseException | None] = []
        for name, value in (("begun", begun), ("ended", ended), ("go_on", threading.Event())):
            object.__setattr__(self, name, value)

    begun: list[int]
    ended: list[BaseException | None]
    go_on: threading.Event

    def examine(
        self,
        info: GalleryInfo,
        people: EnrolledPeople,
        limit: int,
        progress: Callable[[float], None] = lambda share: None,
    ) -> Examined:
        self.begun.append(limit)
        assert self.go_on.wait(30)
        try:
            examined = super().examine(info, people, limit, progress)
        except BaseException as error:
            self.ended.append(error)
            raise
        self.ended.append(None)
        return examined


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)  # of another thread's state there is no event


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    monkeypatch.setattr(similar_pairs, "_BLOCK_PEOPLE", 2)  # so that there is progress
    return Held()


async def test_one_gallery_is_examined_at_a_time(held: Held) -> None:
    examiner = Examiner(Twins(), held)
    calls = [asyncio.create_task(examiner.examine("default", 1)) for _ in range(3)]
    await until(lambda: held.begun)
    await asyncio.sleep(0.1)
    assert len(held.begun) == 1
    held.go_on.set()
    await asyncio.gather(*calls)
    assert held.ended == [None] * 3


async def test_who_leaves_ends_the_comparison_and_another_caller_is_served(held: Held) -> None:
    examiner = Examiner(Twins(), held)
    call = asyncio.create_task(examiner.examine("default", 1))
    await until(lambda: held.begun)
    call.cancel()
    other = asyncio.create_task(examiner.examine("default", 1))
    await asyncio.sleep(0.1)
    assert len(held.begun) == 1, (
        "another gallery is examined while the thread of the first is at work"
    )
    held.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert held.ended[0] is not None, "it was compared to the end"
    assert not (await other).is_sound


def test_a_gallery_of_another_model_has_no_calibration() -> None:
    twins = Twins()
    foreign = replace(twins.info, model_contract_id="d" * 64)
    examined = STANDARDS.examine(foreign, twins.people, 1)
    assert not examined.is_of_contract
    assert examined.findings[FindingKind.REFUSED_TEMPLATE].total == 0  # it is of that model
    own = STANDARDS.examine(twins.info, twins.people, 1)
    assert own.findings[FindingKind.REFUSED_TEMPLATE].total == PEOPLE
