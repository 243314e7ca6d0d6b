"""Converts the quality of a face to the contract's message and back."""

from collections.abc import Iterable

from facewire.v1 import face_pb2
from facewire_server.types import Quality, QualityFault

__all__ = ["fault_messages", "quality_message", "quality_of"]

_FAULTS = {
    QualityFault.TOO_SMALL: face_pb2.QUALITY_FAULT_TOO_SMALL,
    QualityFault.BLURRED: face_pb2.QUALITY_FAULT_BLURRED,
    QualityFault.TURNED_AWAY: face_pb2.QUALITY_FAULT_TURNED_AWAY,
    QualityFault.TOO_DARK: face_pb2.QUALITY_FAULT_TOO_DARK,
    QualityFault.TOO_BRIGHT: face_pb2.QUALITY_FAULT_TOO_BRIGHT,
    QualityFault.UPSIDE_DOWN: face_pb2.QUALITY_FAULT_UPSIDE_DOWN,
    QualityFault.COVERED: face_pb2.QUALITY_FAULT_COVERED,
    QualityFault.UNRECOGNIZABLE: face_pb2.QUALITY_FAULT_UNRECOGNIZABLE,
}


def quality_message(quality: Quality) -> face_pb2.Quality:
    """Converts the quality of a probe or a template."""
    return face_pb2.Quality(
        inter_eye_px=quality.inter_eye_px,
        sharpness=quality.sharpness,
        brightness=quality.brightness,
        directional_sharpness=quality.directional_sharpness,
        embedding_norm=quality.embedding_norm,
        yaw=quality.yaw,
        pitch=quality.pitch,
        faults=fault_messages(quality.faults),
    )


def fault_messages(faults: Iterable[QualityFault]) -> list[face_pb2.QualityFault]:
    """Converts what is wrong with a face."""
    return [_FAULTS[fault] for fault in faults]


def quality_of(message: face_pb2.Quality) -> Quality:
    """Converts the quality of an imported template; a fault that is not known here is left out."""
    said = set(message.faults)
    return Quality(
        message.inter_eye_px,
        message.sharpness,
        message.brightness,
        message.directional_sharpness,
        message.embedding_norm,
        message.yaw,
        message.pitch,
        tuple(fault for fault, number in _FAULTS.items() if number in said),
    )
