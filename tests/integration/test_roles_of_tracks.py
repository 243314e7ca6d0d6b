"""Tracks and resumed streams with a token that is limited to a gallery, over the real server and the real journal."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import facewire
from facewire.v1 import recognition_pb2, recognition_pb2_grpc
from facewire_server.access.roles import Role
from facewire_server.access.tokens import Token, digest_of
from facewire_server.backends.memory_journal import MemoryJournal
from facewire_server.streams.journal import Crop
from facewire_server.types import Quality
from fakes.gallery import MemoryGallery
from fakes.recognizer import CONTRACT_ID
from fakes.tracks import track_event
from fakes.wire import served
from harness.roles import bearer, called, with_token
from harness.running import RunningServer, running_server

Request = recognition_pb2.StreamRecognizeRequest
CROP = Crop(b"\xff\xd8 a picture", 9, Quality(64.0, 12.5, 99.0, 7.25, 11.5, -0.125, 0.25))


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("tokens") / "tokens"
    found: dict[str, Any] = {"file": file, "all": with_token(file, "all", Role.OPERATOR)}
    for gallery_id in ("staff", "guests"):
        only = frozenset({gallery_id})
        found[gallery_id] = with_token(file, gallery_id, Role.OPERATOR, galleries=only)
    return found


@pytest.fixture(scope="module")
def server(models: Path, tokens: dict[str, Any]) -> Iterator[RunningServer]:
    with running_server(token_file=tokens["file"], keep_crops=True) as running:
        with running.channel() as channel:
            for gallery_id in ("staff", "guests"):
                path = "/facewire.v1.GalleryService/CreateGallery"
                made = called(channel, path, bearer(tokens["all"]), gallery_id)
                assert made.code is grpc.StatusCode.OK
        yield running


def opened(stub: Any, token: str, gallery_id: str, resume: bytes = b"") -> Any:
    """The first response of a stream, which then ends."""
    config = recognition_pb2.StreamConfig(
        gallery_id=gallery_id, camera_id="door", resume_token=resume
    )
    call = stub.StreamRecognize(iter([Request(config=config)]), metadata=bearer(token), timeout=60)
    started = next(call).started
    call.cancel()  # breaks off, so that it can be resumed
    return started


def test_a_resume_token_of_a_gallery_is_of_no_use_to_whoever_is_limited_to_another(
    server: RunningServer, tokens: dict[str, Any]
) -> None:
    with server.channel() as channel:
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        resume = opened(stub, tokens["guests"], "guests").resume_token
        assert resume
        for token, gallery_id, code in (
            ("staff", "guests", grpc.StatusCode.PERMISSION_DENIED),
            ("staff", "staff", grpc.StatusCode.INVALID_ARGUMENT),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                opened(stub, tokens[token], gallery_id, resume)
            assert caught.value.code() is code
        assert opened(stub, tokens["guests"], "guests", resume).resume_token == resume


async def test_events_and_pictures_are_of_the_callers_galleries() -> None:
    gallery = MemoryGallery(model_contract_id=CONTRACT_ID, dimension=4)
    journal = MemoryJournal(gallery, keeps_crops=True)
    for number, gallery_id in ((1, "staff"), (2, "guests")):
        stream = await journal.open_stream("door", gallery_id)
        await journal.keep_crop(number, CROP)
        await stream.record([track_event(number, gallery_id=gallery_id)])
    token = Token("guests", digest_of(b"s3cret"), frozenset({Role.OPERATOR}), frozenset({"guests"}))
    async with served(gallery=gallery, journal=journal, tokens=(token,)) as wire:
        mine = bearer("s3cret")
        request = recognition_pb2.WatchTracksRequest(after_event=1, kept_only=True)
        feed = wire.recognition.WatchTracks(request, metadata=mine)
        assert [one.event.track_id async for one in feed] == [2]
        crop = recognition_pb2.GetTrackCropRequest
        found = await wire.recognition.GetTrackCrop(crop(track_id=2), metadata=mine)
        assert found.image.data == CROP.jpeg
        refusals = []
        for track_id in (1, 99):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await wire.recognition.GetTrackCrop(crop(track_id=track_id), metadata=mine)
            refusals.append((caught.value.code(), caught.value.details()))
        assert refusals[0] == refusals[1]
        assert refusals[0][0] is grpc.StatusCode.NOT_FOUND


def test_a_list_of_galleries_has_the_callers_own_ones_page_by_page(
    server: RunningServer, tokens: dict[str, Any]
) -> None:
    file = tokens["file"]
    both = frozenset({"guests", "nowhere", "staff"})
    token = with_token(file, uuid.uuid4().hex, Role.ENROLLER, galleries=both)
    with facewire.Client(server.address, token=tokens["staff"]) as client:
        assert [one.gallery_id for one in client.galleries()] == ["staff"]
    with facewire.Client(server.address, token=tokens["all"]) as client:
        assert {one.gallery_id for one in client.galleries()} == {"default", "guests", "staff"}
    with facewire.Client(server.address, token=token_when_taken(server, token)) as client:
        assert [one.gallery_id for one in client.galleries()] == ["guests", "staff"]


def token_when_taken(server: RunningServer, token: str) -> str:
    """Waits until the running server has read the file."""
    with server.channel() as channel:
        path = "/facewire.v1.RecognitionService/GetServerInfo"
        while called(channel, path, bearer(token)).code is not grpc.StatusCode.OK:
            pass
    return token
