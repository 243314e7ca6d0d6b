"""Addresses of cameras: why one cannot be watched is said, and leaving a dead one takes no time."""

import contextlib
import logging
import signal
import subprocess
import sys
import threading
from typing import Any

import cv2
import numpy as np
import pytest

from facewire.video import Camera, SourceError
from facewire.video._av import source as av_source
from fakes.network_camera import network_camera_on
from fakes.odd_cameras import answering, silent
from fakes.python import PATHS
from harness.films import INTERLACED, combs, gray, woven, write_film
from harness.relay import relay_to


def refused(address):
    """The error of an address, which holds no secret."""
    with pytest.raises(SourceError) as caught:
        av_source.AvSource(address)
    assert "secret" not in str(caught.value)
    assert "ada" not in str(caught.value)
    assert caught.value.__context__ is None  # whose text, in a traceback, would hold them
    return caught.value


@pytest.mark.parametrize(
    ("status", "said", "temporary"),
    [
        (401, "asks for a user and a password, or refuses these", False),
        (403, "forbids this user", False),
        (404, "nothing under this path", True),
        (400, "refuses the request", False),
        (500, "failed to serve the request", True),
        (503, "failed to serve the request", True),
        (200, "neither a film nor a stream of pictures", False),
    ],
)
def test_what_a_camera_answers_is_said(status, said, temporary):
    with answering(status, b"<html>a page</html>" * 99) as address:
        error = refused(address)
    assert said in str(error)
    assert "http://127.0.0.1:" in str(error)
    assert error.temporary == temporary


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_camera_that_is_off_and_a_host_that_is_not_there_are_told_apart(scheme):
    off = refused(f"{scheme}://ada:secret@127.0.0.1:1/door")
    unknown = refused(f"{scheme}://ada:secret@no-such-host.invalid/door")
    assert "the connection was refused" in str(off)
    assert off.temporary
    assert "no-such-host.invalid" in str(unknown)
    assert any(said in str(unknown) for said in ("no host has the name", "cannot be looked up now"))


def test_a_name_that_no_host_can_have_is_said():
    error = refused("rtsp://ada:secret@cameras..lan/door")
    assert "no host can have the name cameras..lan" in str(error)
    assert not error.temporary


def test_a_scheme_that_nothing_speaks_is_said():
    error = refused("carrier-pigeon://ada:secret@roof/door")
    assert "the scheme is not known" in str(error)
    assert not error.temporary


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_camera_that_stays_silent_is_given_up_after_the_timeout(scheme, monkeypatch):
    monkeypatch.setattr(av_source, "_OPEN_TIMEOUT_S", 0.2)
    with silent() as (place, _):
        error = refused(f"{scheme}://ada:secret@{place}/door")
    assert "nothing came within the time allowed" in str(error)
    assert error.temporary


OPENING = """
import sys
from facewire.video import Camera
Camera(sys.argv[1])
"""


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_ctrl_c_ends_an_opening(scheme):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with silent() as (place, asked):
        opening = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPENING, f"{scheme}://{place}/door"],
            env={"PYTHONPATH": PATHS}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        signal.signal(signal.SIGINT, before)
        assert asked.wait(60)
        opening.send_signal(signal.SIGINT)
        _, errors = opening.communicate(timeout=9)  # less than the timeout of an opening
    assert errors.splitlines()[-1] == "KeyboardInterrupt"


def test_closing_a_camera_that_has_fallen_silent_does_not_wait_for_it(monkeypatch):
    monkeypatch.setattr(av_source, "_READ_TIMEOUT_S", 600.0)
    read, reads, in_last_read = av_source.AvSource.read, [], threading.Event()

    def note(source):
        reads.append(1)
        if len(reads) > 3:
            in_last_read.set()
        return read(source)

    monkeypatch.setattr(av_source.AvSource, "read", note)
    with network_camera_on(frames_a_connection=3) as door:
        door.then_silent = True
        camera = Camera(door.address)
        pulling = threading.Thread(target=lambda: list(camera))
        pulling.start()
        assert in_last_read.wait(60)
        camera.close()
        pulling.join()
        left = [each for each in threading.enumerate() if each.name == "facewire-camera"]
        assert left, "the thread was waited for, though its read takes ten minutes"
    for thread in left:  # its connection has ended
        thread.join()


def test_a_camera_whose_pictures_cannot_be_decoded_does_not_look_healthy(monkeypatch, caplog):
    monkeypatch.setattr(av_source, "_BLIND_AFTER_S", 0.1)
    monkeypatch.setattr("facewire._wire.backoff._FIRST_S", 0.01)
    said = threading.Event()

    class Listening(logging.Handler):
        def emit(self, record):
            if "cannot be decoded" in record.getMessage():
                said.set()

    listening = Listening()
    logging.getLogger("facewire").addHandler(listening)
    try:
        with network_camera_on(frames_a_connection=10**9) as door:
            whole = door.jpeg
            camera = Camera(door.address)
            next(camera)
            door.jpeg = whole[:20] + bytes(len(whole) - 20)
            assert said.wait(60)
            door.jpeg = whole
            pictures = iter(camera)
            for _ in range(3):
                assert next(pictures)
            camera.close()
    finally:
        logging.getLogger("facewire").removeHandler(listening)


def test_a_live_stream_may_be_interlaced_and_change_its_size(tmp_path):
    bar = np.zeros((64, 96, 3), np.uint8)
    bar[:, :16] = 220
    moments = [np.roll(bar, 4 * n, axis=1) for n in range(40)]
    pictures = [woven(*moments[at : at + 2]) for at in range(0, 40, 2)]
    wide = write_film(tmp_path / "wide.ts", pictures, options=INTERLACED)
    tall = write_film(tmp_path / "tall.ts", [gray(150, (64, 96))] * 20)
    stream = wide.read_bytes() + tall.read_bytes()
    served = answering(200, stream, content_type="video/mp2t", says_length=False)
    shown = []
    with served as address, contextlib.closing(av_source.AvSource(address)) as source:
        assert source.live
        with contextlib.suppress(SourceError):  # the connection ends with the stream
            while (shot := source.read()) is not None:
                shown.append(shot.bgr().astype(int))
    sizes = [picture.shape[1::-1] for picture in shown]
    assert sizes == [(96, 64)] * 20 + [(64, 96)] * (len(sizes) - 20)
    assert len(sizes) > 35
    for picture, interlaced in zip(shown, pictures, strict=False):
        assert combs(picture) < combs(interlaced) / 5
        assert picture.max() > 180
    assert all(abs(picture.mean() - 150) < 4 for picture in shown[20:])


def test_a_film_at_an_address_is_a_film(tmp_path):
    film = write_film(
        tmp_path / "a.mp4", [gray(99)] * 10, container_options={"movflags": "faststart"}
    )
    served = answering(200, film.read_bytes(), content_type="video/mp4")
    with served as address, Camera(address) as camera:
        assert (camera.live, camera.frame_count) == (False, 10)
        frames = list(camera)
    assert [frame.captured_at_us for frame in frames] == [100_000 * n for n in range(10)]


def test_what_was_not_taken_from_a_camera_does_not_wait_for_it():
    with network_camera_on(frames_a_connection=10**9) as door, Camera(door.address) as camera:
        first = next(camera)
        before = door.sent_count
        with door.sent:
            assert door.sent.wait_for(lambda: door.sent_count > before + 50, timeout=60)
        second = next(camera)
    assert second.captured_at_us - first.captured_at_us > 40 * 10_000


def test_what_a_network_kept_of_motion_jpeg_is_passed_over(monkeypatch):
    for name, busy_s in {
        "_LONGEST_S": 30.0,
        "_SHORTEST_HOLD_S": 1.0,
        "_LONGEST_HOLD_S": 1.0,
    }.items():
        monkeypatch.setattr(f"facewire.video._settling.{name}", busy_s)  # of a busy machine

    def number_of(frame):
        picture: Any = cv2.imdecode(np.frombuffer(frame.picture, np.uint8), cv2.IMREAD_COLOR)
        return picture.shape[1] - 32

    with network_camera_on(frames_a_connection=10**9) as door, relay_to(door.server_port) as relay:
        door.numbered = True
        with Camera(f"http://127.0.0.1:{relay.port}/door") as camera:
            numbers = [number_of(next(camera)) for _ in range(20)]
            relay.hold()
            before = door.sent_count
            with door.sent:  # longer than a second, of which each has a hundred pictures
                assert door.sent.wait_for(lambda: door.sent_count > before + 200, timeout=60)
            after: list[int] = []

            def take():
                while not after or after[-1] < before:  # it had come, and was not taken yet
                    after.append(number_of(next(camera)))

            taking = threading.Thread(target=take)
            taking.start()
            relay.go_on()
            taking.join()
    assert numbers == sorted(set(numbers))
    assert after[-1] > before + 100, "an old picture was given as new"
