"""Every metric of this server, one row each. docs/metrics.md shows the rows; a test compares them.

Names are `facewire_`, a base unit, and `_total` if it counts; those of gRPC calls and of the process are the names that
dashboards for any gRPC server and any process expect.
"""

from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

__all__ = ["ROWS", "Row", "counter", "family", "histogram", "row"]

_SECONDS: Final = (
    *(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""Bucket bounds in seconds: from a search of a small gallery to `frame_timeout_s`, at most a factor of 2.5 apart, which
bounds the error of a quantile."""


@dataclass(frozen=True, slots=True)
class Row:
    """One metric.

    Attributes:
        name: as Prometheus stores it; of a histogram without `_bucket`, `_sum` and `_count`.
        kind: "counter", "gauge" or "histogram".
        labels: of each series.
        about: what it measures.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    about: str


ROWS: Final = tuple(
    Row(name, kind, tuple(labels.split()), about)
    for name, kind, labels, about in (
        # Streams, from events
        ("facewire_frames_read_total", "counter", "camera", "Frames that came on streams"),
        ("facewire_frame_bytes_total", "counter", "camera", "Bytes of the frames that came"),
        (
            "facewire_frames_total",
            "counter",
            "status reason camera",
            "Frames answered, by the contract's FrameStatus and ErrorReason (empty if OK)",
        ),
        (
            "facewire_frames_skipped_total",
            "counter",
            "reason camera",
            "Frames skipped, by the contract's SkipReason",
        ),
        (
            "facewire_frames_looked_at_total",
            "counter",
            "mode camera",
            "Frames recognized, by the contract's DetectionMode: searched in whole, or known faces followed",
        ),
        ("facewire_faces_seen_total", "counter", "camera", "Faces in the answers to frames"),
        (
            "facewire_faces_embedded_total",
            "counter",
            "camera",
            "Faces of frames that were embedded; the others keep the verdict of their track",
        ),
        (
            "facewire_track_events_total",
            "counter",
            "state reason camera",
            "Track events recorded, by the contract's TrackState and TrackReason",
        ),
        (
            "facewire_frame_latency_seconds",
            "histogram",
            "",
            "Time from a frame's arrival to its answer, whatever the answer",
        ),
        # Pictures of streams and calls, from events
        (
            "facewire_pictures_total",
            "counter",
            "purpose outcome",
            "Pictures worked on: for a stream, recognize, compare, enroll or negative_example; OK, the contract's "
            "ErrorReason, or CANCELLED",
        ),
        (
            "facewire_picture_seconds",
            "histogram",
            "purpose",
            "Time of a picture, waiting for a slot included",
        ),
        (
            "facewire_stage_seconds",
            "histogram",
            "stage purpose",
            "Time of a stage of a picture: queue (before a slot), decode, detect, align, embed, "
            "match; stages overlap",
        ),
        (
            "facewire_call_bytes_total",
            "counter",
            "purpose",
            "Bytes of the pictures of unary calls that were worked on",
        ),
        (
            "facewire_calls_refused_total",
            "counter",
            "reason",
            "Calls refused before they began: TOO_MANY_CALLS, REQUEST_TOO_LARGE, or TIMED_OUT if no "
            "request came",
        ),
        (
            "facewire_credential_reloads_total",
            "counter",
            "outcome",
            "Readings of changed tokens and certificates: ok, or failed if a file cannot be used and the ones before stay",
        ),
        (
            "facewire_audit_failures_total",
            "counter",
            "",
            "Lines that could not be kept in the audit log: changes that were made without them, exports that were refused",
        ),
        # State, read at each scrape
        ("facewire_slots", "gauge", "", "Work slots: pictures that may be in work at once"),
        ("facewire_slots_in_use", "gauge", "", "Work slots held"),
        (
            "facewire_slots_waiting",
            "gauge",
            "kind",
            "Streams, and pictures of calls, that wait for a work slot: `stream` or `call`",
        ),
        (
            "facewire_held_bytes",
            "gauge",
            "kind",
            "Bytes of pictures as they arrived that wait or are in work, of `stream` or `call`",
        ),
        (
            "facewire_held_bytes_limit",
            "gauge",
            "kind",
            "At this many bytes streams stop reading, and calls are refused",
        ),
        (
            "facewire_pictures_left_behind",
            "gauge",
            "",
            "Pictures whose deadline has passed, and which still keep a thread busy",
        ),
        ("facewire_streams_limit", "gauge", "", "Most streams that may be open"),
        ("facewire_streams_open", "gauge", "", "Streams open"),
        ("facewire_worker_streams_most", "gauge", "", "Streams open at the worker that has most"),
        (
            "facewire_worker_streams_least",
            "gauge",
            "",
            "Streams open at the worker that has fewest",
        ),
        ("facewire_streams_opened_total", "counter", "", "Streams admitted"),
        (
            "facewire_streams_moved_total",
            "counter",
            "",
            "Streams ended so that a worker with fewer may have them",
        ),
        (
            "facewire_streams_refused_total",
            "counter",
            "reason",
            "Streams not admitted: TOO_MANY_STREAMS, WORKER_BUSY or SHUTTING_DOWN",
        ),
        (
            "facewire_model_calls_total",
            "counter",
            "servable outcome",
            "Calls of a model: ok, unavailable, timed_out or cancelled",
        ),
        ("facewire_model_calls_in_flight", "gauge", "servable", "Calls of a model under way"),
        (
            "facewire_model_call_seconds_total",
            "counter",
            "servable",
            "Time of all ended calls of a model together",
        ),
        (
            "facewire_model_faces_total",
            "counter",
            "servable",
            "Faces that a model was called for: crops embedded, windows followed; 0 if it takes whole pictures",
        ),
        (
            "facewire_model_calls_waiting",
            "gauge",
            "servable",
            "Calls under way that wait until a replica can take them",
        ),
        (
            "facewire_model_retries_total",
            "counter",
            "servable reason",
            "Calls that were made again: their version was unproven, they failed, or a full replica declined them",
        ),
        (
            "facewire_model_healthy",
            "gauge",
            "servable",
            "1 if the last check found the model available and proven, else 0; of `mtcnn/follow` 0 means that every frame is searched",
        ),
        (
            "facewire_model_replicas",
            "gauge",
            "servable",
            "IP addresses of the model; 1 if it runs in the server; 0 if its name has none",
        ),
        (
            "facewire_model_replicas_left_out",
            "gauge",
            "servable",
            "Of these, the ones that take no calls, because they fail or are refused",
        ),
        (
            "facewire_model_info",
            "gauge",
            "servable runs_at versions",
            "Always 1; where a model runs, and its proven versions",
        ),
        ("facewire_store_file_bytes", "gauge", "", "Size of the file of all galleries"),
        (
            "facewire_store_used_bytes",
            "gauge",
            "",
            "Bytes of that file up to the last page ever used; freed pages count",
        ),
        (
            "facewire_store_max_bytes",
            "gauge",
            "",
            "gallery_max_bytes: beyond it additions are refused with GALLERY_FULL",
        ),
        ("facewire_store_readers", "gauge", "", "Read transactions open, in all processes"),
        (
            "facewire_store_writable",
            "gauge",
            "",
            "1 while writes begin in their time; 0 while they are refused with STORAGE_BUSY: the disk is read-only, or another process writes",
        ),
        (
            "facewire_store_erasure_pending_seconds",
            "gauge",
            "",
            "Seconds since the first deletion of which something may still be in the file; 0 if there is none",
        ),
        (
            "facewire_store_backup_timestamp_seconds",
            "gauge",
            "",
            "When gallery backup was last done, seconds since 1970-01-01 UTC; 0 if never",
        ),
        ("facewire_galleries", "gauge", "", "Galleries"),
        (
            "facewire_galleries_damaged",
            "gauge",
            "",
            "Galleries in which damage was found; they are not searched",
        ),
        (
            "facewire_enrollment_crops",
            "gauge",
            "",
            "Aligned faces of enrolled pictures that are kept, encrypted, in all galleries",
        ),
        ("facewire_gallery_identities", "gauge", "gallery", "Identities of a gallery"),
        ("facewire_gallery_templates", "gauge", "gallery", "Templates of a gallery"),
        ("facewire_gallery_revision", "gauge", "gallery", "Revision of a gallery"),
        # The journal of tracks
        (
            "facewire_journal_kept",
            "gauge",
            "",
            "1 if the journal is kept on the disk; 0 if its folder cannot be used",
        ),
        (
            "facewire_journal_failures_total",
            "counter",
            "",
            "Calls that the journal's storage failed; what they should have kept is lost",
        ),
        (
            "facewire_journal_file_bytes",
            "gauge",
            "",
            "Size of the journal's file, without pictures",
        ),
        ("facewire_journal_events", "gauge", "", "Track events kept"),
        ("facewire_journal_streams", "gauge", "", "Streams that are open or can be resumed"),
        ("facewire_journal_watchers", "gauge", "", "Clients that watch tracks"),
        ("facewire_journal_crops", "gauge", "", "Pictures of tracks kept"),
        ("facewire_journal_crop_bytes", "gauge", "", "Bytes of these pictures"),
        # The process
        (
            "facewire_event_loop_lag_seconds",
            "histogram",
            "",
            "How late the event loop ran what was due, measured twice a second",
        ),
        ("facewire_workers", "gauge", "", "Processes that take calls; 1 without workers"),
        (
            "facewire_worker_deaths_total",
            "counter",
            "",
            "Workers that ended without being asked to, and were replaced",
        ),
        (
            "facewire_build_info",
            "gauge",
            "version contract engine",
            "Always 1; version, model contract id (shortened), and engines",
        ),
        (
            "facewire_process_pss_bytes",
            "gauge",
            "",
            "Memory of the process, shared pages counted by their share",
        ),
        (
            "grpc_server_started_total",
            "counter",
            "grpc_type grpc_service grpc_method",
            "Calls begun; reflection is not counted",
        ),
        (
            "grpc_server_handled_total",
            "counter",
            "grpc_type grpc_service grpc_method grpc_code",
            "Calls ended, by status",
        ),
        ("process_cpu_seconds_total", "counter", "", "Processor time of the process"),
        (
            "process_resident_memory_bytes",
            "gauge",
            "",
            "Memory of the process, shared pages in full",
        ),
        (
            "process_virtual_memory_bytes",
            "gauge",
            "",
            "Address space; the gallery's map is part of it",
        ),
        ("process_start_time_seconds", "gauge", "", "When the process started, since 1970"),
        ("process_open_fds", "gauge", "", "Open file descriptors: a connection takes one"),
        ("process_max_fds", "gauge", "", "Most file descriptors that may be open"),
    )
)
"""In the order of docs/metrics.md. The last six are prometheus-client's own."""

_BY_NAME: Final = {one.name: one for one in ROWS}


def row(name: str) -> Row:
    """Returns the row of this name.

    Raises:
        KeyError: there is none.
    """
    return _BY_NAME[name]


def counter(name: str, registry: CollectorRegistry) -> Counter:
    """Makes a counter of this row."""
    one = row(name)
    return Counter(one.name, one.about, one.labels, registry=registry)


def histogram(name: str, registry: CollectorRegistry) -> Histogram:
    """Makes a histogram of this row, in seconds."""
    one = row(name)
    return Histogram(one.name, one.about, one.labels, registry=registry, buckets=_SECONDS)


def family(name: str) -> CounterMetricFamily | GaugeMetricFamily:
    """Makes an empty family of this row: for values that are read at a scrape."""
    one = row(name)
    kind = CounterMetricFamily if one.kind == "counter" else GaugeMetricFamily
    return kind(one.name, one.about, labels=one.labels)
