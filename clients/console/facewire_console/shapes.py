"""The client's values as JSON: API.md and openapi.json have the same shapes."""

from datetime import datetime
from typing import Any, Final

from facewire import (
    Advice,
    Candidate,
    EnrolledPicture,
    Finding,
    FoundPerson,
    FrameResult,
    FramesSkipped,
    Gallery,
    GalleryCheckup,
    Identity,
    NegativeExample,
    Recognition,
    StageTimings,
    StreamLimits,
    Template,
    TrackEvent,
    UnknownPerson,
)
from facewire import DetectionMode as Mode
from facewire_console.face_shapes import box_json, candidate_json, face_json, quality_json

__all__ = [
    "advice_json",
    "checkup_json",
    "enrolled_json",
    "event_json",
    "frame_json",
    "gallery_json",
    "identity_json",
    "negative_example_json",
    "recognition_json",
    "skipped_json",
    "started_json",
    "template_json",
    "unknown_json",
]

JSON = dict[str, Any]

_TIMINGS: Final = tuple(StageTimings.__dataclass_fields__)


def recognition_json(found: Recognition) -> JSON:
    """Returns the faces of one picture."""
    return {
        "width_px": found.width_px,
        "height_px": found.height_px,
        "faces": [face_json(face) for face in found.faces],
        "timings": _timings(found.timings),
    }


def frame_json(result: FrameResult) -> JSON:
    """Returns what both doors for frames have of a result; `sequence` is the stream's own."""
    return {
        "sequence": result.sequence,
        "status": result.status.value,
        "width_px": result.width_px,
        "height_px": result.height_px,
        "faces": [face_json(face) for face in result.faces],
        "timings": _timings(result.timings),
        "smallest_face_px": result.smallest_face_px,
        "followed": result.detection_mode is Mode.FOLLOWED,
    }


def skipped_json(skipped: FramesSkipped) -> JSON:
    """Returns a range of frames that were not worked on."""
    return {
        "first_sequence": skipped.first_sequence,
        "last_sequence": skipped.last_sequence,
        "frame_count": skipped.frame_count,
        "reason": skipped.reason.value.lower(),
    }


def started_json(limits: StreamLimits) -> JSON:
    """Returns the limits of a stream, without its resume token: who has that takes the stream over."""
    return {
        "credit": limits.max_in_flight,
        "max_image_bytes": limits.max_frame_bytes,
        "max_pixels": limits.max_pixels,
        "model_contract_id": limits.model_contract_id,
    }


def advice_json(advice: Advice) -> JSON:
    """Returns what the server advises a camera to do."""
    return {"target_fps": advice.target_fps, "longest_side_px": advice.longest_side_px}


def identity_json(identity: Identity) -> JSON:
    """Returns a person."""
    return {
        "identity_id": identity.identity_id,
        "name": identity.display_name,
        "template_count": identity.template_count,
        "negative_example_count": identity.negative_example_count,
        "created_at": _time(identity.created_at),
    }


def template_json(template: Template) -> JSON:
    """Returns an enrolled picture, as far as it is kept."""
    return {
        "template_id": template.template_id,
        "identity_id": template.identity_id,
        "quality": quality_json(template.quality),
        "detection_score": template.detection_score,
        "created_at": _time(template.created_at),
        "source": template.source,
    }


def negative_example_json(example: NegativeExample) -> JSON:
    """Returns a face that is not a person."""
    return {
        "negative_example_id": example.negative_example_id,
        "identity_id": example.identity_id,
        "quality": quality_json(example.quality),
        "detection_score": example.detection_score,
        "created_at": _time(example.created_at),
        "source": example.source,
    }


def enrolled_json(
    picture: EnrolledPicture, *, similar_name: str = "", faces: list[JSON] | None = None
) -> JSON:
    """Returns the outcome of one picture.

    Args:
        picture: the outcome.
        similar_name: the name of the other identity that it matches.
        faces: all faces of a picture that was refused because it has several.
    """
    similar = Candidate(
        picture.similar_identity_id, similar_name, picture.similar_identity_similarity, ""
    )
    return {
        "accepted": picture.accepted,
        "template_id": picture.template_id or None,
        "refusal": None if picture.refusal is None else picture.refusal.value,
        "detail": picture.detail,
        "quality": None if picture.quality is None else quality_json(picture.quality),
        "box": None if picture.box is None else box_json(picture.box),
        "similar": candidate_json(similar) if picture.similar_identity_id else None,
        "faces": faces,
    }


def gallery_json(gallery: Gallery) -> JSON:
    """Returns a gallery."""
    return {
        "gallery_id": gallery.gallery_id,
        "name": gallery.display_name,
        "revision": gallery.revision,
        "identity_count": gallery.identity_count,
        "template_count": gallery.template_count,
        "threshold": gallery.threshold,
    }


def event_json(event: TrackEvent, *, name: str | None) -> JSON:
    """Returns an event.

    Args:
        event: the event.
        name: the present name of its person; None if it is about an unknown person.
    """
    decision = event.decision
    return {
        "event_id": event.event_id,
        "type": event.state.value.lower(),
        "reason": event.reason.value.lower(),
        "camera": event.camera_id,
        "gallery_id": event.gallery_id,
        "track_id": event.track_id,
        "visit_id": event.visit_id,
        "verdict": decision.outcome.value.lower(),
        "label": event.label if name is None else name,
        "identity_id": decision.identity_id or None,
        "name": name,
        "previous_identity_id": event.previous_identity_id or None,
        "similarity": decision.similarity,
        "threshold": decision.threshold,
        "threshold_source": decision.threshold_source.value.lower(),
        "margin": decision.margin,
        "look_count": decision.look_count,
        "gallery_revision": decision.gallery_revision,
        "ambiguous_between": [candidate_json(each) for each in decision.ambiguous_between],
        "first_sequence": event.first_sequence,
        "last_sequence": event.last_sequence,
        "at": _time(event.server_time),
        "first_seen": _time(event.first_seen),
        "last_seen": _time(event.last_seen),
        "has_crop": event.has_crop,
        "presentation_attack_score": event.presentation_attack_score,
    }


def unknown_json(person: UnknownPerson) -> JSON:
    """Returns a person whom the gallery does not know."""
    return {
        "unknown_id": person.unknown_id,
        "visit_count": person.visit_count,
        "first_seen": _time(person.first_seen),
        "last_seen": _time(person.last_seen),
        "cameras": list(person.camera_ids),
        "picture_count": person.picture_count,
    }


def checkup_json(checkup: GalleryCheckup) -> JSON:
    """Returns what was found in a gallery, of each kind."""
    return {
        "gallery": gallery_json(checkup.gallery),
        "least_confusable": checkup.least_confusable,
        "least_double": checkup.least_double,
        "findings": [
            {
                "kind": found.kind.value.lower(),
                "total": found.total_count,
                "listed": [_finding(each) for each in found.listed],
            }
            for found in checkup.findings
        ],
    }


def _finding(finding: Finding) -> JSON:
    return {
        "people": [_found_person(each) for each in finding.people],
        "template_ids": list(finding.template_ids),
        "value": finding.value,
        "faults": [fault.value.lower() for fault in finding.faults],
        "resembled": finding.resembled and _found_person(finding.resembled),
        "resembled_similarity": finding.resembled_similarity,
    }


def _found_person(person: FoundPerson) -> JSON:
    return {"identity_id": person.identity_id, "name": person.display_name}


def _timings(timings: StageTimings) -> JSON:
    return {name: getattr(timings, name) for name in _TIMINGS}


def _time(at: datetime) -> str:
    return at.isoformat()
