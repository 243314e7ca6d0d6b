"""Tokens and certificates of a running server change; what is open goes on, unless its token was revoked."""

import contextlib
import os
import pty
import queue
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import grpc
import numpy as np
import pytest

import facewire
from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from fakes.certificates import self_signed
from fakes.python import PATHS
from harness.running import RunningServer, running_server

PATIENCE_S = 60.0
Request = recognition_pb2.StreamRecognizeRequest


class Secured(NamedTuple):
    """A server and its files; `certificate` is what clients trust at the start."""

    server: RunningServer
    token_file: Path
    certificate_file: Path
    key_file: Path
    certificate: bytes

    def hang_up(self) -> None:
        os.kill(self.server.pid, signal.SIGHUP)

    def shown(self) -> str:
        """The certificate that a new connection is shown."""
        host, _, port = self.server.address.rpartition(":")
        return ssl.get_server_certificate((host, int(port)), timeout=PATIENCE_S)

    def client(self, token: str, certificate: bytes) -> facewire.Client:
        return facewire.Client(self.server.address, token=token, root_certificates=certificate)


def until(condition: Callable[[], bool], what: str) -> None:
    """Polls: another process sends no event when it is done."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.02)


@pytest.fixture
def secured_by_files(models: Path, tmp_path: Path) -> Iterator[Secured]:
    """A server whose files may be changed, unlike those of the server that others share."""
    token = tmp_path / "token"
    token.write_text("first-0123456789\n")
    certificate, key = self_signed(tmp_path)
    with running_server(tls_certificate=certificate, tls_key=key, token_file=token) as server:
        yield Secured(server, token, certificate, key, certificate.read_bytes())


def opens(running: Secured, token: str) -> bool:
    with running.client(token, running.certificate) as client:
        try:
            client.gallery()
        except facewire.AuthenticationError:
            return False
    return True


class OpenStream:
    """A stream that stays open; frames are sent and answered one by one."""

    def __init__(self, server: RunningServer, certificate: bytes, token: str) -> None:
        self._frames: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._sequence = 0
        trust = grpc.ssl_channel_credentials(root_certificates=certificate)
        self._channel = grpc.secure_channel(
            server.address, trust, [("grpc.use_local_subchannel_pool", 1)]
        )
        stub = recognition_pb2_grpc.RecognitionServiceStub(self._channel)
        self._responses = stub.StreamRecognize(
            iter(self._frames.get, None), metadata=[("authorization", f"Bearer {token}")]
        )
        self._frames.put(Request(config=recognition_pb2.StreamConfig()))
        assert next(self._responses).HasField("started")

    def send(self) -> int:
        """Sends one frame, and returns the status of its result."""
        gray = cv2.imencode(".png", np.full((64, 64, 3), 128, np.uint8))[1].tobytes()
        self._sequence += 1
        image = face_pb2.Image(data=gray)
        self._frames.put(Request(frame=recognition_pb2.Frame(sequence=self._sequence, image=image)))
        response = next(self._responses)
        assert response.frame.sequence == self._sequence
        return response.frame.status

    def broken(self) -> grpc.StatusCode:
        """Waits until the server ends the stream, and returns how."""
        with pytest.raises(grpc.RpcError) as caught:
            next(self._responses)
        self._channel.close()
        return caught.value.code()

    def end(self) -> grpc.StatusCode:
        """Ends the client's side, and returns the status of the call."""
        self._frames.put(None)
        assert list(self._responses) == []
        code = self._responses.code()
        self._channel.close()
        return code


def test_a_new_certificate_is_for_new_connections_and_open_streams_go_on(
    secured_by_files: Secured, tmp_path: Path
) -> None:
    before = secured_by_files
    stream = OpenStream(before.server, before.certificate, "first-0123456789")
    assert stream.send() == recognition_pb2.FRAME_STATUS_OK
    (tmp_path / "new").mkdir()
    for new, old in zip(
        self_signed(tmp_path / "new"), (before.certificate_file, before.key_file), strict=True
    ):
        shutil.copy(new, old)
    new_certificate = before.certificate_file.read_bytes()
    before.hang_up()
    until(
        lambda: before.shown() == new_certificate.decode(),
        "new connections are shown the old certificate",
    )
    with before.client("first-0123456789", new_certificate) as client:
        client.gallery()
    with (
        before.client("first-0123456789", before.certificate) as client,
        pytest.raises(facewire.UnreachableError, match="not trusted"),
    ):
        client.gallery()
    assert stream.send() == recognition_pb2.FRAME_STATUS_OK
    assert stream.end() is grpc.StatusCode.OK


def test_a_token_that_leaves_the_file_ends_its_calls_and_streams_without_a_signal(
    secured_by_files: Secured,
) -> None:
    running = secured_by_files
    running.token_file.write_text("first-0123456789\nsecond-0123456789\n")
    until(lambda: opens(running, "second-0123456789"), "the second token is not taken")
    ended = OpenStream(running.server, running.certificate, "first-0123456789")
    stays = OpenStream(running.server, running.certificate, "second-0123456789")
    with running.client("first-0123456789", running.certificate) as client:
        client.gallery()
        running.token_file.write_text("second-0123456789\n")
        assert ended.broken() is grpc.StatusCode.UNAUTHENTICATED
        with pytest.raises(facewire.AuthenticationError):
            client.gallery()  # an open connection, a new call
    assert stays.send() == recognition_pb2.FRAME_STATUS_OK
    assert stays.end() is grpc.StatusCode.OK


def test_a_bad_file_is_logged_and_all_of_the_old_stays(
    secured_by_files: Secured, tmp_path: Path
) -> None:
    before = secured_by_files
    (tmp_path / "new").mkdir()
    certificate, key = self_signed(tmp_path / "new")
    files = before.token_file, before.certificate_file, before.key_file
    good = b"second-0123456789", certificate.read_bytes(), key.read_bytes()
    old_key = before.key_file.read_bytes()
    for place, content, reason in (
        (0, b"\n", "token is empty"),
        (0, "sécond".encode(), "not a token of printable ASCII"),
        (1, good[1][:100], "no PEM that can be read"),
        (0, b"guessed\n", "fewer than 16 characters"),
        (1, b"\xef\xbb\xbf" + good[1], "gRPC cannot use this certificate"),  # OpenSSL can
        (2, old_key, "the key belongs to another certificate"),
    ):
        # The file of the token last: its change alone has all of them read.
        for number, file in reversed(list(enumerate(files))):
            file.write_bytes(content if number == place else good[number])
        before.hang_up()
        until(lambda: reason in before.server.log(), f"not in the log: {reason}")  # noqa: B023
        assert before.shown() == before.certificate.decode()
        with before.client("first-0123456789", before.certificate) as client:
            client.gallery()
    assert "second-0123456789" not in before.server.log()


def test_while_a_token_is_changed_both_are_valid(secured_by_files: Secured) -> None:
    running = secured_by_files
    running.token_file.write_text("second-0123456789\nfirst-0123456789\n")
    running.hang_up()
    until(
        lambda: '"credentials_reloaded", "error": ""' in running.server.log(),
        "no word of it in the log",
    )
    for token in ("first-0123456789", "second-0123456789"):
        with running.client(token, running.certificate) as client:
            client.gallery()
    with (
        running.client(
            "second-0123456789\nfirst-0123456789".replace("\n", ""), running.certificate
        ) as client,
        pytest.raises(facewire.AuthenticationError),
    ):
        client.gallery()


def test_a_server_without_tls_and_token_outlives_it(models: Path) -> None:
    with running_server() as server:
        os.kill(server.pid, signal.SIGHUP)
        until(lambda: "credentials_reloaded" in server.log(), "no word of it in the log")
        with facewire.Client(server.address) as client:
            client.gallery()


SERVER = (sys.executable, "-m", "facewire_server")
ON_TERMINAL = """
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who runs the tests may ignore it, and children inherit that
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


@contextlib.contextmanager
def on_a_terminal(tmp_path: Path, *prefix: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server whose controlling terminal is ours to close: process, our end of the terminal."""
    ours, its = pty.openpty()
    flags = ["--listen=127.0.0.1:0", f"--data={tmp_path / 'data'}", "--models=models"]
    with (
        (tmp_path / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, *prefix, *SERVER, "run", *flags],
            env=os.environ | {"PYTHONPATH": PATHS},
            stdin=its,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        os.close(its)
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith("facewire.v1 on ")
            yield process, ours
        finally:
            process.kill()


def test_a_closed_terminal_stops_the_server_cleanly(models: Path, tmp_path: Path) -> None:
    with on_a_terminal(tmp_path) as (process, terminal):
        os.close(terminal)
        status = process.wait(PATIENCE_S)
    log = (tmp_path / "log").read_text()
    assert status == 0, log
    assert "stopped" in log


def test_with_nohup_the_server_outlives_its_terminal(models: Path, tmp_path: Path) -> None:
    with on_a_terminal(tmp_path, "nohup") as (process, terminal):
        os.close(terminal)
        log = tmp_path / "log"
        until(lambda: "credentials_reloaded" in log.read_text(), "SIGHUP was not handled")
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
