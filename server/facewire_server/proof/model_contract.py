"""The model contract: identifies a space of embeddings, and verifies that a model belongs to it.

Embeddings can be compared only if everything that shapes them is the same: weights, alignment,
crop, resampling, preprocessing. The model contract lists these; its id is stored with every gallery,
and a gallery of another id is refused. The bytes of a SavedModel prove nothing, since two exports of the
same weights differ; its embeddings of the canary do.
"""

import hashlib
import json
import math
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.embed import Embedder, FrameError
from facewire_server.pipeline.ports import Model
from facewire_server.proof import canary
from facewire_server.thresholds import Calibration

__all__ = ["Bfloat16", "ModelContract", "prove", "prove_bfloat16"]


class Bfloat16(NamedTuple):
    """How far a model in bfloat16 may lie from itself in float32.

    Attributes:
        min_cosine: the lowest result of the canary at which it counts as proven.
        frame_error: of the embedding of a face.
    """

    min_cosine: float
    frame_error: FrameError


@dataclass(frozen=True, slots=True, eq=False)
class ModelContract:
    """A space of embeddings.

    Attributes:
        id: 64 hexadecimal digits, the SHA-256 of the terms as canonical JSON (RFC 8785 for
            strings and integers: sorted keys, no spaces, UTF-8).
        dimension: length of an embedding.
        golden: (4, dimension) float32, the embeddings of `canary.crops()`.
        upside_down: (dimension,) float32 of unit length, the mean embedding of faces that stand on their heads, or None
            if the file states none. It is not a term either.
        calibration: how often different people are how similar, or None if the file states nothing. No term: a better one
            changes no embedding, so galleries stay usable.
        min_norm, enroll_min_norm: smallest length of an embedding before it is normalized, of a face to recognize and to
            enroll; 0 = any, if the file states none. They are in the model's own scale, and no terms.
        bfloat16: what was measured of the model in bfloat16, or None if the file states nothing: then every embedding is
            in float32. No term: only embeddings that are not kept are made with it.
        servable: name of the servable, and of its folder; "embedding" if the file names none. It is no term: the same
            model may be served under any name.
        non_commercial: the license of the weights, if it forbids commercial use; else "". No term.
    """

    id: str
    dimension: int
    golden: NDArray[np.float32]
    upside_down: NDArray[np.float32] | None = None
    min_norm: float = 0.0
    enroll_min_norm: float = 0.0
    bfloat16: Bfloat16 | None = None
    calibration: Calibration | None = None
    servable: str = "embedding"
    non_commercial: str = ""

    @classmethod
    def from_json(cls, text: str) -> "ModelContract":
        """Reads the text of a model contract's file.

        Raises:
            ValueError: it is not a model contract.
        """
        try:
            document = json.loads(text)
            terms = document["contract"]
            golden = np.array(document["canary"]["golden"], np.float32)
            dimension = int(terms["dimension"])
            upside_down = _direction(document.get("upside_down"), dimension)
            min_norm, enroll_min_norm = (
                _norm(document.get(name, 0.0)) for name in ("min_norm", "enroll_min_norm")
            )
            bfloat16 = _bfloat16(document.get("bfloat16"))
            calibration = _calibration(document.get("calibration"))
            servable = _servable(document.get("servable", "embedding"))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a model contract: {error}") from error
        if golden.shape != (len(canary.crops()), dimension):
            raise ValueError("not a model contract: the canary is not of its dimension")
        canonical = json.dumps(terms, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        contract_id = hashlib.sha256(canonical.encode()).hexdigest()
        return cls(
            contract_id,
            dimension,
            golden,
            upside_down,
            min_norm,
            enroll_min_norm,
            bfloat16,
            calibration,
            servable,
            str(document.get("non_commercial", "")),
        )


def _direction(numbers: Any, dimension: int) -> NDArray[np.float32] | None:
    if numbers is None:
        return None
    vector = np.array(numbers, np.float32)
    length = np.linalg.norm(vector)
    if vector.shape != (dimension,) or not (np.isfinite(length) and length > 0):
        raise ValueError("not a model contract: upside_down is no vector of its dimension")
    direction: NDArray[np.float32] = vector / length
    return direction


def _norm(stated: Any) -> float:
    norm = float(stated)
    if not (math.isfinite(norm) and norm >= 0):
        raise ValueError("not a model contract: a norm is no length")
    return norm


def _bfloat16(stated: Any) -> Bfloat16 | None:
    if stated is None:
        return None
    names = ("min_cosine", "similarity_error", "norm_error")
    min_cosine, *errors = (float(stated[name]) for name in names)
    if not (0 < min_cosine <= 1 and all(0 <= error < 1 for error in errors)):
        raise ValueError("not a model contract: the bounds of bfloat16 are no bounds")
    return Bfloat16(min_cosine, FrameError(*errors))


def _calibration(stated: Any) -> Calibration | None:
    if stated is None:
        return None
    points = ((one["fmr"], one["similarity"], one["fmr_bound"]) for one in stated["points"])
    return Calibration.checked(stated["mean"], stated["spread"], points, stated["measured_to_fmr"])


def _servable(name: Any) -> str:
    if not (isinstance(name, str) and re.fullmatch(r"[a-z0-9_]+", name)):
        raise ValueError("not a model contract: servable is no name of a folder")
    return name


async def prove(model: Model, contract: ModelContract) -> None:
    """Shows the canary to a model of the `embedding` servable.

    Raises:
        ModelUnavailable: the model does not answer, or is not the model contract's.
        TimedOut: it has not answered before the deadline.
    """
    await _prove(model, contract, canary.CANARY_MIN_COSINE)


async def prove_bfloat16(model: Model, contract: ModelContract, bounds: Bfloat16) -> None:
    """Shows the canary to the same model in bfloat16; raises as `prove`."""
    await _prove(model, contract, bounds.min_cosine)


async def _prove(model: Model, contract: ModelContract, min_cosine: float) -> None:
    embeddings, _ = await Embedder(model, contract.dimension).embed(canary.crops())
    cosine = canary.check(embeddings, contract.golden)
    if cosine < min_cosine:
        raise ModelUnavailable(
            "the embedding model is not the one of the model contract: the cosine of its canary is "
            f"{cosine:.5f}, at least {min_cosine} is required"
        )
