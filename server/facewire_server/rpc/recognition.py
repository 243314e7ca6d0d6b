"""The recognition service: translate, call, translate."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from facewire.v1 import recognition_pb2, recognition_pb2_grpc
from facewire_server.access.caller import allowed_galleries
from facewire_server.errors import InvalidImage
from facewire_server.events import Emit, ignore
from facewire_server.galleries.ports import Search
from facewire_server.pipeline.recognize import Recognizer
from facewire_server.rpc.checks import gallery_id_or_default
from facewire_server.rpc.convert import (
    decision_policy,
    detection_options,
    face_selection,
    picture,
)
from facewire_server.rpc.convert_recognition import (
    comparison_message,
    recognition_message,
    stream_input,
    stream_output,
)
from facewire_server.rpc.convert_tracks import crop_message
from facewire_server.rpc.forwarded import host_of
from facewire_server.rpc.incoming import incoming
from facewire_server.rpc.options import RequestDefaults
from facewire_server.rpc.watching import Watching
from facewire_server.streams.journal import Journal
from facewire_server.streams.limits import ServingLimits
from facewire_server.streams.loads import Loads
from facewire_server.streams.observed import observed
from facewire_server.streams.registry import Streams
from facewire_server.streams.session import OpenCamera, Session
from facewire_server.streams.values import StreamInput, StreamOutput
from facewire_server.types import FaceSelection
from facewire_server.work.held_bytes import ByteBudget
from facewire_server.work.slots import WorkSlots

__all__ = ["RecognitionServicer"]


class RecognitionServicer(recognition_pb2_grpc.RecognitionServiceServicer):
    """`facewire.v1.RecognitionService`; see its protos."""

    def __init__(
        self,
        recognizer: Recognizer,
        open_camera: OpenCamera,
        gallery: Search,
        slots: WorkSlots,
        frame_bytes: ByteBudget,
        journal: Journal,
        *,
        loads: Loads,
        limits: ServingLimits,
        defaults: RequestDefaults,
        info: recognition_pb2.GetServerInfoResponse,
        emit: Emit = ignore,
    ) -> None:
        """Joins the service to the line.

        Args:
            recognizer: recognizes and compares pictures.
            open_camera: makes what works on the frames of a stream.
            gallery: checked for being searchable when a stream opens.
            slots: shared with the recognizer.
            frame_bytes: of the frames that wait, of all streams.
            journal: keeps track events, and what streams can be resumed from.
            loads: how many streams other workers have.
            limits: what a client may ask for.
            defaults: options of a request that leaves them unset.
            info: what `GetServerInfo` returns.
            emit: takes the events of the streams.
        """
        self.streams = Streams(limits.max_streams, loads)
        self._recognizer = recognizer
        self._open_camera = open_camera
        self._gallery = gallery
        self._slots = slots
        self._frame_bytes = frame_bytes
        self.watching = Watching(journal, limits.slow_reader_timeout_s)
        self._journal = journal
        self._limits = limits
        self._defaults = defaults
        self._info = info
        self._emit = emit

    async def StreamRecognize(self, request_iterator: Any, context: Any) -> None:
        """Recognizes faces in the frames of one camera."""

        async def inputs() -> AsyncIterator[StreamInput]:
            async for request in incoming(request_iterator):
                value = [stream_input(request, self._defaults)]
                del (
                    request
                )  # a frame and its message must not stay in memory until the next one comes
                yield value.pop()

        async def send(value: StreamOutput) -> None:
            contract_id = self._recognizer.model_contract_id
            await context.write(stream_output(value, self._limits, contract_id))

        session = Session(
            self._open_camera,
            self._journal,
            self._gallery.check_searchable,
            self._slots,
            self._frame_bytes,
            limits=self._limits,
            client=host_of(context.peer()),
            emit=self._emit,
        )
        peer = context.peer()
        with observed(session, peer, self._emit) as note, self.streams.admitted(session, peer):

            async def noted(value: StreamOutput) -> None:
                await send(value)
                note(value)

            await session.run(inputs(), noted)

    async def Recognize(
        self, request: recognition_pb2.RecognizeRequest, context: Any
    ) -> recognition_pb2.RecognizeResponse:
        """Recognizes every face of one picture."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        detection = detection_options(request.detection, self._defaults.picture)
        policy = decision_policy(
            request.decision_policy,
            self._defaults.decision,
            max_candidates=request.max_candidates,
            explain=request.explain,
        )
        image = picture(request.image, "image")
        with _naming("image"):
            recognition = await self._recognizer.recognize(image, gallery_id, detection, policy)
        return recognition_message(recognition, self._recognizer.model_contract_id)

    async def Compare(
        self, request: recognition_pb2.CompareRequest, context: Any
    ) -> recognition_pb2.CompareResponse:
        """Compares the faces of two pictures."""
        first = picture(request.first, "first")
        second = picture(request.second, "second")
        selection = face_selection(request.selection, FaceSelection.LARGEST)
        detection = detection_options(request.detection, self._defaults.picture)
        policy = decision_policy(request.decision_policy, self._defaults.decision)
        comparison = await self._recognizer.compare(first, second, selection, detection, policy)
        return comparison_message(comparison, self._recognizer.model_contract_id)

    async def WatchTracks(self, request: recognition_pb2.WatchTracksRequest, context: Any) -> None:
        """Streams the track events of all cameras."""
        await self.watching.serve(request, context)

    async def GetTrackCrop(
        self, request: recognition_pb2.GetTrackCropRequest, context: Any
    ) -> recognition_pb2.GetTrackCropResponse:
        """Returns the best picture of a track's face."""
        crop = await self._journal.crop(request.track_id, allowed_galleries() or frozenset())
        return crop_message(crop)

    async def GetServerInfo(
        self, request: recognition_pb2.GetServerInfoRequest, context: Any
    ) -> recognition_pb2.GetServerInfoResponse:
        """Returns what this server is and allows."""
        return self._info


@contextmanager
def _naming(field: str) -> Iterator[None]:
    """Adds the picture's field to an error of the picture."""
    try:
        yield
    except InvalidImage as error:
        error.field = error.field or field
        raise
