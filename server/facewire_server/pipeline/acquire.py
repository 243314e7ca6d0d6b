"""One labeled picture as both lines see it: found, cut, and embedded as a probe and as a template."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.find import FaceFinder
from facewire_server.pipeline.quality import eye_brightness
from facewire_server.pipeline.select import select
from facewire_server.types import DetectionOptions, Faces, FaceSelection, Picture, Quality
from facewire_server.work.slots import WorkSlots

__all__ = ["Acquired", "Acquirer"]


@dataclass(frozen=True, slots=True, eq=False)
class Acquired:
    """The labeled face of a picture, before any gate.

    Attributes:
        face_count: faces of the picture.
        box: (4,) float32, of the labeled one, pixels of the upright picture.
        quality: of it, without norm and faults.
        eye_brightness: as `pipeline.quality.eye_brightness`.
        norm: of `probe` before it was normalized; 0 = unknown.
        probe: (d,) float32 of unit length, as a recognition searches for it.
        template: (d,) float32 of unit length, as an enrollment keeps it and a comparison uses it.
    """

    face_count: int
    box: NDArray[np.float32]
    quality: Quality
    eye_brightness: float
    norm: float
    probe: NDArray[np.float32]
    template: NDArray[np.float32]


class Acquirer:
    """Pictures in, faces without a decision out: the steps of recognizing, comparing and enrolling, each once."""

    def __init__(self, finder: FaceFinder, embedder: Embedder, slots: WorkSlots) -> None:
        """Joins the steps; the arguments are those of a `Recognizer`."""
        self._finder = finder
        self._embedder = embedder
        self._slots = slots

    async def acquire(
        self, picture: Picture, selection: FaceSelection, detection: DetectionOptions
    ) -> Acquired | int:
        """Finds and embeds the labeled face.

        Args:
            picture: not decoded yet.
            selection: which face of several is the labeled one.
            detection: what counts as a face.

        Returns:
            The face; or 0, if the picture shows none, or the number of its faces, if it shows several and `selection` is ONLY.

        Raises:
            InvalidImage: the picture cannot be used.
            ModelUnavailable: a model does not answer.
            TimedOut: the picture was not finished before its deadline.
        """
        async with self._slots.picture() as slot:
            with self._finder.clock(picture, "evaluate", slot) as clock:
                found = await self._finder.find(picture, detection, clock=clock)
                faces = found.faces
                if not len(faces) or (selection is FaceSelection.ONLY and len(faces) > 1):
                    return len(faces)
                row = _row(
                    faces,
                    select(faces, selection, width_px=found.width_px, height_px=found.height_px),
                )
                crop = found.crops[row : row + 1]
                with clock.stage("embed"):
                    probes, norms = await self._embedder.embed(crop)
                    templates, _ = await self._embedder.embed_mirrored(crop)
        return Acquired(
            len(faces),
            faces.boxes[row],
            found.qualities[row],
            eye_brightness(found.crops[row]),
            float(norms[0]),
            probes[0],
            templates[0],
        )


def _row(faces: Faces, selected: Faces) -> int:
    """Returns which of the faces was selected."""
    same = (faces.boxes == selected.boxes).all(axis=1) & (faces.scores == selected.scores)
    return int(np.flatnonzero(same)[0])
