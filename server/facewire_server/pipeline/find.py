"""The first half of the line: from the bytes of a picture to aligned crops of its faces."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial

from facewire_server.events import Emit, ignore
from facewire_server.pictures.decode import decode, reduction
from facewire_server.pictures.header import read_header
from facewire_server.pictures.memory import lack_of_memory_named
from facewire_server.pipeline.cut import cut
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.plan import search_plan
from facewire_server.pipeline.search import Searched, search
from facewire_server.pipeline.select import select
from facewire_server.pipeline.surroundings import NO_SURROUNDINGS, surroundings
from facewire_server.types import (
    Decision,
    DetectionOptions,
    Face,
    Faces,
    FaceSelection,
    Header,
    Picture,
    PictureLimits,
    Quality,
    Rgb,
)
from facewire_server.work.budget import PixelBudgets
from facewire_server.work.clock import Clock
from facewire_server.work.left_behind import LeftBehind
from facewire_server.work.picture_clock import picture_clock
from facewire_server.work.slots import Slot

__all__ = ["FaceFinder", "FoundFaces"]


@dataclass(frozen=True, slots=True)
class FoundFaces:
    """The faces of one picture.

    Attributes:
        faces: n faces, in pixels of the upright picture.
        crops: (n, 112, 112, 3) uint8 RGB, aligned; dark ones brightened.
        qualities: of each face, measured before that.
        width_px, height_px: of the upright picture.
        smallest_face_px: side of the smallest face that was searched for, pixels of the upright picture.
        remark: what is wrong with the picture's file, though it was read; "" = nothing.
        surroundings: (n, 80, 80, 3) uint8 RGB, the faces with their surroundings, if these are wanted, else (0, 80, 80, 3).
    """

    faces: Faces
    crops: Rgb
    qualities: list[Quality]
    width_px: int
    height_px: int
    smallest_face_px: float
    remark: str = ""
    surroundings: Rgb = field(default_factory=lambda: NO_SURROUNDINGS)

    def face(
        self, row: int, decision: Decision | None = None, presentation_attack: float | None = None
    ) -> Face:
        """Returns face number `row` as part of an answer."""
        faces = self.faces
        score, quality = float(faces.scores[row]), self.qualities[row]
        return Face(
            faces.boxes[row],
            faces.landmarks[row],
            score,
            quality,
            decision,
            presentation_attack=presentation_attack,
        )


class FaceFinder:
    """Decodes a picture, and finds and crops its faces."""

    def __init__(
        self,
        detector: Detector,
        *,
        limits: PictureLimits,
        threads: Executor,
        budget: PixelBudgets | None = None,
        left_behind: LeftBehind | None = None,
        emit: Emit = ignore,
        follower: Callable[[], Follower | None] = lambda: None,
    ) -> None:
        """Joins the steps.

        Args:
            detector: finds faces.
            limits: of a picture.
            threads: where pixels are worked on.
            budget: shared by all that decode pictures; None = one for this object, in which all pictures are alike.
            left_behind: pictures whose threads go on after their deadline; None = one may.
            emit: takes a `PictureFinished` of each picture.
            follower: called for each picture; returns what looks again at what is almost surely a face, or None: nothing can now.
        """
        self._follower = follower
        self._detector = detector
        self._limits = limits
        self._threads = threads
        self._emit = emit
        self._left_behind = left_behind or LeftBehind(1)
        self._budget = budget or PixelBudgets(limits.max_pixels, small_pixels=limits.max_pixels)

    def clock(self, picture: Picture, purpose: str, slot: Slot) -> AbstractContextManager[Clock]:
        """Starts the clock of a picture; the block is the work on it, and its end a `PictureFinished`.

        Args:
            picture: the one that is worked on.
            purpose: what the picture came for: "recognize", "compare", "enroll" or "negative_example".
            slot: the work slot that the picture holds; the event says how long it was waited for.
        """
        return picture_clock(self._threads, self._emit, purpose, len(picture.data), slot.waited_s)

    async def find(
        self,
        picture: Picture,
        detection: DetectionOptions,
        selection: FaceSelection | None = None,
        *,
        clock: Clock | None = None,
        with_surroundings: bool = False,
    ) -> FoundFaces:
        """Finds the faces of a picture.

        Args:
            picture: not decoded yet.
            detection: what counts as a face.
            selection: which face to return; None = all.
            clock: measures the picture's stages; None = not measured.
            with_surroundings: the faces are wanted with their surroundings, too.

        Raises:
            InvalidImage: the picture cannot be used.
            NoFace, SeveralFaces: `selection` is given and does not name one face.
            OutOfMemory: there was no memory for the picture.
            ModelUnavailable: the detector does not answer.
            TimedOut: the detector has not answered within the picture's time.
        """
        clock = clock or Clock(self._threads)
        return await self._left_behind.run(
            self._find(picture, detection, selection, clock, with_surroundings=with_surroundings)
        )

    async def _find(
        self,
        picture: Picture,
        detection: DetectionOptions,
        selection: FaceSelection | None,
        clock: Clock,
        *,
        with_surroundings: bool,
    ) -> FoundFaces:
        # In a thread: a walk of many MiB would hold up the event loop, and with it every other client.
        with lack_of_memory_named("for the picture"):
            header = await clock.run("decode", read_header, picture, self._limits)
            async with self._budget.taken(header.pixel_count):
                image, searched = await self._decode_and_detect(picture, header, detection, clock)
                faces = searched.faces
                height_px, width_px = image.shape[:2]
                if selection is not None:
                    faces = select(faces, selection, width_px=width_px, height_px=height_px)
                crops, qualities = await clock.run("align", cut, image, faces)
                wide = NO_SURROUNDINGS
                if with_surroundings:
                    wide = await clock.run("align", surroundings, image, faces)
        return FoundFaces(
            faces,
            crops,
            qualities,
            width_px,
            height_px,
            searched.smallest_face_px,
            header.remark,
            wide,
        )

    async def _decode_and_detect(
        self, picture: Picture, header: Header, detection: DetectionOptions, clock: Clock
    ) -> tuple[Rgb, Searched]:
        """Returns the picture at full size, and its faces, which are detected while it is decoded."""
        plan = search_plan(header.width_px, header.height_px, detection)
        reduced_by = reduction(header, plan.least_short_side_px)
        decoding = partial(clock.run, "decode", decode, picture, header)
        small = asyncio.ensure_future(decoding(reduced_by)) if reduced_by > 1 else None
        full = asyncio.ensure_future(decoding(1))

        async def detect() -> tuple[Rgb, Searched]:
            image = await (small or full)
            found = await search(image, plan, self._detector, detection, clock, self._follower())
            return image, found

        # Waits for both even if one fails: the decoder's memory counts for this picture until it ends.
        detecting = asyncio.ensure_future(detect())
        await asyncio.gather(full, detecting, return_exceptions=True)
        image, (small_image, searched) = full.result(), detecting.result()
        by = image.shape[1] / small_image.shape[1], image.shape[0] / small_image.shape[0]
        return image, searched._replace(faces=searched.faces.scaled(*by))
