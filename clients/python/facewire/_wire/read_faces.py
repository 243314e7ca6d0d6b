"""Reads messages of face.proto as values."""

from facewire._values.enums import Outcome, QualityFault, ThresholdSource
from facewire._values.faces import (
    Box,
    Candidate,
    Decision,
    DetectedFace,
    Face,
    Landmarks,
    Point,
    Quality,
)
from facewire._wire.read_judgments import read_judgment
from facewire.v1 import face_pb2, recognition_pb2

__all__ = [
    "read_attack_score",
    "read_box",
    "read_decision",
    "read_detected_face",
    "read_face",
    "read_quality",
]


def read_box(box: face_pb2.Box) -> Box:
    return Box(box.x_px, box.y_px, box.width_px, box.height_px)


def read_point(point: face_pb2.Point) -> Point:
    return Point(point.x_px, point.y_px)


def read_landmarks(landmarks: face_pb2.Landmarks) -> Landmarks:
    return Landmarks(
        left_eye=read_point(landmarks.left_eye),
        right_eye=read_point(landmarks.right_eye),
        nose=read_point(landmarks.nose),
        left_mouth=read_point(landmarks.left_mouth),
        right_mouth=read_point(landmarks.right_mouth),
    )


def read_quality(quality: face_pb2.Quality) -> Quality:
    return Quality(
        inter_eye_px=quality.inter_eye_px,
        sharpness=quality.sharpness,
        brightness=quality.brightness,
        directional_sharpness=quality.directional_sharpness,
        embedding_norm=quality.embedding_norm,
        yaw=quality.yaw,
        pitch=quality.pitch,
        faults=tuple(map(QualityFault.from_wire, quality.faults)),
    )


def read_candidate(candidate: face_pb2.Candidate) -> Candidate:
    return Candidate(
        candidate.identity_id,
        candidate.display_name,
        candidate.similarity,
        candidate.template_id,
        candidate.negative_example_similarity
        if candidate.HasField("negative_example_similarity")
        else None,
    )


def read_decision(decision: face_pb2.Decision) -> Decision:
    return Decision(
        outcome=Outcome.from_wire(decision.outcome),
        identity_id=decision.identity_id,
        display_name=decision.display_name,
        similarity=decision.similarity,
        threshold=decision.threshold,
        margin=decision.margin,
        template_id=decision.template_id,
        gallery_revision=decision.gallery_revision,
        candidates=tuple(map(read_candidate, decision.candidates)),
        threshold_source=ThresholdSource.from_wire(decision.threshold_source),
        ambiguous_between=tuple(map(read_candidate, decision.ambiguous_between)),
        look_count=decision.look_count,
        judgment=read_judgment(decision.judgment) if decision.HasField("judgment") else None,
    )


def read_detected_face(face: face_pb2.Face) -> DetectedFace:
    return DetectedFace(
        box=read_box(face.box),
        landmarks=read_landmarks(face.landmarks),
        detection_score=face.detection_score,
        quality=read_quality(face.quality),
    )


def read_face(face: face_pb2.Face) -> Face:
    return Face(
        box=read_box(face.box),
        landmarks=read_landmarks(face.landmarks),
        detection_score=face.detection_score,
        quality=read_quality(face.quality),
        decision=read_decision(face.decision),
        track_id=face.track_id,
        evidence_sequence=face.evidence_sequence,
        presentation_attack_score=read_attack_score(face),
    )


def read_attack_score(message: face_pb2.Face | recognition_pb2.TrackEvent) -> float | None:
    is_set = message.HasField("presentation_attack_score")
    return message.presentation_attack_score if is_set else None
