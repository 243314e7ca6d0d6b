"""Works on the frames of one stream, each within its deadline; an error of a frame is its outcome, and no end of the stream."""

import time
from dataclasses import replace
from typing import Final

from facewire_server.errors import InvalidInput, OutOfMemory, TimedOut, Unavailable
from facewire_server.pipeline.canvas import useful_longest_side
from facewire_server.streams.camera.camera import Camera
from facewire_server.streams.tally import Settled, settled
from facewire_server.streams.values import Arrival, StreamPlan
from facewire_server.work.deadline import time_limit
from facewire_server.work.slots import Slot

__all__ = ["FRAME_ERRORS", "FrameWork"]

FRAME_ERRORS: Final = (InvalidInput, OutOfMemory, Unavailable, TimedOut)
"""Errors of a single frame, after which the stream goes on. Any other error ends it."""


class FrameWork:
    """The work on a stream's frames.

    Attributes:
        useful_side_px: longest side that the latest frame should have had, for its smallest face; 0 before the first.
    """

    def __init__(self, camera: Camera, plan: StreamPlan, *, picture_timeout_s: float) -> None:
        """Prepares it.

        Args:
            camera: works on the pictures.
            plan: of the stream.
            picture_timeout_s: from a frame's arrival to its deadline.
        """
        self.useful_side_px = 0
        self._camera = camera
        self._plan = plan
        self._picture_timeout_s = picture_timeout_s

    def left_s(self, arrival: Arrival) -> float:
        """Returns the seconds until a frame's deadline."""
        return max(0.0, arrival.read_at_s + self._picture_timeout_s - time.perf_counter())

    async def outcome(self, arrival: Arrival, slot: Slot) -> Settled:
        """Works on a frame while its slot is held.

        Raises:
            ServerError: the stream cannot go on.
        """
        frame, read_at_s = arrival
        # The worker may have waited for the slot since before the frame was read.
        slot = replace(slot, waited_s=time.perf_counter() - read_at_s)
        try:
            if isinstance(frame.picture, InvalidInput):
                raise frame.picture
            picture = replace(frame.picture, rotation_degrees=self._plan.rotation_degrees)
            async with time_limit(self.left_s(arrival)):
                recognition = await self._camera.recognize(arrival, picture, slot)
        except FRAME_ERRORS as error:
            return settled(arrival, error)
        self.useful_side_px = useful_longest_side(
            recognition.width_px, recognition.height_px, self._plan.detection
        )
        return settled(arrival, recognition)
