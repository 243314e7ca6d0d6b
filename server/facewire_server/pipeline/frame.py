"""One frame of a stream, decoded only as far as it is needed: for a thumbnail, to be searched or followed, or in full."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.events import Emit, ignore
from facewire_server.pictures.decode import decode
from facewire_server.pictures.face_crop import face_crop
from facewire_server.pictures.memory import lack_of_memory_named
from facewire_server.pipeline.cut import cut
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.face_gray import FACE_GRAY_PX, face_grays
from facewire_server.pipeline.first_look import Begun, FirstLook, draw
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.search import search
from facewire_server.pipeline.surroundings import surroundings
from facewire_server.types import Faces, Picture, Quality, Rgb
from facewire_server.work.budget import PixelBudgets
from facewire_server.work.clock import Clock
from facewire_server.work.picture_clock import picture_clock

__all__ = ["FrameReader", "OpenFrame"]

_FULL: Final = 1 << 30
"""A shorter side that no picture has, pixels: decoded for it, a picture is not reduced."""

_FEW_FACES: Final = 4
"""Faces whose gray levels are taken on the event loop. Measured: 30 microseconds each, and the way to a thread and back takes 120."""


class OpenFrame:
    """A frame whose pixels are in memory, as large as the first step needed them; larger ones are decoded when they are asked for.

    Attributes:
        width_px, height_px: of the upright picture.
        smallest_face_px: side of the smallest face that a search looks for, pixels of the upright picture.
        remark: what is wrong with the picture's file, though it is read; "" = nothing.
        thumbnail: the picture as few gray levels, (18, 32) uint8.
    """

    def __init__(
        self,
        asked: FirstLook,
        begun: Begun,
        detector: Detector,
        follower: Follower | None,
        clock: Clock,
    ) -> None:
        self._layout = begun.layout
        self.width_px, self.height_px = begun.layout.width_px, begun.layout.height_px
        self.remark = begun.header.remark
        self.smallest_face_px = begun.layout.plan.smallest_face_px * detector.coarser_by
        self.thumbnail = begun.thumbnail
        self._picture = asked.picture
        self._options = asked.options
        self._header = begun.header
        self._detector = detector
        self._follower = follower
        self._clock = clock
        self._image: Rgb | None = begun.image
        self._reduced_by = begun.reduced_by
        self._drawn: tuple[Rgb, Rgb] | None = begun.drawn
        self._drawn_px = begun.drawn_px

    async def search(self) -> Faces:
        """Searches the whole picture; the faces are in its pixels, highest score first.

        Raises:
            ModelUnavailable: the detector does not answer.
            TimedOut: it has not answered within the picture's time.
        """
        plan = self._layout.plan
        image = await self._decoded(plan.least_short_side_px)
        found = await search(
            image, plan, self._detector, self._options, self._clock, self._follower
        )
        return self._upright(found.faces, image)

    async def follow(self, windows: NDArray[np.float32]) -> Faces:
        """Looks for one face in and near each window.

        Args:
            windows: (n, 4) float32, x1, y1, x2, y2 in pixels of the picture: where each face is expected. n may be 0.

        Returns:
            The n faces in the order of the windows, in pixels of the picture; no threshold is applied to the scores.

        Raises:
            ModelUnavailable, TimedOut: as `search`.
        """
        if self._follower is None:
            raise ModelUnavailable("the detector cannot follow")
        if not len(windows):
            return await self._follower.follow(np.empty((0, 0, 3), np.uint8), windows)
        side_px = self._layout.followed_px(windows)
        if self._drawn is None or self._drawn_px != side_px:
            image = await self._decoded(side_px)
            self._drawn = await self._clock.run("decode", draw, image, side_px)
            self._drawn_px = side_px
        canvas, lit = self._drawn
        by = canvas.shape[1] / self.width_px, canvas.shape[0] / self.height_px
        scaled = windows * np.array(by * 2, np.float32)
        with self._clock.stage("detect"):
            faces = await self._follower.follow(canvas, scaled)
            if lit is not canvas:
                faces = _better(faces, await self._follower.follow(lit, scaled))
        return self._upright(faces, canvas)

    async def face_grays(self, faces: Faces) -> NDArray[np.uint8]:
        """Returns the gray levels of n faces, (n, 24, 24) uint8, of the picture as it is in memory.

        Args:
            faces: of this frame, which was searched or followed.
        """
        if not len(faces):
            return np.empty((0, FACE_GRAY_PX, FACE_GRAY_PX), np.uint8)
        image = await self._decoded(0)
        by = image.shape[1] / self.width_px, image.shape[0] / self.height_px
        boxes = faces.boxes * np.array(by * 2)
        if len(faces) > _FEW_FACES:
            return await self._clock.run("align", face_grays, image, boxes)
        with self._clock.stage("align"):
            return face_grays(image, boxes)

    async def crops(self, faces: Faces) -> tuple[Rgb, list[Quality]]:
        """Decodes the picture in full and cuts faces out of it: (n, 112, 112, 3) uint8 RGB, and n qualities.

        Raises:
            UndecodableImage: the picture is damaged, which is seen at full size only.
        """
        image = await self._decoded(_FULL)
        return await self._clock.run("align", cut, image, faces)

    async def surroundings(self, faces: Faces) -> Rgb:
        """Returns the faces with their surroundings, (n, 80, 80, 3) uint8 RGB."""
        image = await self._decoded(_FULL)
        return await self._clock.run("align", surroundings, image, faces)

    async def portraits(self, faces: Faces) -> list[bytes]:
        """Returns a JPEG of each face with some of its surroundings: to look at, and to enroll; b"" of one that lies outside."""
        image = await self._decoded(_FULL)
        return [await self._clock.run("align", _portrait, image, box) for box in faces.boxes]

    def _upright(self, faces: Faces, image: Rgb) -> Faces:
        return faces.scaled(self.width_px / image.shape[1], self.height_px / image.shape[0])

    async def _decoded(self, short_side_px: int) -> Rgb:
        """Returns the picture, reduced as far as this shorter side allows, or larger if it is in memory already."""
        by = self._layout.reduction(short_side_px)
        if self._image is None or by < self._reduced_by:
            self._image = None  # not two of them in memory
            self._image = await self._clock.run("decode", decode, self._picture, self._header, by)
            self._reduced_by = by
        return self._image


class FrameReader:
    """Opens the frames of all streams."""

    def __init__(
        self,
        detector: Detector,
        follower: Callable[[], Follower | None],
        *,
        threads: Executor,
        budget: PixelBudgets,
        emit: Emit = ignore,
    ) -> None:
        """Joins the steps.

        Args:
            detector: finds faces.
            follower: called for each frame; returns what follows faces, or None: the served model cannot do that now.
            threads: where pixels are worked on.
            budget: shared by all that decode pictures.
            emit: takes a `PictureFinished` of each frame.
        """
        self._detector = detector
        self._follower = follower
        self._threads = threads
        self._budget = budget
        self._emit = emit

    def clock(self, picture: Picture, waited_s: float) -> AbstractContextManager[Clock]:
        """Starts the clock of a frame; the block is the work on it, and its end a `PictureFinished`.

        Args:
            picture: the frame's.
            waited_s: seconds from its arrival to its slot.
        """
        return picture_clock(self._threads, self._emit, "stream", len(picture.data), waited_s)

    @property
    def can_follow(self) -> bool:
        """Whether faces can be followed now; if not, frames are to be searched."""
        return self._follower() is not None

    @asynccontextmanager
    async def opened(
        self, asked: FirstLook, clock: Clock, *, usual_pixels: int = 0
    ) -> AsyncIterator[OpenFrame]:
        """Opens a frame for the block, in which its pixels count for the budget.

        Args:
            asked: the frame, and what is to be done with it next.
            clock: measures the stages, and has the threads.
            usual_pixels: of the frames before, at full size: room for as many is taken before the file is walked, so that
                a frame that needs no more is decoded in the same step. 0 = not known.

        Raises:
            InvalidImage: the picture cannot be used.
            OutOfMemory: there was no memory for it, in the block, too.
        """
        with lack_of_memory_named("for the picture"):
            async with self._budget.taken(usual_pixels):
                # In a thread: a walk of many MiB would hold up the event loop, and with it every other client.
                begun = await clock.run("decode", asked.begin, usual_pixels)
                if begun.image is not None:
                    yield self._frame(asked, begun, clock)
                    return
            async with self._budget.taken(begun.header.pixel_count):
                begun = await clock.run("decode", asked.go_on, begun.header, begun.layout)
                yield self._frame(asked, begun, clock)

    def _frame(self, asked: FirstLook, begun: Begun, clock: Clock) -> OpenFrame:
        return OpenFrame(asked, begun, self._detector, self._follower(), clock)


def _portrait(image: Rgb, box: NDArray[np.float32]) -> bytes:
    try:
        return face_crop(image, box)
    except ValueError:
        return b""


def _better(faces: Faces, others: Faces) -> Faces:
    """Returns of each row the face with the higher score."""
    is_other = others.scores > faces.scores
    return Faces(
        np.where(is_other[:, None], others.boxes, faces.boxes),
        np.where(is_other, others.scores, faces.scores),
        np.where(is_other[:, None, None], others.landmarks, faces.landmarks),
    )
