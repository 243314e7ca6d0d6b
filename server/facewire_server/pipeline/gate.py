"""The quality gate: which faces are too poor to be enrolled or decided about, why, and what to do about it.

A face that stands on its head is found in three pictures of ten, with its landmarks the right way up on chin and forehead. The crop shows
no face then, and embeddings of such crops resemble each other: 39 % of pairs of strangers match at 0.42. Their mean therefore
distinguishes them from faces, without a further call of a model.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.types import Quality, QualityFault

__all__ = ["Examined", "Gate", "Objection", "QualityLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityLimits:
    """What a face must reach; a limit of 0 asks for nothing.

    A limit's setting has its name, after `prefix`.

    Attributes:
        prefix: of the settings' names: "enroll_" or "".
        min_inter_eye_px: smallest `Quality.inter_eye_px`.
        min_directional_sharpness: smallest `Quality.directional_sharpness`.
        min_norm: smallest `Quality.embedding_norm`.
        max_yaw, max_pitch: largest `Quality.yaw` and `Quality.pitch`, without their signs.
        min_brightness, max_brightness: of `Quality.brightness`.
        max_upside_down: largest cosine of the embedding and the mean embedding of faces that stand on their heads.
        min_eye_brightness: smallest brightness of the eyes, divided by that of the cheeks.
    """

    prefix: str = ""
    min_inter_eye_px: float = 0.0
    min_directional_sharpness: float = 0.0
    min_norm: float = 0.0
    max_yaw: float = 0.0
    max_pitch: float = 0.0
    min_brightness: float = 0.0
    max_brightness: float = 0.0
    max_upside_down: float = 0.0
    min_eye_brightness: float = 0.0


class Objection(NamedTuple):
    """A fault of a face, and a text that says what was measured, the limit, its setting, and what to do."""

    fault: QualityFault
    text: str


class Examined(NamedTuple):
    """A face that went through a gate: its quality, with the faults, and an objection for each fault."""

    quality: Quality
    objections: tuple[Objection, ...]


class Gate:
    """The limits for one purpose: to be enrolled, or to be decided about."""

    def __init__(
        self,
        limits: QualityLimits,
        *,
        upside_down: NDArray[np.float32] | None = None,
        causes: QualityLimits | None = None,
    ) -> None:
        """Takes the limits.

        Args:
            limits: what a face must reach.
            upside_down: (d,) float32 of unit length, the mean embedding of faces that stand on their heads, of the
                embedder's model contract; None = unknown, and no face is UPSIDE_DOWN.
            causes: limits that refuse no face; what they object to is a fault of a face that is UNRECOGNIZABLE, too, since it
                says why. None = no cause is named.
        """
        self._limits = limits
        self._upside_down = upside_down
        self._causes = causes

    def asking(self, *, min_inter_eye_px: float) -> "Gate":
        """Returns this gate with another limit of size."""
        limits = replace(self._limits, min_inter_eye_px=min_inter_eye_px)
        return Gate(limits, upside_down=self._upside_down, causes=self._causes)

    def examine(
        self,
        quality: Quality,
        *,
        norm: float = 0.0,
        embedding: NDArray[np.float32] | None = None,
        eye_brightness: float | None = None,
    ) -> Examined:
        """Examines a face; no objection is made to what is unknown.

        Args:
            quality: of the face, without norm and faults.
            norm: of its embedding before it was normalized; 0 = unknown.
            embedding: (d,) of unit length; None = unknown.
            eye_brightness: as `pipeline.quality.eye_brightness`; None = unknown.
        """
        known = quality._replace(embedding_norm=norm)
        similarity = None
        if embedding is not None and self._upside_down is not None:
            similarity = float(embedding @ self._upside_down)
        checks = _checks(known, similarity, eye_brightness)
        objections = _objections(checks, self._limits)
        if self._causes and QualityFault.UNRECOGNIZABLE in objections:
            found = _objections(checks, self._causes) | objections
            objections = {
                check.fault: found[check.fault] for check in checks if check.fault in found
            }
        return Examined(known._replace(faults=tuple(objections)), tuple(objections.values()))

    def is_near(
        self,
        norm: float,
        embedding: NDArray[np.float32],
        *,
        similarity_error: float,
        norm_error: float,
    ) -> bool:
        """Whether an exact embedding of the same face might have another fault, or none.

        Args:
            norm: as in `examine`.
            embedding: (d,) of unit length, which is not exact.
            similarity_error, norm_error: how far it may lie from the exact one, as `FrameError` has them.
        """
        limits = self._limits
        is_near = bool(norm and limits.min_norm) and (
            abs(norm - limits.min_norm) <= norm_error * norm
        )
        if self._upside_down is not None and limits.max_upside_down:
            similarity = float(embedding @ self._upside_down)
            is_near = is_near or abs(similarity - limits.max_upside_down) <= similarity_error
        return is_near

    def stored_faults(
        self, quality: Quality, embedding: NDArray[np.float32]
    ) -> tuple[QualityFault, ...]:
        """Returns why a template made elsewhere would be refused; a measure of 0 was not stored, so it is unknown.

        Args:
            quality: as it was stored.
            embedding: (d,) of unit length.
        """
        stored = {
            QualityFault.TOO_SMALL: quality.inter_eye_px,
            QualityFault.TOO_DARK: quality.brightness,
            QualityFault.BLURRED: quality.directional_sharpness,
        }
        examined = self.examine(quality, norm=quality.embedding_norm, embedding=embedding)
        return tuple(fault for fault in examined.quality.faults if stored.get(fault, 1.0))


class _Check(NamedTuple):
    fault: QualityFault
    limit: str
    value: float | None
    is_least: bool = True

    def fails(self, limit: float) -> bool:
        if not limit or self.value is None:
            return False
        # Written as a negation, so that a NaN fails, too.
        return not (self.value >= limit if self.is_least else self.value <= limit)


def _checks(
    quality: Quality, upside_down: float | None, eye_brightness: float | None
) -> list[_Check]:
    """Returns all checks, in the order in which objections are read: what explains others comes first."""
    sharpness = quality.directional_sharpness
    norm = quality.embedding_norm or None
    return [
        _Check(QualityFault.TOO_SMALL, "min_inter_eye_px", quality.inter_eye_px),
        _Check(QualityFault.UPSIDE_DOWN, "max_upside_down", upside_down, is_least=False),
        _Check(QualityFault.TOO_DARK, "min_brightness", quality.brightness),
        _Check(QualityFault.TOO_BRIGHT, "max_brightness", quality.brightness, is_least=False),
        _Check(QualityFault.BLURRED, "min_directional_sharpness", sharpness),
        _Check(QualityFault.TURNED_AWAY, "max_yaw", abs(quality.yaw), is_least=False),
        _Check(QualityFault.TURNED_AWAY, "max_pitch", abs(quality.pitch), is_least=False),
        _Check(QualityFault.COVERED, "min_eye_brightness", eye_brightness),
        _Check(QualityFault.UNRECOGNIZABLE, "min_norm", norm),
    ]


def _objections(checks: list[_Check], limits: QualityLimits) -> dict[QualityFault, Objection]:
    """Returns what the limits object to, each fault once, in the order of the checks."""
    found: dict[QualityFault, Objection] = {}
    for check in checks:
        limit = getattr(limits, check.limit)
        if check.fails(limit):
            bound = "least" if check.is_least else "most"
            what, advice = _WORDS[check.fault]
            text = (
                f"{what.format(value=check.value)}; {limits.prefix}{check.limit} asks for at {bound} "
                f"{limit:g}: {advice}"
            )
            found.setdefault(check.fault, Objection(check.fault, text))
    return found


_WORDS = {
    QualityFault.TOO_SMALL: (
        "seen from the front, the eyes are {value:.0f} pixels apart",
        "come closer to the camera, or send a larger picture",
    ),
    QualityFault.UPSIDE_DOWN: (
        "the face stands on its head (similarity {value:.2f} to such faces)",
        "turn the picture by 180 degrees",
    ),
    QualityFault.TOO_DARK: ("the face is dark (brightness {value:.0f} of 255)", "add light"),
    QualityFault.TOO_BRIGHT: (
        "the face is overexposed (brightness {value:.0f} of 255)",
        "reduce exposure or light",
    ),
    QualityFault.BLURRED: (
        "the face is blurred (directional sharpness {value:.1f})",
        "hold still, bring the face into focus, and add light so that the exposure is short",
    ),
    QualityFault.TURNED_AWAY: (
        "the face is turned away (by {value:.2f}, 0 is frontal)",
        "look into the camera",
    ),
    QualityFault.COVERED: (
        "the eyes are covered (brightness {value:.2f} of that of the cheeks)",
        "take off dark glasses",
    ),
    QualityFault.UNRECOGNIZABLE: (
        "the model finds little of a face here (norm {value:.1f})",
        "send a sharp, frontal, evenly lit picture of one uncovered face",
    ),
}
