"""The real gRPC server on a free port of 127.0.0.1, before a fake line."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from facewire.v1 import (
    face_pb2,
    gallery_pb2_grpc,
    recognition_pb2,
    recognition_pb2_grpc,
)
from facewire_server.access.audit_trail import NoTrail, Trail
from facewire_server.access.tokens import Token, plain_tokens
from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.errors import GalleryNotFound, ModelContractMismatch
from facewire_server.events import Emit, ignore
from facewire_server.galleries.examined import Standards
from facewire_server.galleries.examining import Examiner
from facewire_server.galleries.single_picture import SinglePictureLimits
from facewire_server.pipeline.enroll import Enroller
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.rpc.forwarded import TrustedProxies
from facewire_server.rpc.gallery import GalleryServicer
from facewire_server.rpc.options import RequestDefaults, ServerOptions
from facewire_server.rpc.recognition import RecognitionServicer
from facewire_server.rpc.server import Server
from facewire_server.rpc.server_info import server_info_message
from facewire_server.streams.journal import Journal
from facewire_server.streams.limits import ServingLimits
from facewire_server.streams.loads import Alone
from facewire_server.streams.tally import SessionStatistics
from facewire_server.streams.unknown import NotKeptUnknown
from facewire_server.thresholds import ThresholdSource
from facewire_server.types import DecisionPolicy, DetectionOptions, PictureLimits
from facewire_server.work.held_bytes import ByteBudget
from facewire_server.work.slots import WorkSlots
from fakes.gallery import MemoryGallery
from fakes.limits import serving_limits
from fakes.recognizer import (
    CONTRACT_ID,
    FakeCamera,
    FakeEnroller,
    FakeNegativeExampleMaker,
    FakeRecognizer,
)

__all__ = [
    "DEFAULTS",
    "DIMENSION",
    "EOF",
    "LIMITS",
    "MOST_BYTES",
    "PICTURE",
    "UNKNOWN_FORMAT",
    "Galleries",
    "Wire",
    "config",
    "frame",
    "reason_and_fields",
    "served",
    "until",
]

DIMENSION: Final = 4

EOF: Final = grpc.aio.EOF  # type: ignore[attr-defined]  # grpc-stubs do not know it
"""What `read` returns after the last message."""

MOST_BYTES: Final = 1 << 30
"""Of the frames that streams hold, and of the requests of calls."""

UNKNOWN_FORMAT: Final[Any] = 99
"""A number that is no format yet; `Any`, since the stubs accept names and members only."""

PICTURE = PictureLimits(max_frame_bytes=1 << 16, max_pixels=1 << 20)
LIMITS = serving_limits(PICTURE)
DEFAULTS = RequestDefaults(
    decision=DecisionPolicy(
        threshold=0.375,
        min_margin=0.0625,
        min_inter_eye_px=12.0,
        threshold_source=ThresholdSource.OPERATOR,
    ),
    picture=DetectionOptions(min_score=0.875, max_faces=128, short_side_fraction=1 / 32),
    stream=DetectionOptions(min_score=0.875, max_faces=64, short_side_fraction=1 / 16),
)
STANDARDS = Standards(
    DEFAULTS.decision,
    CONTRACT_ID,
    SinglePictureLimits(24.0, 9.0, 0.23, 0.3),
    Gate(QualityLimits()).stored_faults,
)
Request = recognition_pb2.StreamRecognizeRequest


class Galleries(MemoryGallery):
    """Empty, and says of "foreign" that another model made it."""

    def __init__(self) -> None:
        super().__init__(model_contract_id=CONTRACT_ID, dimension=DIMENSION)

    async def check_searchable(self, gallery_id: str) -> None:
        if gallery_id == "foreign":
            raise ModelContractMismatch("made with another model")
        if gallery_id != "default":
            raise GalleryNotFound("no such gallery")


@dataclass
class Wire:
    """A running server and a channel to it."""

    server: Server
    servicer: RecognitionServicer
    slots: WorkSlots
    port: int
    channel: grpc.aio.Channel
    recognition: Any
    galleries: Any

    def streams(self) -> list[SessionStatistics]:
        """The open streams."""
        return [session.statistics() for session in self.servicer.streams]


async def _nothing_to_purge(peer: str) -> int:
    return 0


@asynccontextmanager
async def served(
    recognizer: FakeRecognizer | None = None,
    *,
    gallery: MemoryGallery | None = None,
    enroller: Enroller | None = None,
    limits: ServingLimits = LIMITS,
    slots: WorkSlots | None = None,
    frame_bytes: ByteBudget | None = None,
    call_bytes: ByteBudget | None = None,
    journal: Journal | None = None,
    token: str = "",
    tokens: tuple[Token, ...] | None = None,
    max_calls: int = 128,
    max_connections: int = 1000,
    tls: tuple[bytes, bytes] = (b"", b""),
    channel_options: tuple[tuple[str, int], ...] = (),
    trail: Trail | None = None,
    purge: Callable[[str], Awaitable[int]] = _nothing_to_purge,
    interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
    trusted_proxies: Sequence[str] = (),
    emit: Emit = ignore,
) -> AsyncIterator[Wire]:
    """Serves for the block; with `tls` = (certificate, private key) over TLS."""
    recognizer = recognizer or FakeRecognizer(PICTURE.max_frame_bytes)
    gallery = gallery or Galleries()
    recognizer.slots = slots = slots or WorkSlots(2)
    shared: dict[str, Any] = {"limits": limits, "defaults": DEFAULTS}
    info = server_info_message(
        model_contract_id=CONTRACT_ID,
        model_contract_name="test",
        picture_timeout_s=slots.picture_timeout_s,
        **shared,
    )
    recognizer.emit = emit
    frame_bytes = frame_bytes or ByteBudget(MOST_BYTES)
    journal = journal or MemoryJournal(gallery)
    servicer = RecognitionServicer(
        recognizer,
        partial(FakeCamera, recognizer),
        gallery,
        slots,
        frame_bytes,
        journal,
        loads=Alone(),
        info=info,
        emit=emit,
        **shared,
    )
    galleries = GalleryServicer(
        gallery,
        enroller or FakeEnroller(),
        FakeNegativeExampleMaker(gallery, DIMENSION),
        dimension=DIMENSION,
        trail=trail or NoTrail(),
        examiner=Examiner(gallery, STANDARDS),
        purge=purge,
        unknown=NotKeptUnknown(),
        emit=emit,
        **shared,
    )
    options = ServerOptions(
        "127.0.0.1:0",
        plain_tokens(token) if token else tokens,
        *tls,
        max_calls=max_calls,
        max_connections=max_connections,
        trusted_proxies=TrustedProxies.of(trusted_proxies),
    )
    server = Server(
        options,
        servicer,
        galleries,
        limits=limits,
        call_bytes=call_bytes or ByteBudget(MOST_BYTES),
        emit=emit,
        interceptors=interceptors,
    )
    port = await server.start()
    # Without a pool of its own a channel shares the connection of another test's.
    own = (("grpc.use_local_subchannel_pool", 1), *channel_options)
    try:
        address = f"127.0.0.1:{port}"
        if tls[0]:
            trust = grpc.ssl_channel_credentials(root_certificates=tls[0])
            opened = grpc.aio.secure_channel(address, trust, options=own)
        else:
            opened = grpc.aio.insecure_channel(address, options=own)
        async with opened as channel:
            yield Wire(
                server,
                servicer,
                slots,
                port,
                channel,
                recognition_pb2_grpc.RecognitionServiceStub(channel),
                gallery_pb2_grpc.GalleryServiceStub(channel),
            )
    finally:
        await server.drain(0)


def config(**fields: Any) -> Request:
    """The first message of a stream."""
    return Request(config=recognition_pb2.StreamConfig(**fields))


def frame(sequence: int, data: bytes = b"good", captured_at_us: int = 0) -> Request:
    """A message with a picture."""
    image = face_pb2.Image(data=data)
    return Request(
        frame=recognition_pb2.Frame(sequence=sequence, image=image, captured_at_us=captured_at_us)
    )


async def until(holds: Callable[[], bool]) -> None:
    """Waits until something that a `statistics()` reports holds; the test's time limit ends it."""
    while not holds():
        await asyncio.sleep(0.001)


def reason_and_fields(error: grpc.aio.AioRpcError) -> tuple[str, list[str]]:
    """`ErrorInfo.reason` and the fields of `BadRequest` in an error's details."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # what a stub raises is the call
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    assert status is not None
    for detail in status.details:
        assert detail.Unpack(info) or detail.Unpack(bad) or detail.Unpack(retry)
    assert info.domain == "facewire"
    return info.reason, [violation.field for violation in bad.field_violations]
