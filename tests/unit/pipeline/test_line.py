"""Of several faces each has its own decision, and a comparison is of the faces that were meant."""

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.find import FaceFinder
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.pipeline.recognize import Recognizer
from facewire_server.types import (
    Candidate,
    CompareOutcome,
    DecisionPolicy,
    DetectionOptions,
    FaceSelection,
    Outcome,
    PictureLimits,
    QualityFault,
    Recognition,
)
from facewire_server.work.slots import WorkSlots
from fakes.two_faces import TwoFaces, two_faces

DETECTION = DetectionOptions(min_score=0.9, max_faces=10, short_side_fraction=1 / 16)
POLICY = DecisionPolicy(threshold=0.5, min_margin=0.0, min_inter_eye_px=1.0)
BETWEEN_PX = 60.0
"""The eyes of the small face are 32 px apart, those of the large one 96 px."""


class Shade:
    """An embedding model: a unit vector that turns with a crop's brightness, 0 to 255 over a quarter.

    The norm is a fifth of the brightness.
    """

    def __init__(self) -> None:
        self.crops = 0

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        self.crops += len(inputs["faces"])
        means = inputs["faces"].mean(axis=(1, 2, 3)).astype(np.float32)
        angle = means / 255 * np.pi / 2
        return {"embeddings": np.stack([np.cos(angle), np.sin(angle)], -1), "norms": means / 5}


class DarkAndLight:
    """A gallery of two, and the number of identities that was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []

    async def check_searchable(self, gallery_id: str) -> None: ...

    async def mean_templates(self, gallery_id: str, template_id: str) -> tuple[str, ...]:
        return (template_id,)

    async def search(self, gallery_id: str, probes: np.ndarray, k: int) -> SearchResult:
        self.asked.append((gallery_id, len(probes), k))
        found = []
        for dark, light in probes.tolist():
            both = [Candidate("dark", "Dark", dark, "d"), Candidate("light", "Light", light, "l")]
            found.append(tuple(sorted(both, key=lambda one: -one.similarity)))
        return SearchResult(7, tuple(found), 2)


Line: TypeAlias = tuple[Recognizer, DarkAndLight, Shade, WorkSlots]


def joined(threads: ThreadPoolExecutor, gate: Gate) -> Line:
    gallery, shade, slots = DarkAndLight(), Shade(), WorkSlots(1)
    limits = PictureLimits(1 << 24, 1 << 24)
    finder = FaceFinder(Detector(TwoFaces()), limits=limits, threads=threads)
    embedder = Embedder(shade, 2)
    recognizer = Recognizer(finder, embedder, gallery, slots, gate=gate, model_contract_id="c")
    return recognizer, gallery, shade, slots


@pytest.fixture
def line() -> Iterator[Line]:
    with ThreadPoolExecutor(2) as threads:
        yield joined(threads, Gate(QualityLimits()))


def named(faces: Sequence) -> list[str | None]:
    return [face.decision.best and face.decision.best.identity_id for face in faces]


async def test_each_face_has_its_own_decision(line) -> None:
    recognizer, gallery, *_ = line
    policy = replace(POLICY, max_candidates=5)
    answer = await recognizer.recognize(two_faces(), "doors", DETECTION, policy)
    assert named(answer.faces) == ["dark", "light"]
    assert [face.score for face in answer.faces] == pytest.approx([0.99, 0.95])
    assert gallery.asked == [("doors", 2, 5)]
    assert {face.decision.gallery_revision for face in answer.faces} == {7}
    assert answer.gallery_revision == 7


async def test_a_face_that_is_too_small_is_neither_embedded_nor_searched_for(line) -> None:
    recognizer, gallery, shade, _ = line
    policy = replace(POLICY, min_inter_eye_px=BETWEEN_PX)
    answer = await recognizer.recognize(two_faces(), "doors", DETECTION, policy)
    assert [face.decision.outcome for face in answer.faces] == [Outcome.TOO_POOR, Outcome.KNOWN]
    assert named(answer.faces) == [None, "light"]
    assert shade.crops == 1
    assert gallery.asked == [("doors", 1, 2)]


async def test_the_time_of_each_stage_is_within_the_whole(line) -> None:
    """Of a PNG, whose stages do not overlap."""
    recognizer, *_ = line
    timings = (await recognizer.recognize(two_faces(), "g", DETECTION, POLICY)).timings
    stages = (timings.decode_s, timings.detect_s, timings.align_s, timings.embed_s, timings.match_s)
    assert all(stage > 0 for stage in stages)
    assert timings.queue_s + sum(stages) <= timings.total_s


@pytest.mark.parametrize("pictures", [1, 2])
async def test_a_picture_is_worked_on_only_with_a_slot(line, pictures: int) -> None:
    recognizer, _, shade, slots = line
    async with slots.slot():
        begun_at_s = time.perf_counter()
        if pictures == 1:
            work = recognizer.recognize(two_faces(), "g", DETECTION, POLICY)
        else:
            work = recognizer.compare(
                two_faces(), two_faces(), FaceSelection.LARGEST, DETECTION, POLICY
            )
        waiting = asyncio.create_task(work)
        while not slots.statistics().waiting_calls:
            await asyncio.sleep(0)
        seen_at_s = time.perf_counter()
        await asyncio.to_thread(threading.Event().wait, 0.02)
        waited_s = time.perf_counter() - seen_at_s
        assert shade.crops == 0
    answer = await waiting
    assert slots.statistics().in_use == 0
    if isinstance(answer, Recognition):
        timings = answer.timings
        assert waited_s <= timings.queue_s <= time.perf_counter() - begun_at_s
        assert timings.queue_s + timings.decode_s + timings.detect_s <= timings.total_s


@pytest.mark.parametrize(
    ("gate", "fault"),
    [
        (Gate(QualityLimits(min_norm=9.0)), QualityFault.UNRECOGNIZABLE),
        (
            Gate(QualityLimits(max_upside_down=0.9), upside_down=np.array([1, 0], np.float32)),
            QualityFault.UPSIDE_DOWN,
        ),
    ],
)
async def test_a_face_that_its_embedding_shows_to_be_poor_is_not_searched_for(
    gate: Gate, fault: QualityFault
) -> None:
    """The dark one: its norm is 8, and its embedding nearly (1, 0)."""
    with ThreadPoolExecutor(2) as threads:
        recognizer, gallery, *_ = joined(threads, gate)
        answer = await recognizer.recognize(two_faces(), "doors", DETECTION, POLICY)
        compared = await recognizer.compare(
            two_faces(), two_faces(dark=200, light=40), FaceSelection.LARGEST, DETECTION, POLICY
        )
    dark, light = answer.faces
    assert dark.decision is not None
    assert dark.decision.outcome is Outcome.TOO_POOR
    assert (dark.quality.faults, light.quality.faults) == ((fault,), ())
    assert dark.quality.embedding_norm == pytest.approx(8.0, abs=0.2)
    assert light.quality.embedding_norm > 9
    assert gallery.asked == [("doors", 1, 2)]
    assert named(answer.faces) == [None, "light"]
    assert compared.outcome is CompareOutcome.TOO_POOR
    assert (compared.first.quality.faults, compared.second.quality.faults) == ((), (fault,))


@pytest.mark.parametrize("selection", [FaceSelection.LARGEST, FaceSelection.MOST_CENTRAL])
async def test_a_comparison_is_of_the_selected_faces(line, selection: FaceSelection) -> None:
    """The large ones are much more alike than the small ones, which have the higher scores."""
    recognizer, *_ = line
    policy = replace(POLICY, threshold=0.95)
    comparison = await recognizer.compare(
        two_faces(), two_faces(dark=120, light=230), selection, DETECTION, policy
    )
    assert comparison.similarity == pytest.approx(np.cos(30 / 255 * np.pi / 2), abs=0.01)
    assert (comparison.outcome, comparison.threshold.value) == (CompareOutcome.SAME, 0.95)
    assert (comparison.first.score, comparison.second.score) == pytest.approx((0.95, 0.95))
    assert comparison.first.quality.brightness == pytest.approx(200, abs=2)
    assert comparison.second.quality.brightness == pytest.approx(230, abs=2)
    assert comparison.first.decision is comparison.second.decision is None


@pytest.mark.parametrize("small", ["first", "second"])
async def test_a_comparison_with_a_face_that_is_too_small_says_so(line, small: str) -> None:
    recognizer, *_ = line
    large = two_faces()
    pictures = {"first": large, "second": large, small: two_faces(size=(400, 300))}
    policy = replace(POLICY, min_inter_eye_px=BETWEEN_PX)
    comparison = await recognizer.compare(
        pictures["first"], pictures["second"], FaceSelection.LARGEST, DETECTION, policy
    )
    assert comparison.outcome is CompareOutcome.TOO_POOR


async def test_a_similarity_never_leaves_its_range(line) -> None:
    """Unit vectors of float32 may have a product of 1.0000001, and a client may rely on [-1, 1]."""
    recognizer, *_ = line
    for shade in range(100, 250, 10):
        picture = two_faces(light=shade)
        comparison = await recognizer.compare(
            picture, picture, FaceSelection.LARGEST, DETECTION, POLICY
        )
        assert 0.9999 <= comparison.similarity <= 1.0
