"""Events become series, and no label is anything that an operator has not allowed."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from facewire_server.errors import (
    InvalidField,
    ModelUnavailable,
    NoFace,
    ServerError,
    TimedOut,
    TooManyCalls,
    UndecodableImage,
)
from facewire_server.events import (
    AuditFailed,
    CallRefused,
    CredentialsReloaded,
    FrameAccounted,
    FrameLookedAt,
    FrameRead,
    FramesSkipped,
    LoopLag,
    PictureFinished,
    Stage,
    StreamOpened,
    TrackChanged,
)
from facewire_server.telemetry.metrics import EventMetrics, reason


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> EventMetrics:
    return EventMetrics(registry, {"door/1"})


def test_frames_are_counted_by_status_and_reason(
    metrics: EventMetrics, registry: CollectorRegistry
) -> None:
    for error in (None, None, UndecodableImage, TimedOut, ModelUnavailable):
        metrics.listen(FrameAccounted("", 0.03, error))

    def value(status: str, reason: str) -> float | None:
        labels = {"status": status, "reason": reason, "camera": "other"}
        return registry.get_sample_value("facewire_frames_total", labels)

    assert value("OK", "") == 2
    assert value("INVALID", "IMAGE_UNDECODABLE") == 1
    assert value("TIMED_OUT", "TIMED_OUT") == 1
    assert value("UNAVAILABLE", "MODEL_UNAVAILABLE") == 1
    assert registry.get_sample_value("facewire_frame_latency_seconds_count") == 5
    assert registry.get_sample_value("facewire_frame_latency_seconds_sum") == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("camera_id", "label"), [("door/1", "door/1"), ("door/2", "other"), ("", "other")]
)
def test_only_allowed_cameras_are_labels(
    metrics: EventMetrics, registry: CollectorRegistry, camera_id: str, label: str
) -> None:
    metrics.listen(FrameRead(camera_id, 1000))
    metrics.listen(FramesSkipped(camera_id, "SUPERSEDED", 3))
    metrics.listen(FrameAccounted(camera_id, 0.1, None))
    metrics.listen(FrameLookedAt(camera_id, "FOLLOWED", 3, 1))
    metrics.listen(TrackChanged(camera_id, "CONFIRMED", "EVIDENCE"))
    shown = {
        sample.labels["camera"]
        for family in registry.collect()
        for sample in family.samples
        if sample.name.endswith("_total") and "camera" in sample.labels and sample.value
    }
    assert shown == {label}
    bytes_read = registry.get_sample_value("facewire_frame_bytes_total", {"camera": label})
    skipped = {"reason": "SUPERSEDED", "camera": label}
    assert bytes_read == 1000
    assert registry.get_sample_value("facewire_frames_skipped_total", skipped) == 3
    of_camera = {"camera": label}
    counts = {
        "frames_looked_at": ({"mode": "FOLLOWED"}, 1),
        "faces_seen": ({}, 3),
        "faces_embedded": ({}, 1),
        "track_events": ({"state": "CONFIRMED", "reason": "EVIDENCE"}, 1),
    }
    for name, (labels, count) in counts.items():
        value = registry.get_sample_value(f"facewire_{name}_total", {**of_camera, **labels})
        assert value == count, name


def test_cameras_that_have_sent_nothing_are_0_from_the_start(
    metrics: EventMetrics, registry: CollectorRegistry
) -> None:
    for camera in ("door/1", "other"):
        of_camera = {"camera": camera}
        assert registry.get_sample_value("facewire_frames_read_total", of_camera) == 0
        assert registry.get_sample_value("facewire_frame_bytes_total", of_camera) == 0
        ok = {"status": "OK", "reason": "", **of_camera}
        assert registry.get_sample_value("facewire_frames_total", ok) == 0
        for name in ("SUPERSEDED", "OVER_CREDIT", "SHUTTING_DOWN"):
            skipped = {"reason": name, **of_camera}
            assert registry.get_sample_value("facewire_frames_skipped_total", skipped) == 0
    before = names(registry)
    metrics.listen(FrameRead("door/2", 1000))
    metrics.listen(FramesSkipped("door/1", "SUPERSEDED", 3))
    metrics.listen(FrameAccounted("door/1", 0.1, None))
    assert names(registry) == before, "these events count on series that exist"


def names(registry: CollectorRegistry) -> set[tuple[str, ...]]:
    """The series of frames."""
    return {
        (sample.name, *sample.labels.values())
        for family in registry.collect()
        for sample in family.samples
        if "camera" in sample.labels
    }


def test_parts_of_a_stage_are_one_observation(
    metrics: EventMetrics, registry: CollectorRegistry
) -> None:
    stages = (Stage("decode", 1.0, 1.25), Stage("detect", 1.25, 2.0), Stage("decode", 1.0, 1.5))
    metrics.listen(PictureFinished("enroll", 7, 1.0, 2.0, 0.5, stages, NoFace))

    def stage_s(stage: str) -> float | None:
        labels = {"stage": stage, "purpose": "enroll"}
        return registry.get_sample_value("facewire_stage_seconds_sum", labels)

    assert (stage_s("queue"), stage_s("decode"), stage_s("detect")) == (0.5, 0.75, 0.75)
    of_stage = {"stage": "decode", "purpose": "enroll"}
    assert registry.get_sample_value("facewire_stage_seconds_count", of_stage) == 1
    of_purpose = {"purpose": "enroll"}
    assert registry.get_sample_value("facewire_picture_seconds_sum", of_purpose) == 1.5
    assert registry.get_sample_value("facewire_call_bytes_total", of_purpose) == 7
    ended = {"purpose": "enroll", "outcome": "NO_FACE"}
    assert registry.get_sample_value("facewire_pictures_total", ended) == 1


def test_the_bytes_of_a_frame_are_counted_once(
    metrics: EventMetrics, registry: CollectorRegistry
) -> None:
    metrics.listen(FrameRead("door/1", 7))
    metrics.listen(PictureFinished("stream", 7, 1.0, 2.0, 0.0, (), None))
    in_all = sum(
        sample.value
        for family in registry.collect()
        if family.name.endswith("_bytes")
        for sample in family.samples
        if sample.name.endswith("_total")
    )
    assert in_all == 7


def test_the_loop_is_measured(metrics: EventMetrics, registry: CollectorRegistry) -> None:
    metrics.listen(LoopLag(0.75))
    assert registry.get_sample_value("facewire_event_loop_lag_seconds_sum") == 0.75
    bucket = {"le": "0.5"}
    assert registry.get_sample_value("facewire_event_loop_lag_seconds_bucket", bucket) == 0


def test_refused_calls_are_counted_by_reason_from_0(
    metrics: EventMetrics, registry: CollectorRegistry
) -> None:
    def counts() -> list[float | None]:
        return [
            registry.get_sample_value("facewire_calls_refused_total", {"reason": name})
            for name in ("TOO_MANY_CALLS", "REQUEST_TOO_LARGE", "TIMED_OUT")
        ]

    assert counts() == [0, 0, 0]
    for error in (TooManyCalls, TimedOut, TimedOut):
        metrics.listen(CallRefused("/facewire.v1.GalleryService/GetGallery", "ipv4:a:1", error))
    assert counts() == [1, 0, 2]


def test_other_events_are_let_pass(metrics: EventMetrics, registry: CollectorRegistry) -> None:
    before = [sample for family in registry.collect() for sample in family.samples]
    metrics.listen(StreamOpened("door/1", "ipv4:127.0.0.1:1"))
    assert [sample for family in registry.collect() for sample in family.samples] == before


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (NoFace, "NO_FACE"),
        (InvalidField, "FIELD_INVALID"),
        (asyncio.CancelledError, "CANCELLED"),
        (KeyError, "INTERNAL"),
        (ServerError, "INTERNAL"),
    ],
)
def test_the_words_are_the_contracts(error: type[BaseException], word: str) -> None:
    assert reason(error) == word


def test_a_class_below_a_known_one_has_its_word() -> None:
    class Blurred(UndecodableImage):
        pass

    assert reason(Blurred) == "IMAGE_UNDECODABLE"


def test_tokens_that_cannot_be_read_and_lines_that_cannot_be_kept_are_counted(
    metrics: EventMetrics, registry: CollectorRegistry
) -> None:
    def reloads(outcome: str) -> float | None:
        labels = {"outcome": outcome}
        return registry.get_sample_value("facewire_credential_reloads_total", labels)

    assert (reloads("ok"), reloads("failed")) == (0, 0)
    for error in ("", "tokens cannot be used", "tokens cannot be used"):
        metrics.listen(CredentialsReloaded(error))
    metrics.listen(AuditFailed(OSError, "no space left on device"))
    assert (reloads("ok"), reloads("failed")) == (1, 2)
    assert registry.get_sample_value("facewire_audit_failures_total") == 1
