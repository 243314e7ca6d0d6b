"""Whether a person's only picture is good enough to be the only one.

No other picture evens out what is wrong with it, so it is asked for more than the enrollment gate asks of each of several.
"""

from typing import Final, NamedTuple

from facewire_server.types import Quality, QualityFault

__all__ = ["SinglePictureLimits", "Standing"]

_CAUTION: Final = 1.5
"""By which the only picture is to be better than the worst that is enrolled: eyes 24 px apart, directional sharpness 9, yaw .23
and pitch .3 at the defaults. Chosen, not measured."""


class Standing(NamedTuple):
    """How good a picture is.

    Attributes:
        share: of the limit, the worst of all measures: 1 = at the limit, below it too poor, 1 / 1.5 = as poor as enrollment accepts.
        faults: what is worse than its limit, worst first.
    """

    share: float
    faults: tuple[QualityFault, ...]


class SinglePictureLimits(NamedTuple):
    """What the only picture of a person must reach; 0 asks for nothing.

    Attributes:
        min_inter_eye_px: smallest `Quality.inter_eye_px`.
        min_directional_sharpness: smallest `Quality.directional_sharpness`.
        max_yaw, max_pitch: largest `Quality.yaw` and `Quality.pitch`, without their signs.
    """

    min_inter_eye_px: float
    min_directional_sharpness: float
    max_yaw: float
    max_pitch: float

    @classmethod
    def above_enrollment(
        cls, *, inter_eye_px: float, directional_sharpness: float, yaw: float, pitch: float
    ) -> "SinglePictureLimits":
        """Returns limits that are stricter by half than these of the enrollment gate."""
        return cls(
            inter_eye_px * _CAUTION,
            directional_sharpness * _CAUTION,
            yaw / _CAUTION,
            pitch / _CAUTION,
        )

    def standing(self, quality: Quality) -> Standing:
        """Returns how good a picture is; a size or sharpness of 0 was not stored, and counts as good."""
        shares = {QualityFault.TURNED_AWAY: 1.0}
        for fault, measure, least in (
            (QualityFault.TOO_SMALL, quality.inter_eye_px, self.min_inter_eye_px),
            (QualityFault.BLURRED, quality.directional_sharpness, self.min_directional_sharpness),
        ):
            shares[fault] = measure / least if measure and least else 1.0
        for turn, most in ((quality.yaw, self.max_yaw), (quality.pitch, self.max_pitch)):
            if most and abs(turn) > most:
                shares[QualityFault.TURNED_AWAY] = min(
                    most / abs(turn), shares[QualityFault.TURNED_AWAY]
                )
        poor = sorted((share, fault.value, fault) for fault, share in shares.items() if share < 1)
        return Standing(min(shares.values()), tuple(fault for _, _, fault in poor))
