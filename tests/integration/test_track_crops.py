"""Events and pictures of tracks through a real server, beside another process that writes to its journal."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire import Outcome
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.pictures.face_crop import face_crop
from facewire_server.streams.journal import Crop
from facewire_server.types import Quality
from fakes.journals import files_of, opened_journal
from fakes.tracks import known, track_event
from harness.running import RunningServer, running_server

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def keeping(models: Path, folder: Path) -> Iterator[RunningServer]:
    """A server that keeps pictures."""
    with running_server(keep_crops=True, data=folder) as running:
        yield running


def crop_of(client: facewire.Client, image: Pixels) -> bytes:
    (face,) = client.recognize(image).faces
    box = face.box
    corners = (box.x_px, box.y_px, box.x_px + box.width_px, box.y_px + box.height_px)
    return face_crop(image, np.asarray(corners, np.float32))


@pytest.mark.parametrize("side_px", [220, 512, 1400])
@pytest.mark.parametrize("at", ["in the middle", "at the edge"])
def test_a_crop_is_accepted_for_enrolling(
    client: facewire.Client, gallery: str, astronaut: Pixels, side_px: int, at: str
) -> None:
    image = np.ascontiguousarray(astronaut[:, 150:] if at == "at the edge" else astronaut)
    scale = side_px / 512
    image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale), np.uint8)
    result = client.enroll("ada", crop_of(client, image), gallery=gallery)
    assert result.accepted_count == 1, result.pictures
    (face,) = client.recognize(astronaut, gallery=gallery).faces
    assert face.decision is not None
    assert (face.decision.outcome, face.decision.identity_id) == (Outcome.KNOWN, "ada")


def test_what_a_camera_saw_can_be_enrolled_and_is_forgotten_with_the_person(
    keeping: RunningServer, folder: Path, astronaut: Pixels
) -> None:
    with facewire.Client(keeping.address) as client:
        frames = [
            facewire.Frame(astronaut, captured_at_us=number * 200_000) for number in range(1, 16)
        ]
        policy = facewire.FramePolicy.EVERY_FRAME
        with client.stream(frames, camera="yard", policy=policy) as stream:
            tracks = {one.track_id for one in stream if isinstance(one, facewire.TrackEvent)}
        (track_id,) = tracks
        crop = client.track_crop(track_id)
        assert client.enroll("eve", crop.image).accepted_count == 1
        again = client.recognize(crop.image)
        assert [face.decision and face.decision.identity_id for face in again.faces] == ["eve"]
        with client.stream(frames, camera="yard", policy=policy) as stream:
            events = [one for one in stream if isinstance(one, facewire.TrackEvent)]
        named = [one for one in events if one.decision.identity_id == "eve"]
        assert named
        assert client.track_crop(named[0].track_id).image.data
        client.delete_identity("eve")
        with pytest.raises(facewire.NotFoundError):
            client.track_crop(named[0].track_id)
        assert client.track_crop(track_id).sequence == crop.sequence  # seen before there was a name
        kept = list(client.watch_tracks(after_event=1, kept_only=True, cameras=["yard"]))
        assert {one.event_id for one in kept}.isdisjoint(one.event_id for one in named)


async def test_an_unknown_person_is_enrolled_from_what_was_seen_and_forgotten_again(
    keeping: RunningServer, folder: Path, astronaut: Pixels
) -> None:
    with (
        facewire.Client(keeping.address) as client,
        closing(opened_gallery(client, folder)) as gallery,
        opened_journal(folder / "journal", gallery, keeps_crops=True) as journal,
    ):
        features = {feature.wire_name for feature in client.server_info().features}
        assert {"FEATURE_WATCH_TRACKS", "FEATURE_TRACK_CROPS"} <= features
        feed = client.watch_tracks(after_event=1, cameras=["door"])
        received: list[facewire.TrackEvent] = []
        reading = threading.Thread(target=lambda: received.extend(next(feed) for _ in range(2)))
        reading.start()
        jpeg = crop_of(client, astronaut)
        track_id = journal.new_track_id()
        await journal.keep_crop(track_id, Crop(jpeg, 9, Quality(40.0, 50.0, 100.0)))
        stream = await journal.open_stream("door", "default")
        await stream.record([track_event(track_id)])
        crop = client.track_crop(track_id)
        assert client.enroll("ada", crop.image, display_name="Ada").accepted_count == 1
        await stream.record([track_event(track_id, known("ada"))])
        reading.join(30)
        feed.close()
        unknown, ada = received
        assert (unknown.track_id, unknown.has_crop) == (track_id, True)
        assert ada.decision is not None
        assert (ada.decision.identity_id, ada.decision.display_name) == ("ada", "Ada")
        client.delete_identity("ada")
        with pytest.raises(facewire.NotFoundError):
            client.track_crop(track_id)
        kept = list(client.watch_tracks(after_event=1, kept_only=True, cameras=["door"]))
        assert [one.track_id for one in kept] == [track_id]
        assert kept[0].event_id == unknown.event_id
        async with asyncio.timeout(30):  # the server removes it, within seconds
            while (folder / f"journal/crops/{track_id}.jpg").exists():
                await asyncio.sleep(0.05)
    keeping.interrupt()
    keeping.wait()
    files = files_of(folder / "journal")
    assert not [name for name, data in files.items() if jpeg[:500] in data or b"Ada" in data]
    assert [name for name, data in files.items() if b"door" in data] == ["data.mdb"]


def opened_gallery(client: facewire.Client, folder: Path) -> LmdbGallery:
    return LmdbGallery(
        folder / "gallery",
        vector_search=ExactSearch(),
        model_contract_id=client.server_info().model_contract_id,
        dimension=128,
    )
