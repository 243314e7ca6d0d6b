"""The recognition service: translate, call, translate."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from facewire.v1 import recognition_pb2, recognition_pb2_grpc
from facewire_server.errors import InvalidImage, ModelContractMismatch, NotImplementedYet
from facewire_server.galleries.ports import Gallery
from facewire_server.pipeline.recognize import Recognizer
from facewire_server.rpc.checks import gallery_id_or_default
from facewire_server.rpc.convert import (
    decision_policy,
    detection_options,
    face_selection,
    picture,
)
from facewire_server.rpc.convert_recognition import comparison_message, recognition_message
from facewire_server.rpc.incoming import incoming
from facewire_server.streams.limits import RequestDefaults, ServingLimits
from facewire_server.streams.registry import Streams
from facewire_server.streams.session import Session
from facewire_server.types import FaceSelection, PictureLimits
from facewire_server.work.deadline import time_limit
from facewire_server.work.slots import WorkSlots

__all__ = ["RecognitionServicer"]


class RecognitionServicer(recognition_pb2_grpc.RecognitionServiceServicer):
    """`facewire.v1.RecognitionService`; its protos tell what each method does."""

    def __init__(
        self,
        recognizer: Recognizer,
        gallery: Gallery,
        turns: WorkSlots,
        *,
        terms: ServingLimits,
        defaults: RequestDefaults,
        limits: PictureLimits,
        threads: Executor,
    ) -> None:
        """Joins the service to the line.

        Args:
            recognizer: answers pictures.
            gallery: asked when a stream opens whether it can be searched.
            turns: shared with the gallery service.
            terms: how streams are served.
            defaults: what a request that says nothing gets.
            limits: told to cameras; the recogniser holds to them.
            threads: where the gallery is asked.
        """
        self.streams = Streams(terms.max_streams)
        self._recognizer = recognizer
        self._gallery = gallery
        self._turns = turns
        self._terms = terms
        self._defaults = defaults
        self._limits = limits
        self._threads = threads

    async def StreamRecognize(self, request_iterator: Any, context: Any) -> None:
        """Recognises faces in the frames of one camera."""
        session = Session(
            self._recognizer,
            self._check_gallery,
            self._turns,
            terms=self._terms,
            defaults=self._defaults,
            limits=self._limits,
        )
        with self.streams.admitted(session):
            await session.run(incoming(request_iterator), context.write)

    async def Recognize(
        self, request: recognition_pb2.RecognizeRequest, context: Any
    ) -> recognition_pb2.RecognizeResponse:
        """Recognises every face of one picture."""
        gallery_id = gallery_id_or_default(request.gallery_id)
        detection = detection_options(request.detection, self._defaults.picture)
        policy = decision_policy(
            request.decision_policy, self._defaults.decision, max_candidates=request.max_candidates
        )
        image = picture(request.image, "image")
        async with self._turn() as waited_s:
            with _naming("image"):
                recognition = await self._recognizer.recognize(image, gallery_id, detection, policy)
        recognition.timings.queue_s = waited_s
        recognition.timings.total_s += waited_s
        return recognition_message(recognition, self._recognizer.model_contract_id)

    async def Compare(
        self, request: recognition_pb2.CompareRequest, context: Any
    ) -> recognition_pb2.CompareResponse:
        """Says whether two pictures show the same person."""
        first = picture(request.first, "first")
        second = picture(request.second, "second")
        selection = face_selection(request.selection, FaceSelection.LARGEST)
        detection = detection_options(request.detection, self._defaults.picture)
        policy = decision_policy(request.decision_policy, self._defaults.decision)
        async with self._turn():
            comparison = await self._recognizer.compare(first, second, selection, detection, policy)
        return comparison_message(comparison, self._recognizer.model_contract_id)

    async def WatchTracks(self, request: recognition_pb2.WatchTracksRequest, context: Any) -> None:
        """Follows the track events of all cameras; not served yet."""
        raise NotImplementedYet("this server does not track yet, so there are no events to follow")

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[float]:
        async with time_limit(self._terms.frame_timeout_s), self._turns.slot() as waited_s:
            yield waited_s

    async def _check_gallery(self, gallery_id: str) -> None:
        loop = asyncio.get_running_loop()
        info = await loop.run_in_executor(self._threads, self._gallery.get_gallery, gallery_id)
        if info.model_contract_id != self._recognizer.model_contract_id:
            raise ModelContractMismatch("the gallery's templates were made by another model")


@contextmanager
def _naming(field: str) -> Iterator[None]:
    """Tells an error of the picture which field the picture is."""
    try:
        yield
    except InvalidImage as error:
        error.field = error.field or field
        raise
