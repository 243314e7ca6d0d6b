"""While one frame of a stream embeds, the next is detected: the real line behind a real session."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.find import FaceFinder
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.pipeline.recognize import Recognizer
from facewire_server.streams.session import Session
from facewire_server.streams.values import Answered, Frame, StreamInput, StreamOutput, StreamPlan
from facewire_server.types import (
    DecisionPolicy,
    DetectionOptions,
    Picture,
    PictureLimits,
    Recognition,
)
from facewire_server.work.held_bytes import ByteBudget
from facewire_server.work.slots import WorkSlots
from fakes.limits import serving_limits

LIMITS = PictureLimits(max_frame_bytes=1 << 20, max_pixels=1 << 20)
DETECTION = DetectionOptions(min_score=0.9, max_faces=1, short_side_fraction=1 / 16)
POLICY = DecisionPolicy(threshold=0.5, min_margin=0.0, min_inter_eye_px=1.0)
PICTURE = cv2.imencode(".png", np.full((120, 160, 3), 127, np.uint8))[1].tobytes()


class OneFace:
    """A detector's model, which says when its second prediction begins."""

    def __init__(self) -> None:
        self.calls = 0
        self.second_begun = asyncio.Event()

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        self.calls += 1
        if self.calls == 2:
            self.second_begun.set()
        points = [(60, 50), (100, 50), (80, 65), (65, 80), (95, 80)]
        return {
            "boxes": np.array([[40, 20, 120, 100]], np.float32),
            "scores": np.array([0.99], np.float32),
            "landmarks": np.array([points], np.float32),
        }


class Gated:
    """An embedding model each of whose predictions waits until the test lets it go on."""

    def __init__(self, predictions: int) -> None:
        self.begun = [asyncio.Event() for _ in range(predictions)]
        self.gates = [asyncio.Event() for _ in range(predictions)]
        self._calls = 0

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        call, self._calls = self._calls, self._calls + 1
        self.begun[call].set()
        await self.gates[call].wait()
        return {"embeddings": np.array([[1, 0]], np.float32)}


class Nobody:
    """An empty gallery."""

    async def check_searchable(self, gallery_id: str) -> None: ...

    async def search(self, gallery_id: str, probes: NDArray[np.float32], k: int) -> SearchResult:
        return SearchResult(1, ((),) * len(probes), 0)


async def test_the_next_frame_is_detected_while_one_embeds_and_answers_keep_their_order() -> None:
    detector, embedder = OneFace(), Gated(2)
    sent: list[Answered] = []
    threads = ThreadPoolExecutor(2)
    finder = FaceFinder(Detector(detector), limits=LIMITS, threads=threads)
    slots = WorkSlots(2)
    line = Recognizer(
        finder,
        Embedder(embedder, 2),
        Nobody(),
        slots,
        gate=Gate(QualityLimits()),
        model_contract_id="c" * 64,
    )

    async def exists(gallery_id: str) -> None:
        pass

    async def inputs() -> AsyncIterator[StreamInput]:
        yield StreamPlan("default", newest_wins=False, decision=POLICY, detection=DETECTION)
        for sequence in (1, 2):
            yield Frame(sequence, 0, Picture(PICTURE))
            await embedder.begun[sequence - 1].wait()

    async def send(value: StreamOutput) -> None:
        if isinstance(value, Answered):
            sent.append(value)

    session = Session(line, exists, slots, ByteBudget(1 << 30), limits=serving_limits(LIMITS))
    stream = asyncio.create_task(session.run(inputs(), send))
    await detector.second_begun.wait()
    assert not embedder.gates[0].is_set()
    await embedder.begun[1].wait()
    embedder.gates[1].set()  # the second is ready first
    await asyncio.sleep(0)
    assert sent == []
    embedder.gates[0].set()
    await stream
    threads.shutdown()
    assert [answer.sequence for answer in sent] == [1, 2]
    assert all(isinstance(one.result, Recognition) and len(one.result.faces) == 1 for one in sent)
    statistics = session.statistics()
    assert (statistics.recognized, statistics.outstanding, statistics.unsent) == (2, 0, 0)
    assert statistics.byte_count == 2 * len(PICTURE)
    assert statistics.median_s > 0
