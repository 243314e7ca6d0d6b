"""A facewire server in the test's own process: the contract over real gRPC, without models.

A face is a picture that is not of one colour; its "embedding" is the picture itself,
shrunk to 8x8 grey levels, so that a picture, its re-encoding and its resizing are mated.
`FakeServer.fail_next` and the stream's knobs play what a healthy server does not.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import cv2
import grpc
import numpy as np
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
from fakes.gallery_service import FakeGalleries, Refusal

__all__ = ["FakeServer", "failure"]

CONTRACT_ID = "f" * 64
THRESHOLD = 0.9
MAX_FRAME_BYTES = 16 * 2**20


def failure(
    code: grpc.StatusCode, reason: str = "", detail: str = "as scripted", field: str = ""
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
    number = code_pb2.Code.Value(code.name)
    return rpc_status.to_status(status_pb2.Status(code=number, message=detail, details=details))


class FakeServer:
    """Serves on a free port of 127.0.0.1 from `with` to its end.

    Attributes:
        address: "127.0.0.1:port".
        calls: how often each method was called, scripted failures included.
        peers: the peers that opened a stream, in order.
        max_in_flight: the credit of new streams.
        max_frame_bytes: the limit told, and kept.
        hold: cleared, streams read frames but answer none.
        held: frames read and not answered, over all streams; `held_changed` is told.
        reconnect_after: ends a stream by `reconnect` after as many answers, and
            `reconnect_after_ms` is what it says.
        silent: the methods that wait for `opening` before they answer at all; `asked` is
            set when one does.
        end_after: ends a stream with OK after as many answers, without a word.
        advice: told at the start of each stream.
        refuse_reading: ends a stream by this status, once it has begun, and reads no frame.
        not_serving: the services whose health is not well.
        cut_export_after: ends the next export by UNAVAILABLE after as many records.
    """

    def __init__(self, *, token: str = "") -> None:
        self.token = token
        self.galleries = FakeGalleries(CONTRACT_ID)
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
        self.end_after: int | None = None
        self.advice: recognition_pb2.Advice | None = None
        self.refuse_reading: Any = None
        self.not_serving: set[str] = set()
        self.cut_export_after: int | None = None
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
        self._server = grpc.server(ThreadPoolExecutor(16), options=options)
        recognition_pb2_grpc.add_RecognitionServiceServicer_to_server(
            _Recognition(self), self._server
        )
        gallery_pb2_grpc.add_GalleryServiceServicer_to_server(_Galleries(self), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(_Health(self), self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        self.address = f"127.0.0.1:{port}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.hold.set()
        self.opening.set()
        self._server.stop(0).wait()

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

    def embed(self, image: face_pb2.Image) -> tuple[np.ndarray, tuple[int, int]] | None:
        """The picture's "embedding" and size, None where it shows no face."""
        if not image.data:
            raise Refusal("IMAGE_EMPTY", "the picture has no bytes", field="image")
        if len(image.data) > self.max_frame_bytes:
            raise Refusal("IMAGE_TOO_MANY_BYTES", "too many bytes", field="image")
        picture = _decode(image)
        if picture is None:
            raise Refusal("IMAGE_UNDECODABLE", "not a picture", field="image")
        small = cv2.resize(picture, (8, 8), interpolation=cv2.INTER_AREA).astype(float).ravel()
        small -= small.mean()
        norm = float(np.linalg.norm(small))
        return None if norm < 1 else (small / norm, (picture.shape[1], picture.shape[0]))

    def faces(
        self, image: face_pb2.Image, gallery_id: str
    ) -> tuple[list[face_pb2.Face], tuple[int, int]]:
        gallery = self.galleries.own(gallery_id)
        embedded = self.embed(image)
        if embedded is None:
            picture = _decode(image)
            return [], (picture.shape[1], picture.shape[0])
        probe, size = embedded
        best, similarity = gallery.best(probe)
        face = _face(*size)
        face.decision.threshold = THRESHOLD
        face.decision.similarity = similarity
        face.decision.gallery_revision = gallery.revision
        known = best is not None and similarity >= THRESHOLD
        face.decision.outcome = face_pb2.OUTCOME_KNOWN if known else face_pb2.OUTCOME_UNKNOWN
        if known:
            face.decision.identity_id = best.identity_id
            face.decision.display_name = best.display_name
        return [face], size


def _decode(image: face_pb2.Image) -> Any:
    if image.format == face_pb2.IMAGE_FORMAT_UNSPECIFIED:
        return cv2.imdecode(np.frombuffer(image.data, np.uint8), cv2.IMREAD_GRAYSCALE)
    channels = 1 if image.format == face_pb2.IMAGE_FORMAT_GRAY8 else 3
    if len(image.data) != image.width_px * image.height_px * channels:
        raise Refusal("IMAGE_LAYOUT", "size and bytes disagree", field="image")
    raw = np.frombuffer(image.data, np.uint8).reshape(image.height_px, image.width_px, channels)
    if channels == 1:
        return raw[:, :, 0]
    rgb = image.format == face_pb2.IMAGE_FORMAT_RGB8
    return cv2.cvtColor(raw, cv2.COLOR_RGB2GRAY if rgb else cv2.COLOR_BGR2GRAY)


def _face(width_px: int, height_px: int) -> face_pb2.Face:
    return face_pb2.Face(
        box=face_pb2.Box(x_px=1, y_px=2, width_px=width_px - 2, height_px=height_px - 4),
        landmarks=face_pb2.Landmarks(left_eye=face_pb2.Point(x_px=3, y_px=4)),
        detection_score=0.99,
        quality=face_pb2.Quality(inter_eye_px=width_px / 3, sharpness=100, brightness=128),
    )


class _Recognition(recognition_pb2_grpc.RecognitionServiceServicer):
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def Recognize(self, request: Any, context: Any) -> Any:
        return self._server.handle(context, "Recognize", lambda: self._recognize(request))

    def _recognize(self, request: Any) -> Any:
        faces, size = self._server.faces(request.image, request.gallery_id)
        return recognition_pb2.RecognizeResponse(
            faces=faces,
            width_px=size[0],
            height_px=size[1],
            gallery_revision=self._server.galleries.get(request.gallery_id).revision,
            model_contract_id=CONTRACT_ID,
            timings=face_pb2.StageTimings(total_us=7),
        )

    def Compare(self, request: Any, context: Any) -> Any:
        return self._server.handle(context, "Compare", lambda: self._compare(request))

    def _compare(self, request: Any) -> Any:
        probes, faces = [], []
        for field in ("first", "second"):
            embedded = self._server.embed(getattr(request, field))
            if embedded is None:
                raise Refusal("NO_FACE", f"{field} shows no face", field=field)
            probes.append(embedded[0])
            faces.append(_face(*embedded[1]))
        similarity = float(probes[0] @ probes[1])
        same = similarity >= THRESHOLD
        return recognition_pb2.CompareResponse(
            outcome=recognition_pb2.COMPARE_OUTCOME_SAME
            if same
            else recognition_pb2.COMPARE_OUTCOME_DIFFERENT,
            similarity=similarity,
            threshold=THRESHOLD,
            first=faces[0],
            second=faces[1],
            model_contract_id=CONTRACT_ID,
        )

    def GetServerInfo(self, request: Any, context: Any) -> Any:
        return self._server.handle(context, "GetServerInfo", self._info)

    def _info(self) -> Any:
        server = self._server
        return recognition_pb2.GetServerInfoResponse(
            server_version="0.0.0",
            model_contract_id=CONTRACT_ID,
            model_contract_name="fake",
            limits=recognition_pb2.ServerLimits(
                max_frame_bytes=server.max_frame_bytes,
                max_pixels=10**8,
                max_in_flight=server.max_in_flight,
            ),
            decision_defaults=face_pb2.DecisionPolicy(threshold=THRESHOLD),
            absent_features=recognition_pb2.Feature.keys()[1:],
        )

    def StreamRecognize(self, requests: Any, context: Any) -> Iterator[Any]:
        server = self._server
        server.peers.append(context.peer())
        context.add_callback(server.stream_ended.set)
        config = next(requests).config
        server.handle(context, "StreamRecognize", lambda: server.galleries.own(config.gallery_id))
        yield recognition_pb2.StreamRecognizeResponse(
            started=recognition_pb2.StreamStarted(
                max_in_flight=server.max_in_flight,
                max_frame_bytes=server.max_frame_bytes,
                max_pixels=10**8,
                model_contract_id=CONTRACT_ID,
            )
        )
        if server.advice is not None:
            yield recognition_pb2.StreamRecognizeResponse(advice=server.advice)
        if server.refuse_reading is not None:
            server.opening.wait()
            context.abort_with_status(server.refuse_reading)
        frames = self._held(requests)
        for answered, frame in enumerate(frames, start=1):
            yield recognition_pb2.StreamRecognizeResponse(frame=self._answer(frame, config))
            if answered == server.end_after:
                return
            if answered == server.reconnect_after:
                yield recognition_pb2.StreamRecognizeResponse(
                    reconnect=recognition_pb2.Reconnect(
                        reason=recognition_pb2.RECONNECT_REASON_SHUTTING_DOWN,
                        after_ms=server.reconnect_after_ms,
                    )
                )
                return

    def _held(self, requests: Any) -> Iterator[Any]:
        """The frames; read ahead, as far as the client sends, while `hold` is cleared."""
        server = self._server
        waiting: list[Any] = []
        arrived = threading.Condition()
        ended = False

        def read() -> None:
            nonlocal ended
            try:
                for request in requests:
                    with arrived, server.held_changed:
                        waiting.append(request.frame)
                        server.held += 1
                        server.held_changed.notify_all()
                        arrived.notify()
            except grpc.RpcError:
                pass  # the client cancelled
            with arrived:
                ended = True
                arrived.notify()

        threading.Thread(target=read, daemon=True).start()
        while True:
            server.hold.wait()
            with arrived:
                arrived.wait_for(lambda: waiting or ended)
                if not waiting:
                    return
                frame = waiting.pop(0)
            with server.held_changed:
                server.held -= 1
            yield frame

    def _answer(self, frame: Any, config: Any) -> Any:
        result = recognition_pb2.FrameResult(
            sequence=frame.sequence, captured_at_us=frame.captured_at_us
        )
        try:
            faces, size = self._server.faces(frame.image, config.gallery_id)
        except Refusal as refusal:
            result.status = recognition_pb2.FRAME_STATUS_INVALID
            result.reason = face_pb2.ErrorReason.Value(f"ERROR_REASON_{refusal.reason}")
            result.detail = str(refusal)
            return result
        result.status = recognition_pb2.FRAME_STATUS_OK
        result.faces.extend(faces)
        result.width_px, result.height_px = size
        return result


class _Galleries(gallery_pb2_grpc.GalleryServiceServicer):
    """Every method by its name: `FakeGalleries` has one of the same name."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def __getattribute__(self, method: str) -> Any:
        if method.startswith("_"):
            return super().__getattribute__(method)
        server = self._server
        if method == "ExportGallery":
            return self._export

        def handle(request: Any, context: Any) -> Any:
            if method == "EnrollTemplates":
                server.request_ids.append(request.request_id)
                return server.handle(
                    context, method, lambda: server.galleries.EnrollTemplates(request, server.embed)
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


class _Health(health_pb2_grpc.HealthServicer):
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
