"""Makes samples of people on paper, and their evaluation: unit vectors in place of faces, and quality as the test wants it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from facewire_server.evaluation.galleries import Galleries
from facewire_server.evaluation.identification import Plan
from facewire_server.evaluation.labels import LabeledPicture, Labels
from facewire_server.evaluation.results import Evaluation, evaluated
from facewire_server.evaluation.samples import Failure, Gates, Sample, Samples, examined
from facewire_server.evaluation.verification import Thresholds
from facewire_server.evaluation.wanted import Wanted
from facewire_server.pipeline.acquire import Acquired
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.types import DecisionPolicy, Quality
from fakes.gallery import MemoryGallery

__all__ = ["DIMENSION", "GATES", "angle", "evaluation", "people", "picture", "sample", "samples"]

DIMENSION = 64
"""Of the faces of `people`."""

GATES = Gates(
    Gate(QualityLimits(min_inter_eye_px=10)),
    Gate(QualityLimits(prefix="enroll_", min_inter_eye_px=20)),
)
"""A face of 15 px may be searched for and not enrolled; one of 5 px neither."""


def angle(degrees: float) -> np.ndarray:
    """Returns a unit vector in a plane: the similarity of two is the cosine of the angle between them."""
    return np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))], np.float32)


def picture(person: str, number: int, group: str = "", faces: int | None = None) -> LabeledPicture:
    name = f"{person}/{number}.jpg"
    return LabeledPicture(Path("/nowhere") / name, name, person, group, faces)


def sample(
    labeled: LabeledPicture,
    vector: np.ndarray | None,
    *,
    eyes_px: float = 40.0,
    sharpness: float = 9.0,
    faces: int = 1,
) -> Sample:
    """Returns a face, or a picture in which none was found."""
    if vector is None:
        return examined(labeled, 0, GATES)
    quality = Quality(eyes_px, 9.0, 99.0, directional_sharpness=sharpness)
    box = np.array([0, 0, 9, 9], np.float32)
    return examined(labeled, Acquired(faces, box, quality, 1.0, 9.0, vector, vector), GATES)


def samples(
    people: Mapping[str, Sequence[np.ndarray | None]], groups: Mapping[str, str] | None = None
) -> Samples:
    """Returns the pictures of people, in order; None = no face was found."""
    rows = [
        sample(picture(person, number, (groups or {}).get(person, "")), vector)
        for person, vectors in people.items()
        for number, vector in enumerate(vectors)
    ]
    dimension = next(
        len(each) for vectors in people.values() for each in vectors if each is not None
    )
    return Samples(rows, dimension)


def unreadable(labeled: LabeledPicture) -> Sample:
    return Sample(labeled, None, Failure.UNREADABLE, "not a picture")


def people(count: int, common: float = 0.0, pictures: int = 3) -> Samples:
    """Returns people of two groups who resemble one another by `common`, a cosine, and each of their own pictures more."""
    generator = np.random.default_rng(count)
    middle = np.zeros(DIMENSION)
    middle[0] = np.sqrt(common)
    found: dict[str, list[np.ndarray | None]] = {}
    for number in range(count):
        own = generator.normal(size=DIMENSION)
        own[0] = 0.0
        own *= np.sqrt(1 - common) / np.linalg.norm(own)
        looks = [middle + own + 0.02 * generator.normal(size=DIMENSION) for _ in range(pictures)]
        found[f"p{number}"] = [(each / np.linalg.norm(each)).astype(np.float32) for each in looks]
    return samples(found, {name: "one" if place % 2 else "two" for place, name in enumerate(found)})


async def evaluation(
    made: Samples, wanted: Wanted, max_ratio: float = 0.0, *, model: str = "sface"
) -> Evaluation:
    """Evaluates at a threshold of 0.5."""
    store = MemoryGallery(model_contract_id="c" * 64, dimension=DIMENSION)
    return await evaluated(
        made,
        Labels(tuple(row.picture for row in made.rows), None, people_are_known=True),
        model=model,
        configuration={"FACEWIRE_MODELS_TLS_CA": ""},
        thresholds=Thresholds(0.5, 0.5, 0.0),
        wanted=wanted,
        plan=Plan(),
        max_ratio=max_ratio,
        new_gallery=Galleries(store, DecisionPolicy(0.5, 0.0, 0.0)).new,
        progress=lambda _: None,
    )
