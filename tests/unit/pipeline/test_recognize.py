"""The line carries a picture through every step, and a failure of any step out of it."""

import asyncio
import io
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facewire_server.errors import (
    ModelUnavailable,
    NoFace,
    TimedOut,
    TooManyPixels,
    UndecodableImage,
)
from facewire_server.events import AttackModelFailed, Emit, Event, PictureFinished, ignore
from facewire_server.galleries.records import SearchResult
from facewire_server.pipeline.attacks import AttackHints
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.find import FaceFinder
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.pipeline.ports import Model, PresentationAttackDetector
from facewire_server.pipeline.recognize import Recognizer
from facewire_server.types import (
    Candidate,
    CompareOutcome,
    DecisionPolicy,
    DetectionOptions,
    FaceSelection,
    Outcome,
    Picture,
    PictureLimits,
    Rgb,
)
from facewire_server.work.deadline import time_limit
from facewire_server.work.slots import WorkSlots
from fakes.attacks import GreenIsAnAttack
from fakes.error_rates import by_size
from fakes.events import keeping

DETECTION = DetectionOptions(min_score=0.9, max_faces=10, short_side_fraction=1 / 16)
POLICY = DecisionPolicy(threshold=0.5, min_margin=0.0, min_inter_eye_px=1.0)
# Eyes, nose and mouth of a face in the middle of any canvas, as shares of its sides.
SHARES = np.array([(0.4, 0.4), (0.6, 0.4), (0.5, 0.5), (0.42, 0.6), (0.58, 0.6)], np.float32)


class FaceInTheMiddle:
    """A detector's model: `faces` equal faces in the middle of whatever it is shown."""

    def __init__(self, faces: int = 1) -> None:
        self.faces = faces
        self.canvases: list[tuple[int, ...]] = []

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        height, width, _ = inputs["image"].shape
        self.canvases.append((width, height))
        box = np.array([0.3 * width, 0.3 * height, 0.7 * width, 0.7 * height], np.float32)
        return {
            "boxes": np.tile(box, (self.faces, 1)),
            "scores": np.full(self.faces, 0.99, np.float32),
            "landmarks": np.tile(SHARES * (width, height), (self.faces, 1, 1)).astype(np.float32),
        }


class MeanColor:
    """An embedding model: the unit vector along a crop's mean color."""

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        means = inputs["faces"].mean(axis=(1, 2)) + 1e-3
        return {"embeddings": (means / np.linalg.norm(means, axis=1, keepdims=True)).astype("f4")}


class Away:
    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        raise ModelUnavailable("away")


class RedIsAda:
    """A gallery of one: the red one."""

    async def check_searchable(self, gallery_id: str) -> None: ...

    async def mean_templates(self, gallery_id: str, template_id: str) -> tuple[str, ...]:
        return (template_id,)

    async def search(self, gallery_id: str, probes: NDArray[np.float32], k: int) -> SearchResult:
        candidates = tuple((Candidate("ada", "Ada", float(probe[0]), "t1"),) for probe in probes)
        return SearchResult(3, candidates, 1)


def recognizer(
    detector: Model | None = None,
    embedder: Model | None = None,
    max_pixels: int = 50_000_000,
    emit: Emit = ignore,
    attacks: PresentationAttackDetector | None = None,
) -> Recognizer:
    finder = FaceFinder(
        Detector(detector or FaceInTheMiddle()),
        limits=PictureLimits(max_frame_bytes=1 << 24, max_pixels=max_pixels),
        threads=ThreadPoolExecutor(2),
        emit=emit,
    )
    embedding = Embedder(embedder or MeanColor(), 3)
    return Recognizer(
        finder,
        embedding,
        RedIsAda(),
        WorkSlots(1),
        gate=Gate(QualityLimits()),
        model_contract_id="c",
        attacks=AttackHints(attacks, emit) if attacks else None,
    )


def picture(color=(200, 10, 10), size=(640, 480), kind="JPEG", orientation: int = 1) -> Picture:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, kind, exif=exif)
    return Picture(file.getvalue())


async def test_a_face_is_found_named_and_placed() -> None:
    answer = await recognizer().recognize(picture(), "default", DETECTION, POLICY)
    (face,) = answer.faces
    assert (answer.width_px, answer.height_px, answer.gallery_revision) == (640, 480, 3)
    assert face.decision is not None
    assert face.decision.best is not None
    assert (face.decision.outcome, face.decision.best.identity_id) == (Outcome.KNOWN, "ada")
    np.testing.assert_allclose(face.box, [192, 144, 448, 336], atol=1)
    assert answer.timings.total_s >= answer.timings.match_s > 0


async def test_a_hint_of_an_attack_is_part_of_the_answer_and_changes_no_decision() -> None:
    attacks = GreenIsAnAttack()
    scored = recognizer(attacks=attacks)
    (red,) = (await scored.recognize(picture(), "default", DETECTION, POLICY)).faces
    green_picture = picture((10, 200, 10))
    (green,) = (await scored.recognize(green_picture, "default", DETECTION, POLICY)).faces
    assert red.presentation_attack is not None
    assert green.presentation_attack is not None
    assert red.presentation_attack < 0.1 < 0.9 < green.presentation_attack
    (plain,) = (await recognizer().recognize(green_picture, "default", DETECTION, POLICY)).faces
    assert plain.presentation_attack is None
    assert (plain.decision, plain.quality) == (green.decision, green.quality)
    assert attacks.calls == [1, 1]


async def test_a_face_that_is_not_compared_is_not_scored() -> None:
    attacks = GreenIsAnAttack()
    policy = replace(POLICY, min_inter_eye_px=1e4)
    answer = await recognizer(attacks=attacks).recognize(picture(), "default", DETECTION, policy)
    (face,) = answer.faces
    assert face.decision is not None
    assert face.decision.outcome is Outcome.TOO_POOR
    assert face.presentation_attack is None
    assert attacks.calls == [0]


class FailingAttacks:
    async def log_odds(self, pictures: Rgb) -> NDArray[np.float32]:
        raise ModelUnavailable("no memory")


async def test_without_a_hint_a_face_has_its_name_and_the_operator_is_told() -> None:
    events: list[Event] = []
    failing = recognizer(attacks=FailingAttacks(), emit=events.append)
    (face,) = (await failing.recognize(picture(), "default", DETECTION, POLICY)).faces
    (plain,) = (await recognizer().recognize(picture(), "default", DETECTION, POLICY)).faces
    assert (face.decision, face.presentation_attack) == (plain.decision, None)
    assert AttackModelFailed("no memory") in events


@pytest.mark.parametrize("size", [(1600, 1200), (3200, 2400)])
async def test_a_large_jpeg_is_searched_reduced_and_answered_at_full_size(size) -> None:
    model = FaceInTheMiddle()
    answer = await recognizer(model).recognize(picture(size=size), "g", DETECTION, POLICY)
    assert model.canvases == [(427, 320)]
    assert (answer.width_px, answer.height_px) == size
    np.testing.assert_allclose(answer.faces[0].box[2:], np.multiply(size, 0.7), rtol=0.01)


async def test_positions_are_those_of_the_upright_picture() -> None:
    turned = picture(size=(1600, 1200), orientation=6)
    answer = await recognizer().recognize(turned, "g", DETECTION, POLICY)
    assert (answer.width_px, answer.height_px) == (1200, 1600)
    np.testing.assert_allclose(answer.faces[0].box, [360, 480, 840, 1120], rtol=0.01)


async def test_nobody_is_an_answer() -> None:
    answer = await recognizer(FaceInTheMiddle(0)).recognize(picture(), "g", DETECTION, POLICY)
    assert answer.faces == ()


async def test_a_damaged_picture_is_told_once_and_leaves_no_task_behind() -> None:
    whole = picture(size=(1600, 1200))
    half = Picture(whole.data[: len(whole.data) // 2])
    with pytest.raises(UndecodableImage):
        await recognizer().recognize(half, "g", DETECTION, POLICY)
    assert len(asyncio.all_tasks()) == 1


async def test_too_many_pixels_are_told_before_they_are_decoded() -> None:
    with pytest.raises(TooManyPixels):
        await recognizer(max_pixels=1000).recognize(picture(), "g", DETECTION, POLICY)


@pytest.mark.parametrize("models", [{"detector": Away()}, {"embedder": Away()}])
async def test_a_model_that_is_away_is_told(models) -> None:
    with pytest.raises(ModelUnavailable):
        await recognizer(**models).recognize(picture(), "g", DETECTION, POLICY)


async def test_two_pictures_are_compared() -> None:
    line = recognizer()
    red, green = picture(), picture(color=(10, 200, 10))
    same = await line.compare(red, red, FaceSelection.ONLY, DETECTION, POLICY)
    other = await line.compare(red, green, FaceSelection.ONLY, DETECTION, POLICY)
    assert (same.outcome, other.outcome) == (CompareOutcome.SAME, CompareOutcome.DIFFERENT)
    assert same.similarity == pytest.approx(1, abs=1e-5)
    assert same.threshold.source is POLICY.threshold_source
    assert same.false_match_rate is None  # the policy has no calibration
    calibrated = replace(POLICY, error_rates=by_size((1, 0.4), (100, 0.6)))
    stated = await line.compare(red, green, FaceSelection.ONLY, DETECTION, calibrated)
    assert calibrated.error_rates is not None
    of_similarity = calibrated.error_rates.calibration.fmr_at(stated.similarity)
    assert stated.false_match_rate == of_similarity


@pytest.mark.parametrize("field", ["first", "second"])
async def test_the_picture_at_fault_is_named(field: str) -> None:
    pictures = {"first": picture(), "second": picture()} | {field: Picture(b"text")}
    with pytest.raises(UndecodableImage) as failure:
        await recognizer().compare(
            pictures["first"], pictures["second"], FaceSelection.ONLY, DETECTION, POLICY
        )
    assert failure.value.field == field


async def test_a_comparison_needs_faces() -> None:
    with pytest.raises(NoFace):
        await recognizer(FaceInTheMiddle(0)).compare(
            picture(), picture(), FaceSelection.LARGEST, DETECTION, POLICY
        )


async def test_a_finished_picture_is_an_event_with_its_stages() -> None:
    events, emit = keeping(PictureFinished)
    image = picture(size=(1600, 1200))  # searched reduced: decoded twice
    answer = await recognizer(emit=emit).recognize(image, "g", DETECTION, POLICY)
    (event,) = events
    assert (event.purpose, event.byte_count, event.error) == ("recognize", len(image.data), None)
    assert {stage.name for stage in event.stages} == {"decode", "detect", "align", "embed", "match"}
    assert all(
        event.started_s <= stage.started_s <= stage.ended_s <= event.ended_s
        for stage in event.stages
    )
    decoding_s = sum(s.ended_s - s.started_s for s in event.stages if s.name == "decode")
    assert answer.timings.decode_s == pytest.approx(decoding_s)
    assert answer.timings.queue_s == event.waited_s


async def test_a_picture_that_fails_is_an_event_with_what_was_done() -> None:
    events, emit = keeping(PictureFinished)
    with pytest.raises(ModelUnavailable):
        await recognizer(embedder=Away(), emit=emit).recognize(picture(), "g", DETECTION, POLICY)
    (event,) = events
    assert event.error is ModelUnavailable
    assert {stage.name for stage in event.stages} == {"decode", "detect", "align"}


async def test_a_cancelled_picture_is_an_event() -> None:
    events, emit = keeping(PictureFinished)
    begun = asyncio.Event()

    class Hanging:
        async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
            begun.set()
            await asyncio.Event().wait()
            raise AssertionError("never set")

    line = recognizer(embedder=Hanging(), emit=emit)
    working = asyncio.create_task(line.recognize(picture(), "g", DETECTION, POLICY))
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert events[0].error is asyncio.CancelledError


async def test_a_picture_whose_time_is_over_is_an_event() -> None:
    events, emit = keeping(PictureFinished)

    class Hanging:
        async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
            await asyncio.Event().wait()
            raise AssertionError("never set")

    line = recognizer(embedder=Hanging(), emit=emit)
    with pytest.raises(TimedOut):
        async with time_limit(0.2):
            await line.recognize(picture(), "g", DETECTION, POLICY)
    assert events[0].error is TimedOut


async def test_each_picture_of_a_comparison_is_an_event() -> None:
    events, emit = keeping(PictureFinished)
    with pytest.raises(UndecodableImage):
        await recognizer(emit=emit).compare(
            picture(), Picture(b"text"), FaceSelection.ONLY, DETECTION, POLICY
        )
    assert [(event.purpose, event.error) for event in events] == [
        ("compare", None),
        ("compare", UndecodableImage),
    ]
