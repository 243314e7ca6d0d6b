"""A track event as JSON: ids of people, and their names only where these are allowed."""

import json
from typing import Any

from facewire import TrackEvent

__all__ = ["encoded", "event_payload"]


def event_payload(event: TrackEvent, *, with_names: bool) -> dict[str, Any]:
    """Returns what is published about an event; `event_type` is the key that Home Assistant reads.

    `name` is there only `with_names`. An id says as much if the operator has chosen names as ids.
    `presentation_attack_score` is there only if the server has looked for presentation attacks.
    """
    payload: dict[str, Any] = {
        "event_type": event.state.value.lower(),
        "event_id": event.event_id,
        "camera": event.camera_id,
        "gallery": event.gallery_id,
        "track_id": event.track_id,
        "visit_id": event.visit_id,
        "outcome": event.decision.outcome.value.lower(),
        "identity_id": event.decision.identity_id,
        "previous_identity_id": event.previous_identity_id,
        "similarity": round(event.decision.similarity, 4),
        "reason": event.reason.value.lower(),
        "time": event.server_time.isoformat(),
    }
    if event.presentation_attack_score is not None:
        payload["presentation_attack_score"] = round(event.presentation_attack_score, 4)
    if with_names:
        payload["name"] = event.name or ""
    return payload


def encoded(payload: dict[str, Any]) -> bytes:
    """Returns JSON in UTF-8."""
    return json.dumps(payload, ensure_ascii=False).encode("utf-8", "replace")
