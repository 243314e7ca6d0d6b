"""Faces, and what was concluded about them, as JSON."""

from typing import Any

from facewire import Box, Candidate, DetectedFace, Face, Landmarks, Quality
from facewire_console.judgments import judgment_json

__all__ = ["box_json", "candidate_json", "detected_json", "face_json", "quality_json"]

JSON = dict[str, Any]


def detected_json(face: DetectedFace) -> JSON:
    """Returns a face for which no gallery was searched."""
    return {
        "box": box_json(face.box),
        "landmarks": _landmarks(face.landmarks),
        "detection_score": face.detection_score,
        "quality": quality_json(face.quality),
    }


def face_json(face: Face) -> JSON:
    """Returns a face with the verdict about it."""
    decision = face.decision
    return {
        **detected_json(face),
        "verdict": decision.outcome.value.lower(),
        "label": face.label,
        "identity_id": decision.identity_id or None,
        "name": face.name,
        "similarity": decision.similarity,
        "threshold": decision.threshold,
        "threshold_source": decision.threshold_source.value.lower(),
        "margin": decision.margin,
        "look_count": decision.look_count,
        "template_id": decision.template_id or None,
        "gallery_revision": decision.gallery_revision,
        "track_id": face.track_id or None,
        "evidence_sequence": face.evidence_sequence or None,
        "candidates": [candidate_json(each) for each in decision.candidates],
        "ambiguous_between": [candidate_json(each) for each in decision.ambiguous_between],
        "judgment": None if decision.judgment is None else judgment_json(decision.judgment),
        "presentation_attack_score": face.presentation_attack_score,
    }


def box_json(box: Box) -> JSON:
    """Returns where a face is."""
    return {
        "x_px": box.x_px,
        "y_px": box.y_px,
        "width_px": box.width_px,
        "height_px": box.height_px,
    }


def _landmarks(points: Landmarks) -> list[list[float]]:
    five = (
        points.left_eye,
        points.right_eye,
        points.nose,
        points.left_mouth,
        points.right_mouth,
    )
    return [[point.x_px, point.y_px] for point in five]


def quality_json(quality: Quality) -> JSON:
    """Returns what was measured of a face."""
    return {
        "inter_eye_px": quality.inter_eye_px,
        "sharpness": quality.sharpness,
        "directional_sharpness": quality.directional_sharpness,
        "brightness": quality.brightness,
        "embedding_norm": quality.embedding_norm,
        "yaw": quality.yaw,
        "pitch": quality.pitch,
        "faults": [fault.value.lower() for fault in quality.faults],
    }


def candidate_json(candidate: Candidate) -> JSON:
    """Returns a person whom a face resembles."""
    return {
        "identity_id": candidate.identity_id,
        "name": candidate.display_name,
        "similarity": candidate.similarity,
        "negative_example_similarity": candidate.negative_example_similarity,
    }
