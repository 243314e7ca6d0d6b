"""The asyncio client does no work with files in its event loop."""

import asyncio
import contextlib
import io
import os
import sys
import threading

import cv2
import numpy as np
import pytest

import facewire
import facewire.video  # what the first use of it reads is not meant
from facewire._wire import export_file
from facewire._wire.export_file import ExportFile
from facewire.v1 import face_pb2, gallery_pb2, recognition_pb2
from fakes.server import TRACKED
from harness.films import write_film

FILES = (io.FileIO, io.BufferedReader, io.BufferedWriter, io.TextIOWrapper)
SYSTEM = (
    open, os.open, os.read, os.write, os.fsync, os.replace, os.rename, os.unlink, os.stat, os.scandir
)  # fmt: skip
FREE = ("__enter__", "__exit__", "close", "fileno")


@contextlib.contextmanager
def file_work_of_this_thread():
    """Lists the calls that this thread makes to files, in C and so by whatever Python code."""
    noted = []

    def note(frame, event, called):
        if event != "c_call" or called.__name__ in FREE:
            return
        if called in SYSTEM or isinstance(getattr(called, "__self__", None), FILES):
            noted.append(f"{called.__name__} by {frame.f_code.co_qualname}")

    sys.setprofile(note)
    try:
        yield noted
    finally:
        sys.setprofile(None)


# How each method is called; a path stands for every kind of picture and file.
CALLS = {
    "recognize": lambda client, jpeg, export: client.recognize(jpeg),
    "compare": lambda client, jpeg, export: client.compare(jpeg, str(jpeg)),
    "enroll": lambda client, jpeg, export: client.enroll("ada", [jpeg, jpeg]),
    "stream": lambda client, jpeg, export: listed(
        client.stream([jpeg, facewire.Frame(str(jpeg), captured_at_us=7)])
    ),
    "export_gallery": lambda client, jpeg, export: client.export_gallery(export),
    "import_gallery": lambda client, jpeg, export: client.import_gallery(export),
    "server_info": lambda client, jpeg, export: client.server_info(),
    "health": lambda client, jpeg, export: client.health(),
    "gallery": lambda client, jpeg, export: client.gallery(),
    "galleries": lambda client, jpeg, export: listed(client.galleries()),
    "create_gallery": lambda client, jpeg, export: client.create_gallery("new"),
    "delete_gallery": lambda client, jpeg, export: client.delete_gallery("new"),
    "create_identity": lambda client, jpeg, export: client.create_identity("bo"),
    "rename_identity": lambda client, jpeg, export: client.rename_identity("bo", "Bo"),
    "identity": lambda client, jpeg, export: client.identity("bo"),
    "identities": lambda client, jpeg, export: listed(client.identities()),
    "delete_identity": lambda client, jpeg, export: client.delete_identity("bo"),
    "templates": lambda client, jpeg, export: listed(client.templates("ada")),
    "template": lambda client, jpeg, export: one_read(client),
    "check_gallery": lambda client, jpeg, export: client.check_gallery(),
    "delete_template": lambda client, jpeg, export: one_deleted(client),
    "split_identity": lambda client, jpeg, export: one_split(client),
    "add_negative_example": lambda client, jpeg, export: client.add_negative_example("ada", jpeg),
    "negative_examples": lambda client, jpeg, export: listed(client.negative_examples("ada")),
    "delete_negative_example": lambda client, jpeg, export: one_taken_back(client),
    "merge_identities": lambda client, jpeg, export: client.merge_identities("ada", "split"),
    "identity_page": lambda client, jpeg, export: client.identity_page(),
    "purge_deleted": lambda client, jpeg, export: client.purge_deleted(),
    "unknown_people": lambda client, jpeg, export: listed(client.unknown_people()),
    "unknown_pictures": lambda client, jpeg, export: client.unknown_pictures(7),
    "enroll_unknown": lambda client, jpeg, export: client.enroll_unknown(7, "cy"),
    "forget_unknown": lambda client, jpeg, export: client.forget_unknown(8),
    "forget_all_unknown": lambda client, jpeg, export: client.forget_all_unknown(),
    "watch_tracks": lambda client, jpeg, export: listed(client.watch_tracks(kept_only=True)),
    "track_crop": lambda client, jpeg, export: client.track_crop(7),
    "follow_camera": lambda client, jpeg, export: listed(
        client.follow_camera(jpeg.with_suffix(".avi"), camera="door")
    ),
    "close": lambda client, jpeg, export: client.close(),
}


async def listed(items):
    return [item async for item in items]


async def one_read(client):
    first, *_ = await listed(client.templates("ada"))
    assert (await client.template(first.template_id)) == first


async def one_deleted(client):
    first, *_ = await listed(client.templates("ada"))
    await client.delete_template(first.template_id)


async def one_taken_back(client):
    first, *_ = await listed(client.negative_examples("ada"))
    await client.delete_negative_example(first.negative_example_id)


async def one_split(client):
    first, *_ = await listed(client.templates("ada"))
    await client.split_identity("ada", [first.template_id], "split")


def test_every_method_is_called():
    assert set(CALLS) == {name for name in dir(facewire.AsyncClient) if not name.startswith("_")}


def test_work_with_files_is_noted(tmp_path):
    with file_work_of_this_thread() as noted:
        (tmp_path / "a").write_bytes(b"data")
        with (tmp_path / "a").open("rb") as file:
            os.fsync(file.fileno())
            file.read()
        (tmp_path / "a").rename(tmp_path / "b")
    assert {each.split()[0] for each in noted} >= {"open", "write", "fsync", "read", "rename"}


async def test_no_method_works_with_files_in_the_loop(fake, astronaut, tmp_path):
    jpeg, export = tmp_path / "a.jpg", tmp_path / "all.facewire"
    portrait = np.ascontiguousarray(astronaut[:256, 96:352, ::-1])
    jpeg.write_bytes(cv2.imencode(".jpg", portrait)[1].tobytes())
    write_film(jpeg.with_suffix(".avi"), [portrait] * 2)
    fake.features |= {*TRACKED, "FEATURE_TRACK_CROPS"}
    seen = gallery_pb2.UnknownPicture(image=face_pb2.Image(data=b"jpeg"))
    fake.galleries.unknown = {
        unknown_id: (gallery_pb2.UnknownPerson(unknown_id=unknown_id), [seen])
        for unknown_id in (7, 8)
    }
    fake.journal.crops[7] = recognition_pb2.GetTrackCropResponse(sequence=3)
    noted = {}
    async with facewire.AsyncClient(fake.address) as client:
        await client.health()  # what is imported or read with the first call is not meant
        for name, call in CALLS.items():
            with file_work_of_this_thread() as noted[name]:
                result = await call(client, jpeg, export)
            if name == "stream":
                frames = [each for each in result if isinstance(each, facewire.FrameResult)]
                assert [each.status for each in frames] == [facewire.FrameStatus.OK] * 2
                assert [each.captured_at_us for each in frames] == [0, 7]
    assert {name: work for name, work in noted.items() if work} == {}
    assert export.is_file()


async def test_a_cancelled_export_leaves_nothing_although_its_thread_cannot_be_stopped(
    fake, astronaut, tmp_path, monkeypatch
):
    writing, may_go_on = threading.Event(), threading.Event()
    before = ExportFile.write

    def write(file):
        writing.set()
        assert may_go_on.wait(10)
        before(file)

    monkeypatch.setattr(ExportFile, "write", write)
    monkeypatch.setattr(export_file, "_WRITE_BYTES", 1)  # the first write comes before the end
    async with facewire.AsyncClient(fake.address) as client:
        await client.enroll("ada", facewire.Image.from_array(astronaut[:64, :64]))
        exporting = asyncio.create_task(client.export_gallery(tmp_path / "all"))
        assert await asyncio.to_thread(writing.wait, 10)
        for _ in range(2):  # a second one does not break off the wait, either
            exporting.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        assert not exporting.done()
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await exporting
    assert list(tmp_path.iterdir()) == []
