"""Chooses between the two time stamps of a frame."""

__all__ = ["BestStamp"]


class BestStamp:
    """Chooses that of the two time stamps which has stepped back less often.

    A frame has the time to show it, and the time at which its packet had to be decoded. AVI and some recorders know
    only the second one: then the first is out of order wherever frames are. This is FFmpeg's "best effort" (libavcodec,
    guess_correct_pts), which PyAV does not pass on.
    """

    def __init__(self) -> None:
        self._last: list[int | None] = [None, None]
        self._faults = [0, 0]

    def of(self, shown: int | None, decoded: int | None) -> int | None:
        """Returns one of the time stamps; None if both are."""
        for each, (stamp, other) in enumerate([(shown, decoded), (decoded, shown)]):
            last = self._last[each]
            if stamp is not None and last is not None and stamp <= last:
                self._faults[each] += 1
            self._last[each] = other if stamp is None else stamp
        keeps_order = self._faults[0] <= self._faults[1]
        return shown if shown is not None and (keeps_order or decoded is None) else decoded
