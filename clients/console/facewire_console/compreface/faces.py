"""Faces as CompreFace lists them: box, landmarks, and the subjects that a face resembles."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from facewire import DetectedFace, Face, Outcome, Recognition, ServerInfo
from facewire_console.compreface.options import FaceOptions
from facewire_console.compreface.similarity import of_known, of_other

__all__ = [
    "CANDIDATES",
    "NO_ONE",
    "face_json",
    "known_subject",
    "predictions",
    "system_json",
    "wanted_faces",
]

CANDIDATES: Final = 20
"""Identities asked for with each face: the most that the service lists. A subject may be several of them."""

NO_ONE: Final = "unknown"
"""The subject of a face that cannot be compared with any: the gallery is empty, or the face too poor. Clients read the first subject
without looking whether there is one."""


def wanted_faces(recognition: Recognition, limit: int) -> Sequence[Face]:
    """Returns the faces of a picture, or the `limit` largest, largest first."""
    if not limit:
        return recognition.faces
    return sorted(recognition.faces, key=_area, reverse=True)[:limit]


def face_json(face: DetectedFace, options: FaceOptions) -> dict[str, Any]:
    """Returns a face's box, and what the options ask for."""
    box = face.box
    found: dict[str, Any] = {
        "box": {
            "probability": round(face.detection_score, 5),
            "x_max": round(box.x_px + box.width_px),
            "y_max": round(box.y_px + box.height_px),
            "x_min": max(0, round(box.x_px)),
            "y_min": max(0, round(box.y_px)),
        }
    }
    if options.landmarks:
        points = face.landmarks
        found["landmarks"] = [
            [round(point.x_px), round(point.y_px)]
            for point in (
                points.left_eye, points.right_eye, points.nose, points.left_mouth, points.right_mouth,
            )
        ]  # fmt: skip
    return found


def known_subject(face: Face, min_margin: float) -> str | None:
    """Returns the subject that a face was recognized as, or None.

    The server calls a face AMBIGUOUS that lies between two identities. If both have one name, they are one subject, and it is recognized, unless
    an identity of another name is as near.

    Args:
        face: recognized with `CANDIDATES`.
        min_margin: the server's (`DecisionPolicy.min_margin`).
    """
    decision = face.decision
    if decision.outcome is Outcome.KNOWN:
        return decision.display_name
    candidates = decision.candidates
    if decision.outcome is not Outcome.AMBIGUOUS or not candidates:
        return None
    best = candidates[0]
    others = [each for each in candidates if each.display_name != best.display_name]
    if others:
        rival = others[0].similarity
    elif len(candidates) < CANDIDATES:
        rival = -1.0
    else:
        rival = candidates[-1].similarity  # the next one may be of another name
    is_clear = rival < decision.threshold or best.similarity - rival >= min_margin
    return best.display_name if is_clear else None


def predictions(face: Face, known: str | None, count: int) -> list[dict[str, Any]]:
    """Returns the subjects that a face resembles, best first; one at least.

    Args:
        face: recognized with `CANDIDATES`.
        known: who it was recognized as; None if as no one.
        count: of the subjects, at most.
    """
    cosines: dict[str, float] = {}
    for name, cosine in _resembled(face, known):
        cosines.setdefault(name, cosine)
    found = [
        {"subject": name, "similarity": of_known(cosine) if name == known else of_other(cosine)}
        for name, cosine in cosines.items()
    ]
    return found[:count] or [{"subject": NO_ONE, "similarity": 0.0}]


def _resembled(face: Face, known: str | None) -> Iterator[tuple[str, float]]:
    """Yields names with similarities: first who it was recognized as, then the candidates, best first."""
    decision = face.decision
    if known is not None:
        yield known, decision.similarity
    for candidate in decision.candidates:
        yield candidate.display_name, candidate.similarity


def system_json(
    recognition: Recognition, server: ServerInfo
) -> tuple[dict[str, float], dict[str, str]]:
    """Returns the times of a picture, milliseconds, and what did the work: what `status=true` asks for."""
    timings = recognition.timings
    times = {"detector": timings.detect_us / 1000, "calculator": timings.embed_us / 1000}
    return times, {"detector": "facewire.mtcnn", "calculator": server.model_contract_name}


def _area(face: DetectedFace) -> float:
    return face.box.width_px * face.box.height_px
