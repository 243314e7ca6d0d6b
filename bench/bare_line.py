"""The bare line: cameras' frames done in this process, without gRPC, streams and turns; a server's processor time is compared with its."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

import cv2

from facewire.v1 import recognition_pb2
from facewire_server.app.capacity import (
    line_threads,
    pictures_at_once,
    work,
)
from facewire_server.app.line import join_line
from facewire_server.app.values import (
    read_model_contract,
    request_defaults,
)
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.configuration.settings import Settings
from facewire_server.host.processors import usable_processors
from facewire_server.models import open_models
from facewire_server.rpc.convert_recognition import stream_input
from facewire_server.streams.camera.camera import Camera
from facewire_server.streams.values import Arrival, Frame, StreamPlan
from facewire_server.types import Picture
from facewire_server.work.breadth import working
from facewire_server.work.slots import Slot
from harness import REPOSITORY
from harness.load import Pictures

__all__ = ["Shown", "bare_frame_s"]

_OPEN: Final = recognition_pb2.StreamRecognizeRequest(config=recognition_pb2.StreamConfig())


class Shown(NamedTuple):
    """The frames of one camera that a server has answered.

    Attributes:
        pictures: of the camera.
        lead: frames that come first and are not counted: number, and seconds when it was captured.
        counted: the others.
    """

    pictures: Pictures
    lead: Sequence[tuple[int, float]]
    counted: Sequence[tuple[int, float]]


async def bare_frame_s(cameras: Sequence[Shown], data: Path) -> float:
    """Returns the processor time of a frame, seconds: of this process, with its models.

    As many frames are in work at once as in a server, and each step takes one thread.

    Args:
        cameras: their frames are done in order, those of different cameras side by side.
        data: folder of a server that no longer runs; its gallery is searched.
    """
    settings = Settings(models=REPOSITORY / "models", data=data)
    contract, processors = read_model_contract(settings.model_contract), usable_processors().count
    defaults = request_defaults(settings, contract)
    plan, ids = stream_input(_OPEN, defaults), count(1)
    assert isinstance(plan, StreamPlan)
    cv2.setNumThreads(1)  # as the server does
    gallery = LmdbGallery(
        data / "gallery",
        vector_search=ExactSearch(),
        model_contract_id=contract.id,
        dimension=contract.dimension,
    )
    with closing(gallery), ThreadPoolExecutor(line_threads(processors)) as threads:
        async with open_models(
            contract,
            folder=settings.models,
            threads=processors,
            embed_frames=settings.embed_frames,
        ) as models:
            shared = work(settings, processors, is_served=False)
            line = join_line(settings, contract, models, gallery, shared, threads).camera_line
            at_once = pictures_at_once(settings, processors, is_served=False)
            return await _frame_s(
                cameras, lambda: Camera(line, plan, lambda: next(ids)), asyncio.Semaphore(at_once)
            )


async def _frame_s(
    cameras: Sequence[Shown], open_camera: Callable[[], Camera], room: asyncio.Semaphore
) -> float:
    opened = [(shown, open_camera()) for shown in cameras]
    await asyncio.gather(*(_do(camera, one.pictures, one.lead, room) for one, camera in opened))
    began_s = time.process_time()
    await asyncio.gather(*(_do(camera, one.pictures, one.counted, room) for one, camera in opened))
    spent_s = time.process_time() - began_s
    return spent_s / max(1, sum(len(one.counted) for one in cameras))


async def _do(
    camera: Camera,
    pictures: Pictures,
    frames: Sequence[tuple[int, float]],
    room: asyncio.Semaphore,
) -> None:
    for number, captured_s in frames:
        picture = Picture(pictures(number))
        async with room:
            frame = Frame(number + 1, round(captured_s * 1e6), picture)
            with working(lambda: False):
                await camera.recognize(Arrival(frame, time.perf_counter()), picture, Slot())
        camera.take_events()
