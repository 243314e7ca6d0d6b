"""One frame of a stream, decoded only as far as it is needed: for a thumbnail, to be searched or followed, or in full."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import NotImplementedYet
from facewire_server.events import Emit, ignore
from facewire_server.pictures.decode import decode, reduction
from facewire_server.pictures.face_crop import face_crop
from facewire_server.pictures.header import read_header
from facewire_server.pictures.memory import lack_of_memory_named
from facewire_server.pipeline.canvas import draw_canvas
from facewire_server.pipeline.cut import cut
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.face_gray import face_grays
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.light import stretched
from facewire_server.pipeline.plan import search_plan
from facewire_server.pipeline.search import search
from facewire_server.pipeline.thumbnail import THUMBNAIL_PX, thumbnail
from facewire_server.types import (
    DetectionOptions,
    Faces,
    Header,
    Picture,
    PictureLimits,
    Quality,
    Rgb,
)
from facewire_server.work.budget import PixelBudgets
from facewire_server.work.clock import Clock
from facewire_server.work.picture_clock import picture_clock

__all__ = ["FrameReader", "OpenFrame"]

_FOLLOWED_PX: Final = 64
"""Side of the smallest followed face on its canvas, pixels, if the search's canvas shows it as large: O-Net sees 48, and a
window is larger than the face that it shows."""

_FULL: Final = 1 << 30
"""A shorter side that no picture has, pixels: decoded for it, a picture is not reduced."""


class OpenFrame:
    """A frame whose file was walked; its pixels are decoded when they are asked for, and are in memory from then on.

    Attributes:
        width_px, height_px: of the upright picture.
        smallest_face_px: side of the smallest face that a search looks for, pixels of the upright picture.
        remark: what is wrong with the picture's file, though it is read; "" = nothing.
        can_follow: whether faces can be followed; if not, the frame is to be searched.
    """

    def __init__(
        self,
        picture: Picture,
        header: Header,
        detector: Detector,
        follower: Follower | None,
        options: DetectionOptions,
        clock: Clock,
    ) -> None:
        is_turned = (header.orientation > 4) != (picture.rotation_degrees in (90, 270))
        sides = header.width_px, header.height_px
        self.width_px, self.height_px = sides[::-1] if is_turned else sides
        self.remark = header.remark
        self._plan = search_plan(header.width_px, header.height_px, options)
        self.smallest_face_px = self._plan.smallest_face_px
        self._picture = picture
        self._header = header
        self._detector = detector
        self.can_follow = follower is not None
        self._follower = follower
        self._options = options
        self._clock = clock
        self._image: Rgb | None = None
        self._reduced_by = 0
        self._drawn: tuple[Rgb, Rgb] | None = None
        self._drawn_px = 0

    async def thumbnail(self, windows: NDArray[np.float32] | None) -> NDArray[np.uint8]:
        """Returns the picture as few gray levels, (18, 32) uint8.

        Args:
            windows: of the faces to be followed next, so that the picture is decoded once for both; None = it is to be
                searched next.
        """
        followed_px = 0 if windows is None else self._followed_px(windows)
        by = self._reduction(followed_px or self._plan.least_short_side_px)
        drawn_px = followed_px if windows is not None and len(windows) else 0
        # One step: each way to a thread and back costs as much as the drawing.
        self._image, small, self._drawn = await self._clock.run(
            "decode", _begun, self._picture, self._header, by, drawn_px
        )
        self._reduced_by, self._drawn_px = by, drawn_px
        return small

    async def search(self) -> Faces:
        """Searches the whole picture; the faces are in its pixels, highest score first.

        Raises:
            ModelUnavailable: the detector does not answer.
            TimedOut: it has not answered within the picture's time.
        """
        image = await self._decoded(self._plan.least_short_side_px)
        found = await search(image, self._plan, self._detector, self._options, self._clock)
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
            raise NotImplementedYet("the detector cannot follow")
        if not len(windows):
            return await self._follower.follow(np.empty((0, 0, 3), np.uint8), windows)
        side_px = self._followed_px(windows)
        if self._drawn is None or self._drawn_px != side_px:
            image = await self._decoded(side_px)
            self._drawn = await self._clock.run("decode", _draw, image, side_px)
            self._drawn_px = side_px
        canvas, lit = self._drawn
        by = canvas.shape[1] / self.width_px, canvas.shape[0] / self.height_px
        scaled = (windows * np.tile(by, 2)).astype(np.float32)
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
        image = await self._decoded(0)
        by = image.shape[1] / self.width_px, image.shape[0] / self.height_px
        return await self._clock.run("align", face_grays, image, faces.boxes * np.tile(by, 2))

    async def crops(self, faces: Faces) -> tuple[Rgb, list[Quality]]:
        """Decodes the picture in full and cuts faces out of it: (n, 112, 112, 3) uint8 RGB, and n qualities.

        Raises:
            UndecodableImage: the picture is damaged, which is seen at full size only.
        """
        image = await self._decoded(_FULL)
        return await self._clock.run("align", cut, image, faces)

    async def portraits(self, faces: Faces) -> list[bytes]:
        """Returns a JPEG of each face with some of its surroundings: to look at, and to enroll; b"" of one that lies outside."""
        image = await self._decoded(_FULL)
        return [await self._clock.run("align", _portrait, image, box) for box in faces.boxes]

    def _upright(self, faces: Faces, image: Rgb) -> Faces:
        return faces.scaled(self.width_px / image.shape[1], self.height_px / image.shape[0])

    def _followed_px(self, windows: NDArray[np.float32]) -> int:
        """Returns the shorter side of the canvas on which these windows are followed; without any, that of a thumbnail."""
        searched_px = self._plan.short_side_px
        if not len(windows):
            return min(searched_px, *THUMBNAIL_PX)
        smallest_px = max(1.0, float((windows[:, 2:] - windows[:, :2]).max(axis=1).min()))
        wanted_px = min(self.width_px, self.height_px) * _FOLLOWED_PX / smallest_px
        return max(1, min(searched_px, round(wanted_px)))

    def _reduction(self, short_side_px: int) -> int:
        return 1 if self._header.is_cut else reduction(self._header, short_side_px)

    async def _decoded(self, short_side_px: int) -> Rgb:
        """Returns the picture, reduced as far as this shorter side allows, or larger if it is in memory already."""
        by = self._reduction(short_side_px)
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

    @asynccontextmanager
    async def opened(
        self, picture: Picture, limits: PictureLimits, options: DetectionOptions, clock: Clock
    ) -> AsyncIterator[OpenFrame]:
        """Opens a frame for the block, in which its pixels count for the budget.

        Args:
            picture: not decoded yet.
            limits: of a frame.
            options: what counts as a face.
            clock: measures the stages, and has the threads.

        Raises:
            InvalidImage: the picture cannot be used.
            OutOfMemory: there was no memory for it, in the block, too.
        """
        with lack_of_memory_named("for the picture"):
            # In a thread: a walk of many MiB would hold up the event loop, and with it every other client.
            header = await clock.run("decode", read_header, picture, limits)
            async with self._budget.taken(header.pixel_count):
                follower = self._follower()
                yield OpenFrame(picture, header, self._detector, follower, options, clock)


def _begun(
    picture: Picture, header: Header, reduced_by: int, drawn_px: int
) -> tuple[Rgb, NDArray[np.uint8], tuple[Rgb, Rgb] | None]:
    """Returns the pixels, the thumbnail, and the canvas of this shorter side; 0 = no canvas."""
    image = decode(picture, header, reduced_by)
    return image, thumbnail(image), _draw(image, drawn_px) if drawn_px else None


def _draw(image: Rgb, short_side_px: int) -> tuple[Rgb, Rgb]:
    canvas = draw_canvas(image, short_side_px)
    return canvas, stretched(canvas)


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
