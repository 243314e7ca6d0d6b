"""The first half of a frame: what it shows. It is searched or followed, and the crops are cut of the faces that are due."""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from facewire_server.errors import ModelUnavailable
from facewire_server.pipeline.first_look import FirstLook
from facewire_server.pipeline.frame import FrameReader, OpenFrame
from facewire_server.pipeline.surroundings import NO_SURROUNDINGS
from facewire_server.streams.camera.looks import Looks
from facewire_server.streams.camera.scene import Scene
from facewire_server.streams.camera.search_rule import SearchRule
from facewire_server.streams.tracks import Proposal, Seen, Tracker, same_as
from facewire_server.types import (
    DetectionMode,
    DetectionOptions,
    Faces,
    Picture,
    PictureLimits,
    Quality,
    Rgb,
)
from facewire_server.work.clock import Clock

__all__ = ["Seeing", "View", "Wishes"]

_FOLLOWED_SCORE: Final = 0.6
"""Score, as a share of the lowest one of a search, down to which a followed face is not lost: that a face was there a moment before is
evidence, too, and the next search has the last word. Measured on a stage and a street: with 1, a quarter and a third of all frames
were searched because a face that turned away had a score between the two."""


class Wishes(Protocol):
    """What is known about people, and decides which faces are cut out of a frame."""

    @property
    def wants_surroundings(self) -> bool:
        """Whether the faces that are cut out are wanted with their surroundings, too."""
        ...

    def due(self, proposal: Proposal, faces: Faces, at_s: float) -> NDArray[np.bool_]:
        """Returns (n,) which faces of a frame are to be embedded."""
        ...

    def wants_portrait(self, track_id: int, quality: Quality) -> bool:
        """Whether a picture of a face is to be kept: of the track that it seems to continue, 0 = of none."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a frame shows.

    Attributes:
        faces: n faces, in pixels of the upright picture, highest score first.
        proposal: what the tracker made of them.
        rows: (m,) which faces were cut out.
        crops: (m, 112, 112, 3) uint8 RGB.
        qualities: of these m.
        surroundings: (m, 80, 80, 3) uint8 RGB, if they are wanted, else (0, 80, 80, 3).
        portraits: JPEGs of faces to be kept, by row.
        mode: how the faces were looked for.
        thumbnail: of the picture.
        grays: (n, 24, 24) uint8 gray levels of the faces.
        has_moved: something has moved since the last searched frame where no face was known.
        width_px, height_px, smallest_face_px, remark: as `OpenFrame` has them.
    """

    faces: Faces
    proposal: Proposal
    rows: NDArray[np.intp]
    crops: Rgb
    qualities: list[Quality]
    surroundings: Rgb
    portraits: dict[int, bytes]
    mode: DetectionMode
    thumbnail: NDArray[np.uint8]
    grays: NDArray[np.uint8]
    has_moved: bool
    width_px: int
    height_px: int
    smallest_face_px: float
    remark: str


class Seeing:
    """Looks at the frames of one stream, in order. A frame counts for those that follow after `saw`."""

    def __init__(
        self,
        reader: FrameReader,
        tracker: Tracker,
        options: DetectionOptions,
        limits: PictureLimits,
        *,
        interval_s: float,
    ) -> None:
        """Starts with a search due.

        Args:
            reader: opens frames.
            tracker: knows where faces are expected, and whose they are.
            options: what counts as a face.
            limits: of a frame.
            interval_s: time between two searches.
        """
        self._reader = reader
        self._tracker = tracker
        self._options = options
        self._limits = limits
        self._scene = Scene()
        self._looks = Looks()
        self._rule = SearchRule(interval_s)
        self._size_px: tuple[int, int] | None = None  # of the last frame
        self._is_cut = False  # until a frame after it was worked on, which may fail

    async def look(
        self,
        picture: Picture,
        at_s: float,
        step_s: float,
        waited_s: float,
        wishes: Wishes,
        clock: Clock,
    ) -> View:
        """Looks at a frame.

        Args:
            picture: not decoded yet.
            at_s: time of the frame.
            step_s: seconds from a frame to the next one, as a rule.
            waited_s: seconds that the frame waited for its turn.
            wishes: which of its faces are to be embedded, and kept.
            clock: of the frame.

        Raises:
            InvalidImage: the picture cannot be used.
            OutOfMemory: there was no memory for it.
            ModelUnavailable: the detector does not answer.
            TimedOut: it has not answered within the picture's time.
        """
        _, windows = self._tracker.windows(at_s)
        is_search = not self._reader.can_follow or self._rule.is_due(at_s, step_s)
        asked = FirstLook(picture, self._limits, self._options, None if is_search else windows)
        last_px = self._size_px or (0, 0)
        async with self._reader.opened(asked, clock, usual_pixels=last_px[0] * last_px[1]) as frame:
            small = frame.thumbnail
            may_move = is_search or self._rule.may_follow_movement(at_s, step_s, waited_s)
            has_moved = may_move and self._scene.has_moved(small, _as_shares(windows, frame))
            # Without a known face a cut is a movement. In a picture of another size a place in pixels is another one.
            is_other_size = self._size_px not in (None, (frame.width_px, frame.height_px))
            if is_other_size or (len(windows) and self._scene.is_cut(small)):
                self._tracker.cut()
                self._is_cut = True
            is_search |= self._is_cut or has_moved
            faces = None if is_search else await self._followed(frame, windows)
            if faces is None:
                is_search, faces = True, await frame.search()
            proposal = self._tracker.propose(at_s, faces, is_search=is_search)
            grays = await frame.face_grays(faces)
            changed = self._looks.changed(proposal.track_ids.tolist(), grays)
            proposal = self._tracker.doubt(proposal, changed)
            rows = np.flatnonzero(wishes.due(proposal, faces, at_s))
            crops, qualities = np.empty((0, 0, 0, 3), np.uint8), list[Quality]()
            wide, portraits = NO_SURROUNDINGS, dict[int, bytes]()
            if len(rows):
                crops, qualities = await frame.crops(faces[rows])
                if wishes.wants_surroundings:
                    wide = await frame.surroundings(faces[rows])
                ids = proposal.track_ids[rows].tolist()
                kept = rows[
                    [wishes.wants_portrait(*one) for one in zip(ids, qualities, strict=True)]
                ]
                pictures = await frame.portraits(faces[kept])
                portraits = dict(zip(kept.tolist(), pictures, strict=True))
        return View(
            faces,
            proposal,
            rows,
            crops,
            qualities,
            wide,
            portraits,
            DetectionMode.SEARCHED if is_search else DetectionMode.FOLLOWED,
            small,
            grays,
            has_moved,
            frame.width_px,
            frame.height_px,
            frame.smallest_face_px,
            frame.remark,
        )

    def search_next(self) -> None:
        """Has the next frame searched, since no one is followed whom it may show."""
        self._rule.start_again()

    def saw(self, view: View, seen: Seen, at_s: float, *, has_found: bool) -> None:
        """Notes that a frame was worked on.

        Args:
            view: of the frame.
            seen: what the tracker made of it.
            at_s: its time.
            has_found: whether a new face is in it.
        """
        is_search = view.mode is DetectionMode.SEARCHED
        self._size_px, self._is_cut = (view.width_px, view.height_px), False
        self._scene.saw(view.thumbnail, is_search=is_search)
        track_ids = [sighting.track_id for sighting in seen.rows]
        self._looks.saw(track_ids, view.grays, seen.lost)
        if is_search:
            self._rule.searched(at_s, has_moved=view.has_moved, has_found=has_found)

    async def _followed(self, frame: OpenFrame, windows: NDArray[np.float32]) -> Faces | None:
        """Returns the known faces; None if one of them is lost, or cannot be followed, so that the frame must be searched."""
        try:
            faces = await frame.follow(windows)
        except ModelUnavailable:  # a served model may have lost the signature since it was checked
            return None
        least = _FOLLOWED_SCORE * self._options.min_score
        if (faces.scores < least).any():
            return None
        if len(faces) < 2:
            return faces
        if (same_as(faces.boxes.astype(np.float64), faces.scores) != np.arange(len(faces))).any():
            return None  # two windows show one face
        return faces[np.argsort(-faces.scores, kind="stable")]


def _as_shares(windows: NDArray[np.float32], frame: OpenFrame) -> NDArray[np.float64]:
    sides = np.array([frame.width_px, frame.height_px] * 2, np.float64)
    return windows / sides
