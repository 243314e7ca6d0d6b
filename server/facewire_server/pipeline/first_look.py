"""The first step of a frame, in one go: its file is walked, and its pixels are decoded as large as the next step needs them."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.pictures.decode import decode, reduction
from facewire_server.pictures.header import read_header
from facewire_server.pipeline.canvas import draw_canvas
from facewire_server.pipeline.light import stretched
from facewire_server.pipeline.plan import SearchPlan, search_plan
from facewire_server.pipeline.thumbnail import THUMBNAIL_PX, thumbnail
from facewire_server.types import DetectionOptions, Header, Picture, PictureLimits, Rgb

__all__ = ["Begun", "FirstLook", "Layout", "draw"]

_FOLLOWED_PX: Final = 64
"""Side of the smallest followed face on its canvas, pixels, if the search's canvas shows it as large: O-Net sees 48, and a
window is larger than the face that it shows."""


class Layout:
    """The sizes of a frame.

    Attributes:
        width_px, height_px: of the upright picture.
        plan: of its search.
    """

    def __init__(self, picture: Picture, header: Header, options: DetectionOptions) -> None:
        is_turned = (header.orientation > 4) != (picture.rotation_degrees in (90, 270))
        sides = header.width_px, header.height_px
        self.width_px, self.height_px = sides[::-1] if is_turned else sides
        self.plan: SearchPlan = search_plan(header.width_px, header.height_px, options)
        self._header = header

    def followed_px(self, windows: NDArray[np.float32]) -> int:
        """Returns the shorter side of the canvas on which these windows are followed; without any, that of a thumbnail.

        Args:
            windows: (n, 4) float32, x1, y1, x2, y2 in pixels of the upright picture.
        """
        searched_px = self.plan.short_side_px
        if not len(windows):
            return min(searched_px, *THUMBNAIL_PX)
        smallest_px = max(1.0, float((windows[:, 2:] - windows[:, :2]).max(axis=1).min()))
        wanted_px = min(self.width_px, self.height_px) * _FOLLOWED_PX / smallest_px
        return max(1, min(searched_px, round(wanted_px)))

    def reduction(self, short_side_px: int) -> int:
        """Returns the largest factor by which decoding may shrink the picture, to this shorter side at least."""
        return 1 if self._header.is_cut else reduction(self._header, short_side_px)


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """What the first step found.

    Attributes:
        header: of the picture.
        layout: of the frame.
        image: (h, w, 3) uint8, the upright picture; None: it has more pixels than may be decoded, and nothing else is known.
        reduced_by: the factor by which `image` is smaller than the picture.
        thumbnail: (18, 32) uint8.
        drawn: the canvas on which the windows are followed, and the same in better light; None = without windows.
        drawn_px: shorter side of this canvas; 0 = there is none.
    """

    header: Header
    layout: Layout
    image: Rgb | None
    reduced_by: int
    thumbnail: NDArray[np.uint8]
    drawn: tuple[Rgb, Rgb] | None
    drawn_px: int


@dataclass(frozen=True, slots=True, eq=False)
class FirstLook:
    """What is asked of a frame at first. One step: each way to a thread and back costs as much as the drawing.

    Attributes:
        picture: not decoded yet.
        limits: of a frame.
        options: what counts as a face.
        windows: (n, 4) float32, where faces will be followed; None = the frame will be searched.
    """

    picture: Picture
    limits: PictureLimits
    options: DetectionOptions
    windows: NDArray[np.float32] | None

    def begin(self, most_pixels: int) -> Begun:
        """Walks the file, and decodes the picture if it has no more pixels than that at full size.

        Raises:
            InvalidImage: the picture cannot be used.
            MemoryError, OutOfMemory: there was no memory for it.
        """
        header = read_header(self.picture, self.limits)
        layout = Layout(self.picture, header, self.options)
        if header.pixel_count > most_pixels:
            return Begun(header, layout, None, 0, np.empty((0, 0), np.uint8), None, 0)
        return self.go_on(header, layout)

    def go_on(self, header: Header, layout: Layout) -> Begun:
        """Decodes the picture. Raises as `begin`."""
        has_windows = self.windows is not None and len(self.windows) > 0
        followed_px = 0 if self.windows is None else layout.followed_px(self.windows)
        by = layout.reduction(followed_px or layout.plan.least_short_side_px)
        image = decode(self.picture, header, by)
        drawn = draw(image, followed_px) if has_windows else None
        # Of the image, though the canvas is smaller: its sides are whole multiples of the thumbnail's more often, which is faster.
        small = thumbnail(image)
        return Begun(header, layout, image, by, small, drawn, followed_px if drawn else 0)


def draw(image: Rgb, short_side_px: int) -> tuple[Rgb, Rgb]:
    """Returns the picture as a canvas of this shorter side, and the same in better light if it is dark."""
    canvas = draw_canvas(image, short_side_px)
    return canvas, stretched(canvas)
