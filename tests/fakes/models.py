"""Models without a network, for the tests of the `Model` port and of what wraps it."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.backends import saved_model
from facewire_server.errors import ModelUnavailable
from facewire_server.proof import detector_proof
from facewire_server.proof.served import Answer

__all__ = ["FakeEmbedding", "FakeFollow", "FakeReplica", "FakeServed", "write_mtcnn_of_0_1"]

_BACKGROUND: Final = 127
"""Gray level of what is no face, as in the drawing of `detector_proof`."""

_FACE: Final = (detector_proof.GOLDEN_BOX.reshape(2, 2) - 24) / 112
"""Where the face is in the drawing of it, which is 112 pixels wide and begins at 24, 24; in shares of the drawing."""

_LANDMARKS: Final = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
"""In shares of the face's box."""


class FakeEmbedding:
    """The `embedding` servable's tensors: unit vectors that depend on every pixel of a crop."""

    def __init__(self, dimension: int = 128, seed: int = 0) -> None:
        self._weights = np.random.default_rng(seed).standard_normal((27, dimension))

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        if inputs.keys() != {"faces"}:
            raise ModelUnavailable(f"the model takes ['faces'], not {sorted(inputs)}")
        faces = inputs["faces"].astype(np.float64) - 127.3
        cells = faces[:, :111, :111].reshape(-1, 3, 37, 3, 37, 3).mean(axis=(2, 4)).reshape(-1, 27)
        vectors = cells @ self._weights
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return {"embeddings": unit.astype(np.float32)}


class FakeFollow:
    """The `mtcnn` servable's signature `follow`: whatever stands out from plain gray is a drawn face.

    A window shows the face that covers most of it, if that is a third of both together at least.
    """

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        if inputs.keys() != {"image", "boxes"}:
            raise ModelUnavailable(f"the model takes ['boxes', 'image'], not {sorted(inputs)}")
        drawn = (inputs["image"] != _BACKGROUND).any(axis=2).astype(np.uint8)
        _, _, found, _ = cv2.connectedComponentsWithStats(drawn)
        corners, sizes = found[1:, None, :2], found[1:, None, 2:4]
        faces = (corners + _FACE * sizes).reshape(-1, 4).astype(np.float32)
        return self._answer(faces, inputs["boxes"])

    def _answer(self, faces: NDArray, windows: NDArray) -> dict[str, NDArray]:
        boxes = np.clip(np.nan_to_num(windows, posinf=0, neginf=0), -1e6, 1e6)
        scores = np.zeros(len(windows), np.float32)
        for row, window in enumerate(boxes):
            if (
                not np.isfinite(windows[row]).all()
                or (window[2:] <= window[:2]).any()
                or not len(faces)
            ):
                continue
            overlaps = [detector_proof.iou(window, face) for face in faces]
            if max(overlaps) > 1 / 3:
                boxes[row], scores[row] = faces[np.argmax(overlaps)], 0.99
        sides = boxes[:, None, 2:] - boxes[:, None, :2]
        landmarks = boxes[:, None, :2] + sides * _LANDMARKS.astype(np.float32)
        return {"boxes": boxes, "scores": scores, "landmarks": landmarks}


class FakeReplica:
    """A replica of a served model.

    Attributes:
        address: as logs name it.
        result: version and output of an answer; an error is raised instead.
        state: is raised by a check.
        asked: number of calls.
        connection: to be changed when a connection is lost.
        is_connected: whether one is open.
        gate: calls wait until it is set.
        timeouts_s: of the calls.
    """

    def __init__(self, address: str, result: tuple[int, NDArray] | Exception) -> None:
        self.address = address
        self.result = result
        self.state: Exception | None = None
        self.asked = 0
        self.connection = 0
        self.is_connected = True
        self.gate = asyncio.Event()
        self.gate.set()
        self.timeouts_s: list[float | None] = []

    async def answer(self, inputs: Mapping[str, NDArray], timeout_s: float | None) -> Answer:
        self.asked += 1
        self.timeouts_s.append(timeout_s)
        await self.gate.wait()
        if isinstance(self.result, Exception):
            raise self.result
        version, output = self.result
        return Answer(version, {"embeddings": output})

    async def check(self) -> None:
        if self.state:
            raise self.state


class FakeServed:
    """A served model of these replicas.

    Attributes:
        members: the replicas now.
    """

    name = "embedding"

    def __init__(self, *results: tuple[int, NDArray] | Exception) -> None:
        self.members = [FakeReplica(f"10.0.0.{row}:1", one) for row, one in enumerate(results, 1)]

    async def replicas(self) -> Sequence[FakeReplica]:
        return self.members


def write_mtcnn_of_0_1(models: Path, folder: Path) -> None:
    """Writes the servable as it was before it had the signature `follow`, as `folder/mtcnn/1`.

    Args:
        models: the folder of the built SavedModels.
        folder: of models.
    """
    target = folder / "mtcnn/1"
    shutil.copytree(models / "mtcnn/1", target)
    shutil.rmtree(target / "assets.extra")  # its warm-up requests call the signature
    saved = saved_model._SavedModel.FromString((target / "saved_model.pb").read_bytes())
    for graph in saved.meta_graphs:
        del graph.signatures["follow"]
    (target / "saved_model.pb").write_bytes(saved.SerializeToString())
