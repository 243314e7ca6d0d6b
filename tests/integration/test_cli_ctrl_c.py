"""Ctrl-C ends every command at once, whatever it waits for: servers that say nothing, cameras, files.

Each command has a timeout of 1,000 s, so that what ends it is Ctrl-C. A real SIGINT goes to a real process.
"""

import contextlib
import fcntl
import os
import signal
import socket
import sys
import termios
import time
from pathlib import Path

import psutil
import pytest

import facewire
from facewire._wire.gallery_file import MAGIC, framed
from facewire.v1 import gallery_pb2
from facewire.video._av.source import _OPEN_TIMEOUT_S as OPEN_TIMEOUT_S
from fakes.odd_cameras import silent
from fakes.server import FakeServer
from integration.command import interruptible

AT_ONCE_S = 30
"""Most seconds until a command has ended, on the slowest machine: a thirtieth of what it would wait."""

COMMANDS = {
    "status": ["status"],
    "identities": ["identities"],
    "forget": ["forget", "ada"],
    "enroll": ["enroll", "FOLDER"],
    "recognize": ["recognize", "PICTURE"],
    "compare": ["compare", "PICTURE", "PICTURE"],
    "watch": ["watch", "FILM"],
    "watch, annotated": ["watch", "FILM", "--annotate", "OUT.avi", "--csv", "OUT.csv"],
    "gallery list": ["gallery", "list"],
    "gallery create": ["gallery", "create", "door"],
    "gallery delete": ["gallery", "delete", "default", "--yes"],
    "gallery purge": ["gallery", "purge"],
    "gallery export": ["gallery", "export", "OUT"],
    "gallery import": ["gallery", "import", "EXPORT"],
    "gallery import --create": ["gallery", "import", "EXPORT", "--create"],
}

METHODS = {
    "status": "Check",
    "identities": "ListIdentities",
    "forget": "DeleteIdentity",
    "enroll": "EnrollTemplates",
    "recognize": "Recognize",
    "compare": "Compare",
    "watch": "StreamRecognize",
    "watch, annotated": "StreamRecognize",
    "gallery list": "ListGalleries",
    "gallery create": "CreateGallery",
    "gallery delete": "DeleteGallery",
    "gallery purge": "PurgeDeleted",
    "gallery export": "ExportGallery",
    "gallery import": "ImportGallery",
    "gallery import --create": "CreateGallery",
}
"""The call of each command that a server leaves unanswered."""


@pytest.fixture
def places(tmp_path, folder, film):
    export = tmp_path / "export.facewire"
    with FakeServer() as server, facewire.Client(server.address) as client:
        client.export_gallery(export)
    return {
        "FOLDER": folder,
        "PICTURE": folder / "Eileen_Collins" / "a.jpg",
        "FILM": film,
        "EXPORT": export,
        **{name: tmp_path / name.lower() for name in ("OUT", "OUT.avi", "OUT.csv")},
    }


@contextlib.contextmanager
def started(arguments, address):
    """The command; it is ended, also when the test fails."""
    process = interruptible(["--timeout", 1000, *arguments], address)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process):
    """Presses Ctrl-C, and returns what the command has printed on stderr until its end."""
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=AT_ONCE_S)
    assert "Traceback" not in errors
    return errors


def until(what):
    """Waits for what sends no event."""
    end_s = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def opened_by(process):
    """The files that a process has open."""
    return [Path(each.path) for each in psutil.Process(process.pid).open_files()]


@pytest.mark.parametrize("name", COMMANDS)
def test_beside_a_server_that_takes_connections_and_says_nothing(name, places):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        arguments = [places.get(each, each) for each in COMMANDS[name]]
        with started(arguments, address) as process:
            connection, _ = silent.accept()
            with connection:
                errors = ended(process)
    assert process.returncode == 130
    assert "interrupted" in errors or name.startswith("watch")


@pytest.mark.parametrize("name", COMMANDS)
def test_beside_a_server_that_leaves_a_call_unanswered(name, places):
    with FakeServer() as server:
        server.silent = {METHODS[name]}
        arguments = [places.get(each, each) for each in COMMANDS[name]]
        with started(arguments, server.address) as process:
            assert server.asked.wait(60)
            ended(process)
        server.opening.set()
    assert process.returncode == 130


def test_beside_a_port_that_takes_no_connection(places):
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):  # the waiting room of connections is full: packets get no answer
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        address = f"127.0.0.1:{full.getsockname()[1]}"
        with started(["recognize", places["PICTURE"]], address) as process:
            connections = psutil.Process(process.pid).net_connections
            until(lambda: any(each.status == psutil.CONN_SYN_SENT for each in connections()))
            ended(process)
    assert process.returncode == 130


def test_while_a_large_export_is_checked_before_its_import(tmp_path):
    header = gallery_pb2.GalleryRecord(header=gallery_pb2.ExportHeader())
    identity = gallery_pb2.GalleryRecord(identity=gallery_pb2.Identity(identity_id="a"))
    large = tmp_path / "large.facewire"
    large.write_bytes(MAGIC + framed(header) + framed(identity) * 30_000_000)
    with FakeServer() as server, started(["gallery", "import", large], server.address) as process:
        until(lambda: large in opened_by(process))
        errors = ended(process)
    large.unlink()  # 180 MB
    assert (process.returncode, errors.strip()) == (130, "facewire: interrupted")


def waiting_bytes(pipe):
    """The number of bytes in a pipe that are not read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.mark.parametrize("command", ["recognize", "compare", "enroll"])
def test_while_a_file_is_read_that_does_not_come(command, tmp_path):
    pipe = tmp_path / "people" / "Ada" / "a.jpg"
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    arguments = {
        "recognize": ["recognize", pipe],
        "compare": ["compare", pipe, pipe],
        "enroll": ["enroll", tmp_path / "people"],
    }[command]
    with (
        FakeServer() as server,
        started(arguments, server.address) as process,
        pipe.open("wb", buffering=0) as writing,  # opens when the command does
    ):
        writing.write(b"begun")
        until(lambda: not waiting_bytes(writing))
        ended(process)
    assert process.returncode == 130


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_while_a_camera_is_opened_that_says_nothing(scheme):
    with FakeServer() as server, silent() as (place, asked):
        address = f"{scheme}://ada:secret@{place}/door"
        with started(["watch", address], server.address) as process:
            assert asked.wait(60)
            since_s = time.monotonic()
            errors = ended(process)
            lasted_s = time.monotonic() - since_s
    assert (process.returncode, errors.strip()) == (130, "facewire: interrupted")
    assert lasted_s < OPEN_TIMEOUT_S
