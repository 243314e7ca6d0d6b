"""An enrollment shares the work slots with all others, and works only for what can be enrolled."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.errors import (
    GalleryNotFound,
    IdentityNotFound,
    InvalidField,
    RequestIdReused,
    TooPoor,
    UndecodableImage,
)
from facewire_server.events import PictureFinished
from facewire_server.galleries.records import NewIdentity
from facewire_server.galleries.refusal import Refusal
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.enroll import Enroller
from facewire_server.pipeline.find import FaceFinder
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.types import (
    DecisionPolicy,
    DetectionOptions,
    FaceSelection,
    Picture,
    PictureLimits,
)
from facewire_server.work.slots import WorkSlots
from fakes.events import keeping
from fakes.gallery import MemoryGallery

POLICY = DecisionPolicy(threshold=0.5, min_margin=0.0, min_inter_eye_px=1.0)
DETECTION = DetectionOptions(min_score=0.9, max_faces=1, short_side_fraction=1 / 16)
PICTURE = Picture(cv2.imencode(".png", np.full((120, 160, 3), 127, np.uint8))[1].tobytes())


class OneFace:
    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        points = [(60, 50), (100, 50), (80, 65), (65, 80), (95, 80)]
        return {
            "boxes": np.array([[40, 20, 120, 100]], np.float32),
            "scores": np.array([0.99], np.float32),
            "landmarks": np.array([points], np.float32),
        }


class Gated:
    """An embedding model that waits in its first prediction until the test opens the gate."""

    def __init__(self) -> None:
        self.calls = 0
        self.begun = asyncio.Event()
        self.gate = asyncio.Event()

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        self.calls += 1
        self.begun.set()
        await self.gate.wait()
        return {"embeddings": np.tile(np.array([1, 0], np.float32), (len(inputs["faces"]), 1))}


async def test_a_picture_that_waits_comes_in_between_two_of_an_enrollment() -> None:
    model, slots, gallery = Gated(), WorkSlots(1), MemoryGallery(model_contract_id="c", dimension=2)
    with ThreadPoolExecutor(2) as threads:
        finder = FaceFinder(
            Detector(OneFace()), limits=PictureLimits(1 << 20, 1 << 20), threads=threads
        )
        enroller = Enroller(
            finder, Embedder(model, 2), gallery, slots, gate=Gate(QualityLimits()), policy=POLICY
        )
        enrolling = asyncio.ensure_future(
            enroller.enroll(
                "default",
                NewIdentity("ada", create=True),
                [PICTURE] * 3,
                FaceSelection.ONLY,
                DETECTION,
            )
        )
        await model.begun.wait()

        async def frame() -> int:
            async with slots.slot():
                return model.calls

        waiting = asyncio.ensure_future(frame())
        await asyncio.sleep(0)
        model.gate.set()
        assert await waiting == 1, "the frame waited for one picture, not for three"
        answer = await enrolling
    assert all(result.template_id for result in answer.results)
    assert len(answer.results) == 3


@contextmanager
def enrolling(model: Gated, gallery: MemoryGallery) -> Iterator[Enroller]:
    with ThreadPoolExecutor(2) as threads:
        finder = FaceFinder(
            Detector(OneFace()), limits=PictureLimits(1 << 20, 1 << 20), threads=threads
        )
        yield Enroller(
            finder,
            Embedder(model, 2),
            gallery,
            WorkSlots(2),
            gate=Gate(QualityLimits()),
            policy=POLICY,
        )


async def test_what_cannot_be_enrolled_is_refused_before_a_model_works() -> None:
    model, gallery = Gated(), MemoryGallery(model_contract_id="c", dimension=2)
    model.gate.set()
    with enrolling(model, gallery) as enroller:
        for gallery_id, identity, error in (
            ("nowhere", NewIdentity("ada", create=True), GalleryNotFound),
            ("default", NewIdentity("ada"), IdentityNotFound),
            ("default", NewIdentity("a\nb", create=True), InvalidField),
        ):
            with pytest.raises(error):
                await enroller.enroll(
                    gallery_id, identity, [PICTURE], FaceSelection.ONLY, DETECTION
                )
    assert model.calls == 0


async def test_a_repeated_request_gets_what_it_got_and_no_model_works_again() -> None:
    model, gallery = Gated(), MemoryGallery(model_contract_id="c", dimension=2)
    model.gate.set()
    with enrolling(model, gallery) as enroller:
        done = [
            await enroller.enroll(
                "default",
                NewIdentity("ada", create=True),
                [PICTURE, Picture(b"text"), Picture(b"")],
                FaceSelection.ONLY,
                DETECTION,
                request_id="r",
            )
            for _ in range(2)
        ]
    assert done[0] == done[1]
    assert model.calls == 1
    accepted, undecodable, empty = done[0].results
    assert (bool(accepted.template_id), accepted.refusal) == (True, None)
    assert undecodable.refusal is Refusal.IMAGE_UNDECODABLE
    assert empty.refusal is Refusal.IMAGE_EMPTY
    assert (empty.template_id, empty.detail) == ("", "the picture has no bytes")


@pytest.mark.parametrize("field", ["stride_bytes", "chroma_stride_bytes", "plane_height_px"])
async def test_a_request_whose_picture_lies_otherwise_in_its_bytes_is_another_one(
    field: str,
) -> None:
    model, gallery = Gated(), MemoryGallery(model_contract_id="c", dimension=2)
    model.gate.set()
    identity = NewIdentity("ada", create=True)
    with enrolling(model, gallery) as enroller:
        request = FaceSelection.ONLY, DETECTION
        await enroller.enroll("default", identity, [PICTURE], *request, request_id="r")
        changed: dict[str, Any] = {field: 8}
        other = replace(PICTURE, **changed)
        with pytest.raises(RequestIdReused):
            await enroller.enroll("default", identity, [other], *request, request_id="r")


async def test_each_picture_of_an_enrollment_is_an_event() -> None:
    events, emit = keeping(PictureFinished)
    model, gallery = Gated(), MemoryGallery(model_contract_id="c", dimension=2)
    model.gate.set()
    limits = PictureLimits(1 << 20, 1 << 20)
    with ThreadPoolExecutor(2) as threads:
        finder = FaceFinder(Detector(OneFace()), limits=limits, threads=threads, emit=emit)
        for min_inter_eye_px in (1.0, 1000.0):
            enroller = Enroller(
                finder,
                Embedder(model, 2),
                gallery,
                WorkSlots(1),
                gate=Gate(QualityLimits(prefix="enroll_", min_inter_eye_px=min_inter_eye_px)),
                policy=POLICY,
            )
            await enroller.enroll(
                "default",
                NewIdentity("ada", create=True),
                [PICTURE, Picture(b"text")],
                FaceSelection.ONLY,
                DETECTION,
            )
    assert {event.purpose for event in events} == {"enroll"}
    assert [event.error for event in events] == [None, UndecodableImage, TooPoor, UndecodableImage]
    assert [event.byte_count for event in events[:2]] == [len(PICTURE.data), 4]
