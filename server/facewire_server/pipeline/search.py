"""Searches a decoded picture for faces: whole, in better light if it is dark, and in tiles if its plan has them."""

import time
from typing import Final, NamedTuple

from facewire_server.pipeline.canvas import draw_canvas, resized
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.follow import Follower
from facewire_server.pipeline.light import stretched
from facewire_server.pipeline.merge import merged
from facewire_server.pipeline.plan import SearchPlan, tiles_of
from facewire_server.pipeline.second_look import ALMOST_SURE, looked_at_again
from facewire_server.pipeline.tiles import Tile, shown_whole
from facewire_server.types import DetectionOptions, Faces, Rgb
from facewire_server.work.clock import Clock
from facewire_server.work.deadline import remaining_s

__all__ = ["Searched", "search"]

_TILES_SHARE: Final = 0.5
"""Share of the time that a picture has left which its tiles may take; the rest is for its faces. Chosen, not measured."""


class Searched(NamedTuple):
    """What a search found.

    Attributes:
        faces: in pixels of the picture, highest score first.
        smallest_face_px: side of the smallest face that was searched for, pixels of the picture at full size.
    """

    faces: Faces
    smallest_face_px: float


async def search(
    image: Rgb,
    plan: SearchPlan,
    detector: Detector,
    options: DetectionOptions,
    clock: Clock,
    follower: Follower | None = None,
) -> Searched:
    """Finds the faces of a picture.

    The tiles come after the whole picture, and only as long as its time allows: what was found before is returned in any
    case.

    Args:
        image: (h, w, 3) uint8 RGB, decoded at any size.
        plan: how finely to search.
        detector: finds faces on a canvas.
        options: what counts as a face.
        clock: measures the stages, and has the threads.
        follower: looks again at what is almost surely a face; None = nothing does.

    Raises:
        ModelUnavailable: the detector does not answer.
        TimedOut: it has not answered within the picture's time.
    """
    search = _Search(detector, options, clock, follower)
    whole = await search.whole(image, plan.short_side_px)
    if not plan.tiled_long_side_px:
        return Searched(whole, plan.smallest_face_px * detector.coarser_by)
    parts, is_complete = await search.tiles(image, plan)
    smallest_px = plan.tiled_smallest_face_px if is_complete else plan.smallest_face_px
    faces = await clock.run("detect", merged, [whole, *parts], options.max_faces)
    return Searched(faces, smallest_px * detector.coarser_by)


class _Search:
    """The searches of one picture."""

    def __init__(
        self,
        detector: Detector,
        options: DetectionOptions,
        clock: Clock,
        follower: Follower | None,
    ) -> None:
        self._detector = detector
        self._options = options
        self._clock = clock
        self._follower = follower
        self._pixel_s = 0.0  # seconds that the slowest search took for each pixel of its canvas

    async def whole(self, image: Rgb, short_side_px: int) -> Faces:
        canvas, lit = await self._clock.run("decode", _draw, image, short_side_px)
        faces = await self._faces(canvas, lit, image)
        return faces.scaled(image.shape[1] / canvas.shape[1], image.shape[0] / canvas.shape[0])

    async def tiles(self, image: Rgb, plan: SearchPlan) -> tuple[list[Faces], bool]:
        """Returns the faces of each tile searched, and whether these are all tiles."""
        left_s = remaining_s()
        until_s = float("inf") if left_s is None else time.perf_counter() + left_s * _TILES_SHARE
        height, width = image.shape[:2]
        by = plan.tiled_long_side_px / max(height, width)
        canvas = max(1, round(width * by)), max(1, round(height * by))
        found: list[Faces] = []
        for tile in tiles_of(*canvas, plan):
            size = tile.right - tile.left, tile.bottom - tile.top
            if time.perf_counter() + self._pixel_s * size[0] * size[1] > until_s:
                return found, False
            place = Tile(
                *(
                    round(at * whole / of)
                    for at, whole, of in zip(tile, (width, height) * 2, canvas * 2, strict=True)
                )
            )
            part = image[place.top : place.bottom, place.left : place.right]
            faces = await self._faces(
                *await self._clock.run("decode", _draw_tile, part, size, by), part
            )
            faces = faces.scaled(part.shape[1] / size[0], part.shape[0] / size[1])
            found.append(shown_whole(faces.moved(place.left, place.top), place, width, height))
        return found, True

    async def _faces(self, canvas: Rgb, lit: Rgb, image: Rgb) -> Faces:
        """Searches a canvas of an image; a dark one, whose light may be uneven, as it is and with its luma stretched."""
        started_s = time.perf_counter()
        found = [await self._sure(canvas, image)]
        if lit is not canvas:
            found.append(await self._sure(lit, lit))
        faces = found[0]
        if len(found) > 1:
            faces = await self._clock.run("detect", merged, found, self._options.max_faces)
        took_s = time.perf_counter() - started_s
        self._pixel_s = max(self._pixel_s, took_s / (canvas.shape[0] * canvas.shape[1]))
        return faces

    async def _sure(self, canvas: Rgb, source: Rgb) -> Faces:
        """Finds the faces of a canvas; what is almost surely one is looked at again in the picture that it was drawn from."""
        options, follower = self._options, self._follower
        with self._clock.stage("detect"):
            if follower is None:
                return await self._detector.detect(canvas, options)
            found = await self._detector.propose(canvas, ALMOST_SURE)
        return await looked_at_again(found, canvas, source, options, follower, self._clock)


def _draw(image: Rgb, short_side_px: int) -> tuple[Rgb, Rgb]:
    canvas = draw_canvas(image, short_side_px)
    return canvas, stretched(canvas)


def _draw_tile(part: Rgb, size: tuple[int, int], scale: float) -> tuple[Rgb, Rgb]:
    canvas = resized(part, size, scale)
    return canvas, stretched(canvas)
