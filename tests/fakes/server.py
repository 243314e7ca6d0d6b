"""A facewire server in the test's own process: the contract over real gRPC, without models.

`tests/integration/test_client.py` holds it to the real server.
`FakeServer.fail_next` and the stream's knobs play what a healthy server does not.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from facewire.v1 import (
    face_pb2,
    gallery_pb2,
    gallery_pb2_grpc,
    recognition_pb2,
    recognition_pb2_grpc,
)
from fakes.faces import Embedded, embed
from fakes.gallery_service import Refusal
from fakes.negative_service import FakeNegatives
from fakes.recognition_service import CONTRACT_ID, THRESHOLD, Recognition
from fakes.track_journal import FakeJournal

__all__ = ["SERVING", "TRACKED", "FakeServer", "failure"]

TRACKED = {f"FEATURE_{name}" for name in ("TRACKS", "WATCH_TRACKS", "RESUME", "EVENTS_ONLY")}
"""The features of a server that follows faces."""

SERVING = "fake-server"
"""How the names of a server's threads begin."""

MAX_FRAME_BYTES = 16 * 2**20


def failure(
    code: grpc.StatusCode,
    reason: str = "",
    detail: str = "as scripted",
    field: str = "",
    retry_after_s: float | None = None,
) -> Any:
    """A status with details, for `context.abort_with_status`."""
    details = []
    if reason:
        info = any_pb2.Any()
        info.Pack(error_details_pb2.ErrorInfo(reason=reason, domain="facewire"))
        details.append(info)
    if field:
        bad = any_pb2.Any()
        violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=detail)
        bad.Pack(error_details_pb2.BadRequest(field_violations=[violation]))
        details.append(bad)
    if retry_after_s is not None:
        again = any_pb2.Any()
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(round(1000 * retry_after_s))
        again.Pack(retry)
        details.append(again)
    number = code_pb2.Code.Value(code.name)
    return rpc_status.to_status(status_pb2.Status(code=number, message=detail, details=details))


class FakeServer:
    """Serves on a port of 127.0.0.1, a free one by default, from `with` to its end.

    Attributes:
        address: "127.0.0.1:port".
        calls: how often each method was called, scripted failures included.
        peers: the peers that opened a stream, in order.
        max_in_flight: the credit of new streams.
        max_frame_bytes: the limit told, and kept.
        hold: cleared, streams read frames but answer none.
        held: frames read and not answered, over all streams; `held_changed` is told.
        reconnect_after: ends a stream by `reconnect` after as many answers, and
            `reconnect_after_ms` and `reconnect_reason` are what it says.
        silent: the methods that wait for `opening` before they answer at all; `asked` is
            set when one does.
        end_after: ends a stream after as many answers, without a word: with OK, or by `end_status`.
        advice: told at the start of each stream.
        refuse_reading: ends a stream by this status, once it has begun, and reads no frame.
        not_serving: the services whose health is not well.
        cut_export_after: ends the next export by UNAVAILABLE after as many records.
        faults: of every face, which is too poor then: "BLURRED", ...
        features: the features that the server has: "FEATURE_TRACKS", ...
        journal: what happened in front of its cameras; a server that takes the place of another one has its journal.
        configs: the first messages of all streams, in order; `watched` are the requests of all feeds.
        unsent_count: frames that are accounted for after `end_after`, and whose results are lost.
        end_feed_after: ends a feed after as many events, with OK, or by `end_status`.
        is_stopping: its streams break off from now on.
        names_position: whether a feed's headers say which event it follows.
    """

    def __init__(
        self,
        *,
        token: str = "",
        port: int = 0,
        features: Iterable[str] = (),
        journal: FakeJournal | None = None,
    ) -> None:
        self.token = token
        self._port = port
        self.is_stopping = False
        self.galleries = FakeNegatives(CONTRACT_ID, THRESHOLD)
        self.features = set(features)
        self.journal = journal or FakeJournal()
        self.configs: list[recognition_pb2.StreamConfig] = []
        self.watched: list[recognition_pb2.WatchTracksRequest] = []
        self.unsent_count = 0
        self.end_feed_after: int | None = None
        self.names_position = True
        self.calls: dict[str, int] = defaultdict(int)
        self.request_ids: list[str] = []
        self.peers: list[str] = []
        self.max_in_flight = 4
        self.max_frame_bytes = MAX_FRAME_BYTES
        self.hold = threading.Event()
        self.hold.set()
        self.held = 0
        self.held_changed = threading.Condition()
        self.reconnect_after: int | None = None
        self.reconnect_after_ms = 1500
        self.reconnect_reason = recognition_pb2.RECONNECT_REASON_SHUTTING_DOWN
        self.end_after: int | None = None
        self.end_status: Any = None
        self.advice: recognition_pb2.Advice | None = None
        self.refuse_reading: Any = None
        self.not_serving: set[str] = set()
        self.cut_export_after: int | None = None
        self.faults: list[str] = []
        self.silent: set[str] = set()
        self.asked = threading.Event()
        self.opening = threading.Event()
        self.stream_ended = threading.Event()
        self._failures: dict[str, list[tuple[Any, bool]]] = defaultdict(list)

    def fail_next(self, method: str, status: Any, *, times: int = 1, after: bool = False) -> None:
        """Scripts the next calls of a method to fail, `after` their work was done or before."""
        self._failures[method] += [(status, after)] * times

    def __enter__(self) -> "FakeServer":
        options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 17 * 2**20)]
        self._threads = ThreadPoolExecutor(16, thread_name_prefix=SERVING)
        self._server = grpc.server(self._threads, options=options)
        recognition_pb2_grpc.add_RecognitionServiceServicer_to_server(
            Recognition(self), self._server
        )
        gallery_pb2_grpc.add_GalleryServiceServicer_to_server(_Galleries(self), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(_Health(self), self._server)
        port = self._server.add_insecure_port(f"127.0.0.1:{self._port}")
        self.address = f"127.0.0.1:{port}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_stopping = True
        self.hold.set()
        self.opening.set()
        self._server.stop(0).wait()
        self._threads.shutdown()

    def handle(
        self,
        context: grpc.ServicerContext,
        method: str,
        work: Callable[[], Any],
        *,
        needs_token: bool = True,
    ) -> Any:
        """Runs a method: its scripted failure, the token, the work, the refusal."""
        self.calls[method] += 1
        if method in self.silent:
            self.asked.set()
            self.opening.wait()
            if not context.is_active():
                context.abort(grpc.StatusCode.CANCELLED, "the client has gone")
        scripted, after = self._failures[method].pop(0) if self._failures[method] else (None, False)
        if scripted is not None and not after:
            context.abort_with_status(scripted)
        if needs_token:
            self.check_token(context)
        try:
            answer = work()
        except Refusal as refusal:
            context.abort_with_status(
                failure(refusal.code, refusal.reason, str(refusal), refusal.field)
            )
        if scripted is not None:
            context.abort_with_status(scripted)
        return answer

    def check_token(self, context: grpc.ServicerContext) -> None:
        sent = dict(context.invocation_metadata()).get("authorization", "")
        if self.token and sent != f"Bearer {self.token}":
            context.abort_with_status(
                failure(grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REQUIRED", "a token is required")
            )

    def embed(self, image: face_pb2.Image) -> Embedded:
        """Reads a picture within the server's limit."""
        embedded = embed(image, max_frame_bytes=self.max_frame_bytes)
        if embedded.face is not None:
            faults = [getattr(face_pb2, f"QUALITY_FAULT_{fault}") for fault in self.faults]
            embedded.face.quality.faults.extend(faults)
        return embedded


class _Galleries(gallery_pb2_grpc.GalleryServiceServicer):
    """Every method by its name: `FakeNegatives` has one of the same name."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def __getattribute__(self, method: str) -> Any:
        if method.startswith("_"):
            return super().__getattribute__(method)
        server = self._server
        if method == "ExportGallery":
            return self._export

        def handle(request: Any, context: Any) -> Any:
            if method in ("EnrollTemplates", "AddNegativeExample"):
                server.request_ids.append(request.request_id)
                return server.handle(
                    context,
                    method,
                    lambda: getattr(server.galleries, method)(request, server.embed),
                )
            return server.handle(
                context, method, lambda: getattr(server.galleries, method)(request)
            )

        return handle

    def _export(self, request: Any, context: Any) -> Iterator[Any]:
        server = self._server
        records = server.handle(
            context, "ExportGallery", lambda: list(server.galleries.ExportGallery(request))
        )
        for sent, record in enumerate(records):
            if sent == server.cut_export_after:
                server.cut_export_after = None
                busy = failure(grpc.StatusCode.UNAVAILABLE, "STORAGE_BUSY")
                context.abort_with_status(busy)
            yield gallery_pb2.ExportGalleryResponse(record=record)


class _Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]  # generated, untyped
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def Check(self, request: Any, context: Any) -> Any:
        return self._server.handle(
            context, "Check", lambda: self._status(request), needs_token=False
        )

    def _status(self, request: Any) -> Any:
        serving = request.service not in self._server.not_serving
        kind = health_pb2.HealthCheckResponse
        return kind(status=kind.SERVING if serving else kind.NOT_SERVING)
