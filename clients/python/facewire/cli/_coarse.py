"""Says when a picture was searched for larger faces only than were asked for."""

from facewire import FrameResult, Recognition
from facewire.cli._output import ERRORS

__all__ = ["PICTURE_FRACTION", "note_if_coarse"]

PICTURE_FRACTION = 1 / 32
"""Smallest face that the server looks for in a single picture, by its shorter side: `DetectionOptions.min_face_px`."""

_LEAST_MIN_FACE_PX = 8
"""Least that `DetectionOptions.min_face_px` may be, pixels: the server's default is not less either."""

_NOTED_FROM = 1.05
"""Ratio to what was asked from which it is said: smaller differences come from rounding. Chosen, not measured."""


def note_if_coarse(
    name: str, result: Recognition | FrameResult, min_face_px: int, default_fraction: float
) -> bool:
    """Prints a line if the picture was too large to be searched as finely as asked, and returns whether it did.

    Args:
        name: of the picture or source.
        result: its result.
        min_face_px: what was asked for; 0 = the server's default.
        default_fraction: that default, by the shorter side of the picture.
    """
    default_px = max(_LEAST_MIN_FACE_PX, min(result.width_px, result.height_px) * default_fraction)
    wanted_px = min_face_px or default_px
    if result.smallest_face_px <= wanted_px * _NOTED_FROM:
        return False
    ERRORS.print(
        f"facewire: {name}: searched for faces of {result.smallest_face_px:.0f} pixels and more, not of "
        f"{wanted_px:.0f}: the picture is too large; parts of it can be searched more finely",
        soft_wrap=True,
    )
    return True
