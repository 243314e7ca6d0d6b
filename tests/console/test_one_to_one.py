"""What a stream's values have in the SDK they have in JSON, or it is written here why not."""

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any, Final

import pytest

import facewire
from facewire import (
    Advice,
    Box,
    Candidate,
    DecidingRule,
    Decision,
    DetectedFace,
    Face,
    FrameResult,
    FramesSkipped,
    FrameStatus,
    Judgment,
    Landmarks,
    Outcome,
    Point,
    Quality,
    SkipReason,
    StageTimings,
    StreamLimits,
    ThresholdRule,
    TrackEvent,
    TrackReason,
    TrackState,
)
from facewire_console.face_shapes import face_json
from facewire_console.judgments import judgment_json
from facewire_console.live import _item
from facewire_console.shapes import advice_json, event_json, started_json

BOX = Box(1.0, 2.0, 3.0, 4.0)
POINT = Point(1.0, 2.0)
QUALITY = Quality(60.0, 1.0, 120.0)
DECISION = Decision(Outcome.KNOWN, "ada", "Ada", 0.8, 0.4, 0.3, "t", 7, ())
FACE = Face(BOX, Landmarks(POINT, POINT, POINT, POINT, POINT), 0.9, QUALITY, DECISION, 3, 5)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENT = TrackEvent(
    event_id=1, camera_id="door", track_id=3, state=TrackState.RETRACTED, decision=DECISION,
    previous_identity_id="bo", reason=TrackReason.EVIDENCE, first_sequence=1, last_sequence=5,
    server_time=NOW, gallery_id="default", visit_id=3, first_seen=NOW, last_seen=NOW, has_crop=False,
)  # fmt: skip
TIMINGS = StageTimings(*range(len(fields(StageTimings))))
RESULT = FrameResult(1, FrameStatus.OK, None, "", (FACE,), 640, 480, TIMINGS, 9)


NUMBERS: dict[str, Any] = {each.name: 1 for each in fields(ThresholdRule)}
RULE = ThresholdRule(**NUMBERS)
JUDGMENT = Judgment(DecidingRule.BELOW_THRESHOLD, 0.1, 0.2, False, 0.3, RULE, 0.03, 8.0, ("t",), 1)


class OneFrame:
    """Accounts for the browser's frame 10."""

    def account(self, frame_count: int) -> list[int]:
        return [10] * frame_count


def message(item: Any) -> dict[str, Any]:
    return _item(item, OneFrame())  # type: ignore[arg-type]


SHAPES: Final[dict[type, dict[str, Any]]] = {
    TrackEvent: event_json(EVENT, name=EVENT.name),
    Face: face_json(FACE),
    DetectedFace: face_json(FACE),
    Quality: face_json(FACE)["quality"],
    Box: face_json(FACE)["box"],
    FrameResult: message(RESULT),
    StageTimings: message(RESULT)["timings"],
    FramesSkipped: message(FramesSkipped(1, 2, SkipReason.SUPERSEDED, 2)),
    Advice: advice_json(Advice(5.0, 640)),
    StreamLimits: started_json(StreamLimits(4, 5, 6, "m")),
    Judgment: judgment_json(JUDGMENT),
    ThresholdRule: judgment_json(JUDGMENT)["threshold_rule"],
}
"""JSON of each value of a stream."""

OTHER_NAMES: Final = {
    "TrackEvent.camera_id": "camera",
    "TrackEvent.state": "type",
    "TrackEvent.server_time": "at",
    "Decision.outcome": "verdict",
    "Decision.display_name": "name",
    "Candidate.display_name": "name",
    "FrameResult.detection_mode": "followed",
    "StreamLimits.max_in_flight": "credit",
    "StreamLimits.max_frame_bytes": "max_image_bytes",
}
"""What has another name in JSON."""

LEFT_OUT: Final = {
    "TrackEvent.decision": "its fields are the event's",
    "Face.decision": "its fields are the face's",
    "StreamLimits.resume_token": "who has it takes the stream over",
    "StreamLimits.resume_after_sequence": "of the token, which is left out",
    "StreamLimits.resume_within_ms": "of the token, which is left out",
    "Candidate.template_id": "a judgment lists the templates that were matched",
    "TrackEvent: Decision.template_id": "the contract: an event has none",
    "TrackEvent: Decision.candidates": "the contract: an event has none",
    "TrackEvent: Decision.judgment": "of the faces of a frame, if asked for",
}
"""What JSON has not, and why."""


def missing(kind: type, shape: dict[str, Any], *, within: str = "") -> list[str]:
    names = [f"{kind.__name__}.{each.name}" for each in fields(kind)]
    return [
        name
        for name in names
        if OTHER_NAMES.get(name, name.partition(".")[2]) not in shape
        and not {name, f"{within}: {name}"} & LEFT_OUT.keys()
    ]


@pytest.mark.parametrize("kind", SHAPES)
def test_every_field_of_a_streams_value_is_in_its_json(kind: type) -> None:
    assert missing(kind, SHAPES[kind]) == []


@pytest.mark.parametrize("kind", [Face, TrackEvent])
def test_every_field_of_a_decision_is_beside_what_was_decided(kind: type) -> None:
    assert missing(Decision, SHAPES[kind], within=kind.__name__) == []


def test_every_field_of_a_candidate_is_in_its_json() -> None:
    decision = Decision(
        Outcome.AMBIGUOUS, "", "", 0.8, 0.4, 0.0, "", 7, (Candidate("a", "A", 0.8, ""),)
    )
    face = Face(BOX, FACE.landmarks, 0.9, QUALITY, decision, 0, 0)
    assert missing(Candidate, face_json(face)["candidates"][0]) == []


def test_nothing_is_called_left_out_that_is_there() -> None:
    for name in LEFT_OUT:
        within, _, field = name.rpartition(": ")
        kind = getattr(facewire, within or field.partition(".")[0])
        assert field.partition(".")[2] not in SHAPES.get(kind, {}), name
