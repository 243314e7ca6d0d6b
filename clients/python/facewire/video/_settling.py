"""When a live picture may be handed on: after a pause the first ones to come are old."""

import math

__all__ = ["Settling"]

_STALL_S = 1.0
"""A pause of a camera that is taken for a stall, seconds, unless it is a slow camera. Chosen, not measured."""

_LONGEST_S = 1.0
"""Longest time that pictures are held back after a stall, seconds. Chosen, not measured: where pictures are decoded no
faster than they come, all would be held back for ever."""

_SHORTEST_HOLD_S, _LONGEST_HOLD_S = 0.02, 0.2
"""Seconds that one picture is held back: twice the time since the one before, within these. Chosen, not measured."""

_AT_PACE = 1 / 4
"""Part of the time since the picture before, and of that between two usual ones, that the source waited for this one, if it
came at its usual pace. Chosen, not measured: the rest is its decoding; of pictures that were there before it is all."""

_SHORTEST_WAIT_S = 0.002
"""What is taken for waiting, seconds. Chosen, not measured: to read a picture that is there takes tenths of a millisecond,
and to decode a small one not longer."""

_LATE_S = 0.5
"""A picture that is late by this much was kept by the network, even if the source had to wait a little for it: what was
kept comes in pieces. Chosen, not measured: more than cameras and networks vary."""

_IN_A_ROW = 3
"""Pictures at pace in a row that end the holding back if the source has no clock. Chosen, not measured: what was kept comes
in pieces of several pictures, and the source waits for the first of each."""


class Settling:
    """Holds pictures back for a moment after an opening and after a stall.

    The network keeps what it could not deliver, and delivers it at once. Each of these pictures is held back for the
    next one to replace it, until the source must wait for them again.

    Args:
        frame_s: time from one picture to the next, seconds, as the source states it.
        now_s: by `time.monotonic`.
    """

    def __init__(self, frame_s: float, now_s: float) -> None:
        self._frame_s = frame_s
        self._pace_s = 0.0
        self._at_pace_count = 0
        self._last_s = now_s
        self._until_s = now_s + _LONGEST_S

    def ready_s(
        self, now_s: float, waited_s: float, late_s: float = 0.0, *, has_clock: bool = True
    ) -> float:
        """Returns when a picture may be handed on; infinity: never, since it is late, and newer ones follow.

        FFmpeg keeps a picture until the next one begins, or until a read fails: it may be from before a stall.

        Args:
            now_s: when it was decoded.
            waited_s: as of `Shot`.
            late_s: seconds since it was taken, beyond those of the quickest.
            has_clock: as of `Shot`.
        """
        gap_s, self._last_s = now_s - self._last_s, now_s
        if waited_s > _STALL_S and late_s > waited_s / 2:
            self._until_s = now_s + _LONGEST_S
            return math.inf
        is_stall = gap_s > max(_STALL_S, 3 * self._frame_s)
        usual_s = max(gap_s, self._pace_s) * _AT_PACE
        at_pace = waited_s > max(usual_s, _SHORTEST_WAIT_S) and late_s < _LATE_S
        if at_pace:
            self._frame_s += (gap_s - self._frame_s) / 10  # follows the true pace
            if not is_stall:
                self._pace_s += (gap_s - self._pace_s) / (10 if self._pace_s else 1)
        self._at_pace_count = self._at_pace_count + 1 if at_pace and not is_stall else 0
        is_usual = at_pace and (has_clock or self._at_pace_count >= _IN_A_ROW)
        if is_stall:
            self._until_s = now_s + _LONGEST_S
        elif is_usual or now_s >= self._until_s:
            self._until_s = now_s
            return now_s
        if late_s >= _LATE_S:
            return math.inf
        hold_s = min(max(2 * gap_s, _SHORTEST_HOLD_S), _LONGEST_HOLD_S)
        return min(now_s + hold_s, self._until_s)
