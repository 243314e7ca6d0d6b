"""People drawn as colored squares, the models that find, follow and embed them, and a camera before all that."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from functools import partial
from itertools import count
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.events import ignore
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.pipeline.attacks import AttackHints
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.embed import EXACT, Embedder, FrameError
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.frame import FrameReader
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.pipeline.ports import PresentationAttackDetector
from facewire_server.streams.camera.camera import Camera
from facewire_server.streams.camera.line import CameraLine
from facewire_server.streams.values import Arrival, Frame, StreamPlan
from facewire_server.types import (
    DecisionPolicy,
    DetectionOptions,
    Picture,
    PictureLimits,
    Quality,
    Recognition,
    TrackEvent,
)
from facewire_server.work.budget import PixelBudgets
from facewire_server.work.left_behind import LeftBehind
from facewire_server.work.slots import Slot
from fakes.gallery import MemoryGallery
from fakes.two_faces import SHARES

__all__ = [
    "ANN",
    "BOB",
    "CY",
    "DIMENSION",
    "Drawn",
    "Seen",
    "Studio",
    "between_ann_and_bob",
    "drawn",
    "enroll",
]

DIMENSION = 3
SIZE_PX = (640, 480)
_LIMITS = PictureLimits(max_frame_bytes=1 << 22, max_pixels=1 << 22)
_GRAY = 120


class Drawn(NamedTuple):
    """A person in a picture.

    Attributes:
        color: who it is: red, green, blue.
        x, y: of the upper left corner, pixels.
        side: pixels.
    """

    color: tuple[int, int, int]
    x: float
    y: float = 150.0
    side: float = 96.0


ANN: tuple[int, int, int] = (220, 40, 40)
BOB: tuple[int, int, int] = (40, 220, 40)
CY: tuple[int, int, int] = (40, 40, 220)


def drawn(
    *people: Drawn,
    background: NDArray[np.uint8] | int = _GRAY,
    size: tuple[int, int] = SIZE_PX,
    kind: str = ".jpg",
) -> Picture:
    """A picture of people before a gray background; the last is in front."""
    width, height = size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = background if isinstance(background, int) else background[..., None]
    for color, x, y, side in people:
        left, top = max(0, round(x)), max(0, round(y))
        pixels[top : max(0, round(y + side)), left : max(0, round(x + side))] = color
    quality = [cv2.IMWRITE_JPEG_QUALITY, 95] if kind == ".jpg" else []
    return Picture(cv2.imencode(kind, pixels[..., ::-1], quality)[1].tobytes())


def _found(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns the boxes of what is colored, and at least 8 pixels large: (n, 4)."""
    spread = image.max(axis=2).astype(int) - image.min(axis=2)
    kinds = np.where(spread > 90, image.argmax(axis=2) + 1, 0)
    boxes = []
    for kind in (1, 2, 3):
        _, _, parts, _ = cv2.connectedComponentsWithStats((kinds == kind).astype(np.uint8))
        boxes += [part[:4] for part in parts[1:] if min(part[2:4]) >= 8]
    found = np.array(boxes, np.float32).reshape(-1, 4)
    found[:, 2:] += found[:, :2]
    return found


def _answer(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> dict[str, NDArray]:
    sides = boxes[:, None, 2:] - boxes[:, None, :2]
    return {"boxes": boxes, "scores": scores, "landmarks": boxes[:, None, :2] + SHARES * sides}


class _Finding:
    def __init__(self) -> None:
        self.calls = 0
        self.is_away = False

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        self.calls += 1
        if self.is_away:
            raise ModelUnavailable("no answer")
        boxes = _found(inputs["image"])
        return _answer(boxes, np.full(len(boxes), 0.99, np.float32))


class _Following:
    def __init__(self) -> None:
        self.calls = 0
        self.is_away = False

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        self.calls += 1
        if self.is_away:
            raise ModelUnavailable("the signature is gone")
        found, boxes = _found(inputs["image"]), inputs["boxes"].copy()
        scores = np.zeros(len(boxes), np.float32)
        for row, window in enumerate(boxes):
            shared = [_overlap(window, face) for face in found]
            if shared and max(shared) > 0.3:
                boxes[row], scores[row] = found[int(np.argmax(shared))], 0.98
        return _answer(boxes, scores)


def _overlap(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = float(sides.clip(0).prod())
    areas = float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod())
    return shared / max(areas - shared, 1.0)


class _Embedding:
    """Embeds by color, in a plane; `turned_by` radians off."""

    def __init__(self, turned_by: float = 0.0) -> None:
        self.faces = 0
        self._turned_by = turned_by

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        crops = inputs["faces"]
        self.faces += len(crops)
        exact = _embeddings(crops[:, 30:80, 30:80].mean(axis=(1, 2)))
        across = np.cross(_GRAYS, exact)
        turned = np.cos(self._turned_by) * exact + np.sin(self._turned_by) * across
        return {"embeddings": turned.astype(np.float32)}


_GRAYS = np.full(3, 3**-0.5)
"""The axis that all embeddings are perpendicular to."""


def between_ann_and_bob(degrees: float) -> tuple[int, int, int]:
    """Returns the color of a person whose embedding is so far from Ann's; Bob's is at 120 degrees."""
    ann = np.array([2, -1, -1]) / 6**0.5
    angle = np.deg2rad(degrees)
    red, green, blue = 120 + 85 * (np.cos(angle) * ann + np.sin(angle) * np.cross(_GRAYS, ann))
    return round(red), round(green), round(blue)


def _embeddings(colors: NDArray) -> NDArray[np.float32]:
    """Colors to unit vectors; the cosine of two of the three people is -.5."""
    apart = colors - colors.mean(axis=1, keepdims=True) + 1e-3
    unit: NDArray[np.float32] = apart / np.linalg.norm(apart, axis=1, keepdims=True)
    return unit.astype(np.float32)


async def enroll(gallery: MemoryGallery, **people: tuple[int, int, int]) -> None:
    """Enrolls people by their colors."""
    for name, color in people.items():
        result = EnrollmentResult(f"{abs(hash(name)):032x}"[-32:], quality=Quality(40.0, 9.0, 99.0))
        embedding = _embeddings(np.array([color], np.float64))
        await gallery.enroll("default", NewIdentity(name, create=True), [result], embedding)


class Seen(NamedTuple):
    """What a frame led to."""

    recognition: Recognition
    events: list[TrackEvent]

    @property
    def names(self) -> list[str | None]:
        """Of its faces, from left to right; None = no name is shown."""
        faces = sorted(self.recognition.faces, key=lambda face: float(face.box[0]))
        identities = [face.decision.identity if face.decision else None for face in faces]
        return [one.identity_id if one else None for one in identities]


class Studio:
    """A camera, and how often its models were called.

    Attributes:
        camera: works on the frames.
        gallery: of the people.
        finding, following, embedding: the models.
        plan: of the stream.
        can_follow: whether there is a model that follows, now.
    """

    def __init__(
        self,
        threads: Executor,
        *,
        can_follow: bool = True,
        interval_s: float = 0.5,
        gallery: MemoryGallery | None = None,
        min_inter_eye_px: float = 10.0,
        inexact: FrameError = EXACT,
        turned_by: float = 0.0,
        keeps_portraits: bool = False,
        new_id: Callable[[], int] | None = None,
        attacks: PresentationAttackDetector | None = None,
    ) -> None:
        self.can_follow = can_follow
        self.finding, self.following = _Finding(), _Following()
        self.embedding = _Embedding(turned_by)
        self.exact = _Embedding()
        self.gallery = gallery or MemoryGallery(model_contract_id="c" * 64, dimension=DIMENSION)
        self.left_behind = LeftBehind(1)
        reader = FrameReader(
            Detector(self.finding),
            lambda: Follower(self.following) if self.can_follow else None,
            threads=threads,
            budget=PixelBudgets(1 << 22, small_pixels=1 << 22),
        )
        self.plan = StreamPlan(
            "default",
            newest_wins=False,
            decision=DecisionPolicy(0.6, 0.0, min_inter_eye_px),
            detection=DetectionOptions(0.9, 10, 1 / 16),
            camera_id="door",
            search_interval_s=interval_s,
        )
        embedder = Embedder(self.exact, DIMENSION, frames=self.embedding, frame_error=inexact)
        self.line = CameraLine(
            reader,
            embedder,
            self.gallery,
            Gate(QualityLimits()),
            _LIMITS,
            self.left_behind,
            keeps_portraits,
            attacks=AttackHints(attacks, ignore) if attacks else None,
        )
        self._ids = new_id or partial(next, count(1))
        self.camera = Camera(self.line, self.plan, self._ids)
        self._sequence = 0

    def resumed(self) -> Camera:
        """Begins again with another camera, which knows nothing; returns the one before."""
        before, self.camera = self.camera, Camera(self.line, self.plan, self._ids)
        return before

    async def see(self, at_s: float, picture: Picture) -> Seen:
        """Shows the camera a frame; times begin at 1 s or later."""
        self._sequence += 1
        frame = Frame(self._sequence, round(at_s * 1e6), picture)
        arrival = Arrival(frame, time.perf_counter())
        recognition = await self.camera.recognize(arrival, picture, Slot())
        return Seen(recognition, self.camera.take_events())

    async def watch(
        self,
        fps: float,
        seconds: float,
        at: Callable[[float], Iterable[Drawn]],
        *,
        from_s: float = 1.0,
    ) -> list[Seen]:
        """Shows the camera a film: `at` returns the people of a time, which begins at 0."""
        frames = round(fps * seconds)
        return [await self.see(from_s + row / fps, drawn(*at(row / fps))) for row in range(frames)]
