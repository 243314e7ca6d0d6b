"""Searches a decoded picture for faces: as it is, and in better light if it is dark."""

from facewire_server.pipeline.canvas import draw_canvas
from facewire_server.pipeline.detect import Detector
from facewire_server.pipeline.light import stretched
from facewire_server.pipeline.merge import merged
from facewire_server.types import DetectionOptions, Faces, Rgb
from facewire_server.work.clock import Clock

__all__ = ["search"]


async def search(
    image: Rgb, short_side_px: int, detector: Detector, options: DetectionOptions, clock: Clock
) -> Faces:
    """Finds the faces of a picture.

    A dark picture is searched twice, since its light may be uneven: as it is, and with its luma stretched.

    Args:
        image: (h, w, 3) uint8 RGB, decoded at any size.
        short_side_px: shorter side of the canvas.
        detector: finds faces on a canvas.
        options: what counts as a face.
        clock: measures the stages, and has the threads.

    Returns:
        The faces in pixels of `image`, highest score first.

    Raises:
        ModelUnavailable: the detector does not answer.
        TimedOut: it has not answered within the picture's time.
    """
    canvas, lit = await clock.run("decode", _draw, image, short_side_px)
    with clock.stage("detect"):
        faces = await detector.detect(canvas, options)
        if lit is not canvas:
            faces = merged([faces, await detector.detect(lit, options)], options.max_faces)
    return faces.scaled(image.shape[1] / canvas.shape[1], image.shape[0] / canvas.shape[0])


def _draw(image: Rgb, short_side_px: int) -> tuple[Rgb, Rgb]:
    canvas = draw_canvas(image, short_side_px)
    return canvas, stretched(canvas)
