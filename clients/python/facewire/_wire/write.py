"""Writes values that a caller passes as messages of the contract."""

from facewire._values.options import DecisionPolicy, DetectionOptions
from facewire._values.pictures import Picture, to_image
from facewire.v1 import face_pb2

__all__ = ["decision_message", "detection_message", "image_message"]


def decision_message(policy: DecisionPolicy) -> face_pb2.DecisionPolicy:
    return face_pb2.DecisionPolicy(
        threshold=policy.threshold,
        min_margin=policy.min_margin,
        min_inter_eye_px=policy.min_inter_eye_px,
        max_fpir=policy.max_fpir,
    )


def detection_message(options: DetectionOptions) -> face_pb2.DetectionOptions:
    return face_pb2.DetectionOptions(
        min_face_px=options.min_face_px, min_score=options.min_score, max_faces=options.max_faces
    )


def image_message(picture: Picture) -> face_pb2.Image:
    """Writes a picture of any kind; a path is read here.

    Raises:
        OSError, ValueError, TypeError: it cannot be read (`to_image`).
    """
    image = to_image(picture)
    return face_pb2.Image(
        data=image.data,
        format=image.format.wire_name,
        width_px=image.width_px,
        height_px=image.height_px,
        stride_bytes=image.stride_bytes,
        chroma_stride_bytes=image.chroma_stride_bytes,
        plane_height_px=image.plane_height_px,
    )
