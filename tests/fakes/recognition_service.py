"""The recognition service over `fakes.faces`, for `fakes.server`; its stream can be scripted."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import grpc

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from fakes.faces import Embedded
from fakes.gallery_service import Refusal
from fakes.track_journal import FakeTracks

__all__ = ["CONTRACT_ID", "Recognition"]

CONTRACT_ID = "f" * 64
FEATURES = recognition_pb2.Feature.keys()[1:]
THRESHOLD = 0.9
MAX_PIXELS = 10**8


class Recognition(recognition_pb2_grpc.RecognitionServiceServicer):
    def __init__(self, server: Any) -> None:
        self._server = server

    def Recognize(self, request: Any, context: Any) -> Any:
        return self._server.handle(context, "Recognize", lambda: self._recognize(request))

    def _recognize(self, request: Any) -> Any:
        seen = self._server.embed(request.image)
        return recognition_pb2.RecognizeResponse(
            faces=self._faces(seen, request),
            width_px=seen.width_px,
            height_px=seen.height_px,
            gallery_revision=self._server.galleries.get(request.gallery_id).revision,
            model_contract_id=CONTRACT_ID,
            timings=face_pb2.StageTimings(total_us=7),
        )

    def Compare(self, request: Any, context: Any) -> Any:
        return self._server.handle(context, "Compare", lambda: self._compare(request))

    def _compare(self, request: Any) -> Any:
        probes, faces = [], []
        for field in ("first", "second"):
            seen = self._server.embed(getattr(request, field))
            if seen.face is None:
                raise Refusal("NO_FACE", f"{field} shows no face", field=field)
            probes.append(seen.probe)
            faces.append(seen.face)
        similarity = float(probes[0] @ probes[1])
        outcome = "SAME" if similarity >= THRESHOLD else "DIFFERENT"
        if self._server.faults:
            outcome = "TOO_POOR"
        return recognition_pb2.CompareResponse(
            outcome=f"COMPARE_OUTCOME_{outcome}",
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
                max_pixels=MAX_PIXELS,
                max_stream_pixels=MAX_PIXELS,
                max_in_flight=server.max_in_flight,
            ),
            image_formats=["IMAGE_FORMAT_JPEG", "IMAGE_FORMAT_RGB8", "IMAGE_FORMAT_GRAY8"],
            decision_defaults=face_pb2.DecisionPolicy(threshold=THRESHOLD),
            features=[name for name in FEATURES if name in server.features],
            absent_features=[name for name in FEATURES if name not in server.features],
        )

    def WatchTracks(self, request: Any, context: Any) -> Iterator[Any]:
        server, journal = self._server, self._server.journal
        server.handle(context, "WatchTracks", lambda: self._watchable(request))
        follows = request.after_event or journal.last_event
        server.watched.append(request)
        if server.names_position:
            context.send_initial_metadata((("facewire-after-event", str(follows)),))
        else:
            context.send_initial_metadata(())
        is_lost = bool(request.after_event) and request.after_event < journal.lost_before
        for sent, event in enumerate(journal.watch(request, follows, context)):
            if sent == server.end_feed_after:
                if server.end_status is not None:
                    context.abort_with_status(server.end_status)
                return
            yield recognition_pb2.WatchTracksResponse(event=event, events_lost=is_lost)
            is_lost = False

    def _watchable(self, request: Any) -> None:
        self._require("WATCH_TRACKS")
        for field, valid in (("camera_ids", _fits), ("identity_ids", str.isprintable)):
            for number, given in enumerate(getattr(request, field)):
                if not valid(given):
                    raise Refusal("FIELD_INVALID", "out of range", field=f"{field}[{number}]")

    def GetTrackCrop(self, request: Any, context: Any) -> Any:
        return self._server.handle(context, "GetTrackCrop", lambda: self._crop(request))

    def _crop(self, request: Any) -> Any:
        self._require("TRACKS")
        if "FEATURE_TRACK_CROPS" not in self._server.features:
            code = grpc.StatusCode.FAILED_PRECONDITION
            raise Refusal("CROPS_NOT_KEPT", "the operator does not allow it", code=code)
        if request.track_id not in self._server.journal.crops:
            raise Refusal("TRACK_NOT_FOUND", "no such track", code=grpc.StatusCode.NOT_FOUND)
        return self._server.journal.crops[request.track_id]

    def _require(self, feature: str) -> None:
        if f"FEATURE_{feature}" not in self._server.features:
            code = grpc.StatusCode.UNIMPLEMENTED
            raise Refusal("NOT_IMPLEMENTED", "this server has no such feature", code=code)

    def _opened(self, config: Any) -> tuple[bytes, FakeTracks | None]:
        """The resume token and the tracks of a new stream, as far as the server has them."""
        self._server.galleries.own(config.gallery_id)
        if config.detail == recognition_pb2.RESPONSE_DETAIL_EVENTS_ONLY:
            self._require("EVENTS_ONLY")
        if config.resume_token:
            self._require("RESUME")
        token, tracks = self._server.journal.claim(config)
        has_tracks = "FEATURE_TRACKS" in self._server.features
        has_resume = "FEATURE_RESUME" in self._server.features
        return token if has_resume else b"", tracks if has_tracks else None

    def StreamRecognize(self, requests: Any, context: Any) -> Iterator[Any]:
        server = self._server
        server.peers.append(context.peer())
        context.add_callback(server.stream_ended.set)
        config = next(requests).config
        server.configs.append(config)
        token, tracks = server.handle(context, "StreamRecognize", lambda: self._opened(config))
        yield recognition_pb2.StreamRecognizeResponse(
            started=recognition_pb2.StreamStarted(
                resume_token=token,
                resume_after_sequence=tracks.last_sequence if tracks and token else 0,
                resume_within_ms=60_000 if token else 0,
                max_in_flight=server.max_in_flight,
                max_frame_bytes=server.max_frame_bytes,
                max_pixels=MAX_PIXELS,
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
            yield from self._responses(frame, config, tracks)
            if answered == server.end_after:
                self._answer_unsent(frames, config, tracks)
                if server.end_status is not None:
                    context.abort_with_status(server.end_status)
                return
            if answered == server.reconnect_after:
                yield recognition_pb2.StreamRecognizeResponse(
                    reconnect=recognition_pb2.Reconnect(
                        reason=server.reconnect_reason,
                        after_ms=server.reconnect_after_ms,
                    )
                )
                return
        # A stream that broke off has not ended: it may be resumed. gRPC ends its requests before it says that the call has ended.
        has_ended = context.is_active() and not server.is_stopping
        for event in tracks.end() if tracks and has_ended else ():
            yield recognition_pb2.StreamRecognizeResponse(track=event)

    def _responses(self, frame: Any, config: Any, tracks: FakeTracks | None) -> Iterator[Any]:
        """What is sent for a frame: the events that it caused, then its result."""
        result, events = self._answer(frame, config, tracks)
        for event in events:
            yield recognition_pb2.StreamRecognizeResponse(track=event)
        if config.detail == recognition_pb2.RESPONSE_DETAIL_EVENTS_ONLY:
            result.ClearField("faces")
        yield recognition_pb2.StreamRecognizeResponse(frame=result)

    def _answer_unsent(self, frames: Any, config: Any, tracks: FakeTracks | None) -> None:
        """Accounts for frames whose results are lost with the connection."""
        for frame in itertools.islice(frames, self._server.unsent_count):
            list(self._responses(frame, config, tracks))

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

    def _answer(
        self, frame: Any, config: Any, tracks: FakeTracks | None
    ) -> tuple[Any, list[recognition_pb2.TrackEvent]]:
        result = recognition_pb2.FrameResult(
            sequence=frame.sequence, captured_at_us=frame.captured_at_us
        )
        try:
            seen = self._server.embed(frame.image)
            result.faces.extend(self._faces(seen, config))
        except Refusal as refusal:
            result.status = recognition_pb2.FRAME_STATUS_INVALID
            result.reason = getattr(face_pb2, f"ERROR_REASON_{refusal.reason}")
            result.detail = str(refusal)
            if tracks is not None:
                tracks.last_sequence = frame.sequence
            return result, []
        result.status = recognition_pb2.FRAME_STATUS_OK
        result.width_px, result.height_px = seen.width_px, seen.height_px
        if tracks is None:
            return result, []
        result.detection_mode = recognition_pb2.DETECTION_MODE_SEARCHED
        return result, tracks.see(frame, seen.probe, result.faces[0] if result.faces else None)

    def _faces(self, seen: Embedded, request: Any) -> list[face_pb2.Face]:
        """The faces for a request, or a stream's config."""
        gallery = self._server.galleries.own(request.gallery_id)
        if seen.face is None:
            return []
        asked = request.decision_policy
        decision = seen.face.decision
        decision.threshold = asked.threshold if asked.HasField("threshold") else THRESHOLD
        decision.gallery_revision = gallery.revision
        decision.outcome = face_pb2.OUTCOME_UNKNOWN
        if self._server.faults:
            decision.outcome = face_pb2.OUTCOME_TOO_POOR
            return [seen.face]
        ranked = gallery.ranked(seen.probe)
        taken = [each for each in ranked if not _is_passed_over(each, decision.threshold)]
        if not taken or taken[0].similarity < decision.threshold:
            taken = ranked
        for best in taken[:1]:
            decision.similarity = best.similarity
            decision.margin = best.similarity - taken[1].similarity if taken[1:] else 0
            is_passed_over = _is_passed_over(best, decision.threshold)
            if not is_passed_over and decision.similarity >= decision.threshold:
                decision.outcome = face_pb2.OUTCOME_KNOWN
                decision.identity_id = best.identity_id
                decision.display_name = best.display_name
                decision.template_id = best.template_id
        decision.candidates.extend(ranked[: request.max_candidates])
        return [seen.face]


def _is_passed_over(candidate: face_pb2.Candidate, threshold: float) -> bool:
    nearest = candidate.negative_example_similarity
    return candidate.similarity >= threshold and nearest > candidate.similarity


def _fits(camera_id: str) -> bool:
    return len(camera_id.encode()) <= 128
