"""Whatever the threshold, a frame that is embedded in bfloat16 is decided about as in float32: with the real models."""

from pathlib import Path

import numpy as np
import pytest

from facewire_server.app.values import read_model_contract
from facewire_server.galleries.records import SearchResult
from facewire_server.models import Models, open_models
from facewire_server.pipeline.match import decisions
from facewire_server.pipeline.near import is_near
from facewire_server.proof import canary
from facewire_server.types import Candidate, Decision, DecisionPolicy, Outcome

WITHOUT_DETECTOR = {"detector_address": "127.0.0.1:1"}


@pytest.fixture
def looks() -> np.ndarray:
    """Sixteen noisy pictures of the canary's face."""
    face = canary.crops()[3].astype(np.int16)
    noise = np.random.default_rng(35).integers(-40, 41, (16, *face.shape), dtype=np.int16)
    return np.clip(face + noise, 0, 255).astype(np.uint8)


async def decided(
    models: Models, look: np.ndarray, template: np.ndarray, threshold: float, *, exact: bool
) -> tuple[Decision, bool]:
    """Returns the decision, and whether it is near."""
    probe = (await models.embedder.embed(look[None], exact=exact)).embeddings[0]
    found = (Candidate("face", "", float(probe @ template), "t"),)
    policy = DecisionPolicy(threshold=threshold, min_margin=0.03, min_inter_eye_px=8.0)
    (decision,) = decisions(SearchResult(1, (found,), 1), np.array([True]), policy)
    return decision, is_near(decision, found, policy, models.embedder.frame_error.similarity)


async def test_no_decision_depends_on_bfloat16(models: Path, looks: np.ndarray) -> None:
    async with open_models(
        read_model_contract("sface"),
        folder=models,
        threads=2,
        addresses=WITHOUT_DETECTOR,
        embed_frames="bfloat16",
    ) as opened:
        template = (await opened.embedder.embed_mirrored(canary.crops()[3:])).embeddings[0]
        exact = await opened.embedder.embed(looks)
        frames = await opened.embedder.embed(looks, exact=False)
        similarities = zip(exact.embeddings @ template, frames.embeddings @ template, strict=True)
        differ = 0
        for look, (right, quick) in zip(looks, similarities, strict=True):
            assert abs(right - quick) <= opened.embedder.frame_error.similarity
            if right == quick:  # a processor without bfloat16
                continue
            # Between the two: one reaches this threshold, the other does not.
            threshold = float(right + quick) / 2
            first, near = await decided(opened, look, template, threshold, exact=False)
            again, _ = await decided(opened, look, template, threshold, exact=True)
            assert near
            assert (again.outcome is Outcome.KNOWN) == (right > threshold)
            differ += first.outcome is not again.outcome
        assert differ or np.array_equal(exact.embeddings, frames.embeddings), (
            "or nothing was tested"
        )
