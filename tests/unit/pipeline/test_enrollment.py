"""An enrollment makes a template of each picture that is good enough, and says why of the others."""

import io
import unicodedata
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from facewire_server.errors import RequestIdReused
from facewire_server.galleries.records import Enrollment, ExportedTemplate, NewIdentity
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
    PictureFormat,
    PictureLimits,
    QualityFault,
)
from facewire_server.work.slots import WorkSlots
from fakes.error_rates import by_size
from fakes.gallery import MemoryGallery

DETECTION = DetectionOptions(min_score=0.9, max_faces=2, short_side_fraction=1 / 16)
ADA = NewIdentity("ada", "Ada", create=True)
EYES_PX = 40
POLICY = DecisionPolicy(threshold=0.9, min_margin=0.0, min_inter_eye_px=1.0)


class OneFace:
    """A detector's model: one face, its eyes `EYES_PX` apart; none in a black picture."""

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        count = int(inputs["image"].any())
        points = [(60, 50), (60 + EYES_PX, 50), (80, 65), (65, 80), (95, 80)]
        # The canvas of a picture of 160x120 is this much larger.
        by = inputs["image"].shape[0] / 120
        return {
            "boxes": np.array([[40, 20, 120, 100]] * count, np.float32).reshape(count, 4) * by,
            "scores": np.full(count, 0.75, np.float32),
            "landmarks": np.array([points] * count, np.float32).reshape(count, 5, 2) * by,
        }


class MeanColor:
    """An embedding model: the unit vector along a crop's mean color."""

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        means = inputs["faces"].mean(axis=(1, 2)) + 1e-3
        norms = np.linalg.norm(means, axis=1)
        return {"embeddings": (means / norms[:, None]).astype("f4"), "norms": norms.astype("f4")}


def picture(color: tuple[int, int, int]) -> Picture:
    file = io.BytesIO()
    Image.new("RGB", (160, 120), color).save(file, "PNG")
    return Picture(file.getvalue())


RED, GREEN, BLACK = picture((250, 5, 5)), picture((5, 250, 5)), picture((0, 0, 0))


def at_least(eyes_px: float) -> Gate:
    return Gate(QualityLimits(prefix="enroll_", min_inter_eye_px=eyes_px))


LARGE_ENOUGH = at_least(EYES_PX - 1)


class Line:
    """An enroller with its gallery."""

    def __init__(
        self,
        threads: ThreadPoolExecutor,
        gate: Gate = LARGE_ENOUGH,
        policy: DecisionPolicy = POLICY,
    ) -> None:
        self.gallery = MemoryGallery(model_contract_id="c", dimension=3)
        limits = PictureLimits(1 << 20, 1 << 20)
        finder = FaceFinder(Detector(OneFace()), limits=limits, threads=threads)
        self._enroller = Enroller(
            finder,
            Embedder(MeanColor(), 3),
            self.gallery,
            WorkSlots(1),
            gate=gate,
            policy=policy,
        )

    async def enroll(
        self,
        *pictures: Picture,
        identity: NewIdentity = ADA,
        selection: FaceSelection = FaceSelection.ONLY,
        detection: DetectionOptions = DETECTION,
        source: str = "door",
        request_id: str = "",
    ):
        return await self._enroller.enroll(
            "default",
            identity,
            pictures or (RED,),
            selection,
            detection,
            source=source,
            request_id=request_id,
        )

    async def templates(self) -> list[ExportedTemplate]:
        async with self.gallery.export_records("default") as (_, records):
            return [one async for one in records if isinstance(one, ExportedTemplate)]


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    with ThreadPoolExecutor(2) as threads:
        yield Line(threads)


async def test_each_template_is_of_its_own_picture(line: Line) -> None:
    answer = await line.enroll(RED, Picture(b"text"), GREEN)
    first, second = await line.templates()
    assert [one.template_id for one in answer.results] == [
        first.info.template_id,
        "",
        second.info.template_id,
    ]
    np.testing.assert_allclose(first.embedding, [1, 0, 0], atol=0.05)
    np.testing.assert_allclose(second.embedding, [0, 1, 0], atol=0.05)
    assert first.info.template_id != second.info.template_id
    assert {one.info.source for one in (first, second)} == {"door"}
    assert first.info.quality.inter_eye_px == pytest.approx(EYES_PX, abs=0.1)
    assert first.info.detection_score == 0.75


async def test_a_picture_that_cannot_be_used_is_refused_by_itself_with_the_reason(
    line: Line,
) -> None:
    answer = await line.enroll(Picture(b"text"), BLACK, RED)
    refusals = [one.refusal for one in answer.results]
    assert refusals == [Refusal.IMAGE_UNDECODABLE, Refusal.NO_FACE, None]
    text, black, red = answer.results
    assert "neither JPEG" in text.detail
    assert "no face" in black.detail
    assert red.detail == ""
    assert (text.box, text.quality, black.box, black.quality) == (None,) * 4
    np.testing.assert_allclose(red.box, [40, 20, 120, 100], atol=0.5)


@pytest.mark.parametrize(("least_px", "accepted"), [(EYES_PX - 1, True), (EYES_PX + 1, False)])
async def test_a_face_whose_eyes_are_too_near_makes_no_template(
    least_px: int, accepted: bool
) -> None:
    with ThreadPoolExecutor(2) as threads:
        line = Line(threads, at_least(least_px))
        (result,) = (await line.enroll(RED)).results
        assert len(await line.templates()) == accepted
    assert bool(result.template_id) is accepted
    assert result.refusal is (None if accepted else Refusal.TOO_POOR)
    # The face was found either way: a client can show it, and how far it is from good enough.
    assert result.box is not None
    assert result.quality is not None
    if not accepted:
        assert result.quality.faults == (QualityFault.TOO_SMALL,)
        assert result.detail == (
            "seen from the front, the eyes are 40 pixels apart; enroll_min_inter_eye_px asks for at least 41: "
            "come closer to the camera, or send a larger picture"
        )


@pytest.mark.parametrize(
    ("limits", "faults", "words"),
    [
        (
            {"min_directional_sharpness": 6.0, "min_norm": 1000.0},
            (QualityFault.BLURRED, QualityFault.UNRECOGNIZABLE),
            ("the face is blurred", "also, the model finds little"),
        ),
        ({"min_eye_brightness": 1.1}, (QualityFault.COVERED,), ("take off dark glasses",)),
        ({"max_upside_down": 0.9}, (QualityFault.UPSIDE_DOWN,), ("by 180 degrees",)),
    ],
)
async def test_a_poor_face_makes_no_template_and_its_result_lists_all_faults(
    limits: dict[str, float], faults: tuple[QualityFault, ...], words: tuple[str, ...]
) -> None:
    red = np.array([1, 0, 0], np.float32)
    gate = Gate(QualityLimits(prefix="enroll_", **limits), upside_down=red)
    with ThreadPoolExecutor(2) as threads:
        line = Line(threads, gate)
        (result,) = (await line.enroll(RED)).results
        assert await line.templates() == []
    assert result.refusal is Refusal.TOO_POOR
    assert result.quality is not None
    assert result.quality.faults == faults
    assert result.quality.embedding_norm > 0
    assert all(word in result.detail for word in words), result.detail
    assert all(f"enroll_{name} asks for" in result.detail for name in limits)


BO = NewIdentity("bo", create=True)


def similar(enrollment: Enrollment) -> list[tuple[str, float]]:
    return [
        (one.similar_identity_id, round(one.similar_identity_similarity, 3))
        for one in enrollment.results
    ]


async def test_one_picture_under_two_ids_names_the_first_one(line: Line) -> None:
    assert similar(await line.enroll(RED)) == [("", 0.0)]
    second = await line.enroll(Picture(b"text"), GREEN, RED, identity=BO)
    assert similar(second) == [("", 0.0), ("", 0.0), ("ada", 1.0)]
    assert [bool(one.template_id) for one in second.results] == [False, True, True]


async def test_further_pictures_of_a_person_are_not_similar_to_their_own(line: Line) -> None:
    await line.enroll(RED)
    assert similar(await line.enroll(RED)) == [("", 0.0)]
    await line.enroll(RED, identity=BO)
    # Both are nearest now, with the same similarity: it is the other one that counts.
    assert similar(await line.enroll(RED)) == [("bo", 1.0)]
    assert similar(await line.enroll(RED, identity=BO)) == [("ada", 1.0)]


async def test_two_spellings_of_an_id_are_not_two_people(line: Line) -> None:
    for form in ("NFC", "NFD"):
        jose = NewIdentity(unicodedata.normalize(form, "José"), create=True)
        assert similar(await line.enroll(RED, identity=jose)) == [("", 0.0)]


async def test_similar_is_what_reaches_the_threshold_in_force_after_the_write() -> None:
    # Red and this mixture are .98 alike.
    mixture = picture((250, 50, 5))
    by_rate = DecisionPolicy(None, 0.0, 1.0, error_rates=by_size((1, 0.9), (2, 0.99)))
    with ThreadPoolExecutor(2) as threads:
        strict = Line(threads, policy=by_rate)
        await strict.enroll(RED)
        assert similar(await strict.enroll(mixture, identity=BO)) == [("", 0.0)]
        fixed = Line(threads)
        await fixed.enroll(RED)
        ((other, similarity),) = similar(await fixed.enroll(mixture, identity=BO))
    assert other == "ada"
    assert 0.97 < similarity < 0.99


async def test_a_repeated_request_keeps_nothing_of_another_identity(line: Line) -> None:
    await line.enroll(RED)
    first = await line.enroll(RED, identity=BO, request_id="r")
    again = await line.enroll(RED, identity=BO, request_id="r")
    assert similar(first) == [("ada", 1.0)]
    assert similar(again) == [("", 0.0)]
    assert [one.template_id for one in again.results] == [one.template_id for one in first.results]


async def test_without_a_request_id_a_repetition_is_another_enrollment(line: Line) -> None:
    await line.enroll()
    await line.enroll()
    assert len(await line.templates()) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"identity": NewIdentity("bo", "Ada", create=True)},
        {"identity": NewIdentity("ada", "Ada L.", create=True)},
        {"identity": NewIdentity("ada", "Ada", create=False)},
        {"pictures": (GREEN,)},
        {"pictures": (RED, RED)},
        {"pictures": (replace(RED, format=PictureFormat.PNG),)},
        {"pictures": (replace(RED, width_px=1),)},
        {"pictures": (replace(RED, height_px=1),)},
        {"pictures": (replace(RED, stride_bytes=1),)},
        {"selection": FaceSelection.LARGEST},
        {"detection": replace(DETECTION, max_faces=1)},
        {"source": "gate"},
    ],
    ids=lambda other: next(iter(other)),
)
async def test_a_request_id_names_one_request(line: Line, other: dict) -> None:
    await line.enroll(request_id="r-1")
    pictures = other.pop("pictures", ())
    with pytest.raises(RequestIdReused):
        await line.enroll(*pictures, **other, request_id="r-1")
    assert len(await line.templates()) == 1


async def test_the_order_of_the_pictures_is_part_of_a_request(line: Line) -> None:
    await line.enroll(RED, GREEN, request_id="r-1")
    with pytest.raises(RequestIdReused):
        await line.enroll(GREEN, RED, request_id="r-1")
