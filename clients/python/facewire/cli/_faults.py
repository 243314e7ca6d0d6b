"""What is wrong with a face: each fault with what was measured, the limit if it is known, and what to do."""

from facewire import Quality, QualityFault
from facewire.cli._output import words

__all__ = ["fault_lines", "quality_line"]

_FULL_BRIGHTNESS = 255
"""The contract's largest `Quality.brightness`."""

_ADVICE = {
    QualityFault.TOO_SMALL: "come nearer to the camera, or send a larger picture",
    QualityFault.BLURRED: "hold still, focus, and add light so that the exposure is short",
    QualityFault.TURNED_AWAY: "look into the camera",
    QualityFault.TOO_DARK: "add light",
    QualityFault.TOO_BRIGHT: "reduce light or exposure",
    QualityFault.UPSIDE_DOWN: "turn the picture by 180 degrees",
    QualityFault.COVERED: "take off dark glasses, or whatever covers the eyes",
    QualityFault.UNRECOGNIZABLE: "send a sharp, frontal, evenly lit picture of the uncovered face",
}


def fault_lines(quality: Quality, min_inter_eye_px: float | None) -> list[str]:
    """Returns a line for each fault: what was measured, the limit, what to do.

    Args:
        quality: of the face.
        min_inter_eye_px: the limit of size in force; None = unknown. It is the only one that clients can ask for.
    """
    lines = []
    for fault in quality.faults:
        measured = _measured(fault, quality, min_inter_eye_px)
        advice = _ADVICE.get(fault, "")
        lines.append(": ".join(filter(None, [f"{words(fault)}{measured}", advice])))
    return lines


def quality_line(quality: Quality, detection_score: float) -> str:
    """Returns all that was measured."""
    norm = f"{quality.embedding_norm:.1f}" if quality.embedding_norm else "unknown"
    return ", ".join(
        [
            f"eyes {quality.inter_eye_px:.1f} pixels apart",
            f"sharpness {quality.sharpness:.0f}",
            f"along the worse axis {quality.directional_sharpness:.1f}",
            f"brightness {quality.brightness:.0f} of {_FULL_BRIGHTNESS}",
            f"turned {_turn(quality)}",
            f"norm {norm}",
            f"detection score {detection_score:.3f}",
        ]
    )


def _measured(fault: QualityFault, quality: Quality, min_inter_eye_px: float | None) -> str:
    match fault:
        case QualityFault.TOO_SMALL:
            limit = "" if min_inter_eye_px is None else f", the least is {min_inter_eye_px:g}"
            return f" (eyes {quality.inter_eye_px:.1f} pixels apart{limit})"
        case QualityFault.BLURRED:
            return f" (sharpness along the worse axis {quality.directional_sharpness:.1f})"
        case QualityFault.TURNED_AWAY:
            return f" ({_turn(quality)})"
        case QualityFault.TOO_DARK | QualityFault.TOO_BRIGHT:
            return f" (brightness {quality.brightness:.0f} of {_FULL_BRIGHTNESS})"
        case QualityFault.UNRECOGNIZABLE:
            return f" to the model (norm of the embedding {quality.embedding_norm:.1f})"
        case _:  # what was measured is not in the answer
            return ""


def _turn(quality: Quality) -> str:
    side = "right" if quality.yaw >= 0 else "left"
    height = "up" if quality.pitch >= 0 else "down"
    return f"{abs(quality.yaw):.2f} to the viewer's {side}, {abs(quality.pitch):.2f} {height}"
