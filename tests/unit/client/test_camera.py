"""A camera gives frames for as long as it is wanted, and a film to its end."""

import gc
import logging
import os
import random
import threading
import time

import cv2
import numpy as np
import pytest

import facewire
from facewire._wire import backoff
from facewire.video import Camera, FilmWriter, _address, _camera, _reading
from facewire.video._av.source import AvSource
from fakes.network_camera import network_camera_on
from fakes.python import run_python
from fakes.server import TRACKED


@pytest.fixture
def film(tmp_path):
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 100, (64, 64))
    for number in range(10):
        writer.write(np.full((64, 64, 3), 20 * number, np.uint8))
    writer.release()
    return path


def test_every_frame_of_a_film_comes_with_its_time(film):
    with Camera(film) as camera:
        assert (camera.live, camera.frame_count, camera.fps) == (False, 10, 100)
        assert [frame.captured_at_us for frame in camera] == [
            10_000 * number for number in range(10)
        ]


def test_a_stream_asks_for_the_turn_of_the_camera_unless_it_is_told_another(fake, client, film):
    with Camera(film, rotation_degrees=270) as camera:
        client.stream(camera).open().close()
        client.stream(camera, rotation_degrees=0).open().close()
    assert [config.rotation_degrees for config in fake.configs] == [270, 0]


def test_no_frame_of_a_film_is_skipped(fake, client, film):
    with Camera(film) as camera:
        results = list(client.stream(camera))
    assert [type(result) for result in results] == [facewire.FrameResult] * 10
    (config,) = fake.configs
    assert config.frame_policy == facewire.v1.recognition_pb2.FRAME_POLICY_EVERY_FRAME


class Source:
    """Frames that say what they are."""

    def __init__(self, **says):
        vars(self).update(says)

    def __iter__(self):
        return iter([])


@pytest.mark.parametrize(
    ("says", "given", "policy"),
    [
        ({}, "UNSPECIFIED", "UNSPECIFIED"),
        ({"live": False}, "UNSPECIFIED", "EVERY_FRAME"),
        ({"live": True}, "UNSPECIFIED", "NEWEST_WINS"),
        ({"live": True, "every_frame": True}, "UNSPECIFIED", "EVERY_FRAME"),
        ({"live": False, "every_frame": False}, "UNSPECIFIED", "NEWEST_WINS"),
        ({"live": False, "every_frame": True}, "NEWEST_WINS", "NEWEST_WINS"),
        ({"live": True}, "EVERY_FRAME", "EVERY_FRAME"),
    ],
)
def test_the_policy_follows_the_source_unless_it_is_given(fake, client, says, given, policy):
    list(client.stream(Source(**says), policy=facewire.FramePolicy(given)))
    (config,) = fake.configs
    wanted = facewire.v1.recognition_pb2.FramePolicy.Value(f"FRAME_POLICY_{policy}")
    assert config.frame_policy == wanted


def test_a_stream_asks_for_the_detail_and_the_searches_that_are_wanted(fake, client):
    fake.features = TRACKED
    client.stream(
        [], detail=facewire.ResponseDetail.EVENTS_ONLY, search_interval_ms=250
    ).open().close()
    (config,) = fake.configs
    wanted = facewire.v1.recognition_pb2.RESPONSE_DETAIL_EVENTS_ONLY
    assert (config.detail, config.search_interval_ms) == (wanted, 250)


def test_the_newest_frames_end_with_the_last_and_pass_over_what_was_not_pulled(film):
    with Camera(film, every_frame=False) as camera:
        first = next(camera)
        for thread in threading.enumerate():
            if thread.name == "facewire-camera":
                thread.join()
        rest = list(camera)
    assert first.captured_at_us < 90_000
    assert [frame.captured_at_us for frame in rest] == [90_000]


def test_closing_a_film_ends_its_frames(film):
    camera = Camera(film)
    next(camera)
    camera.close()
    assert list(camera) == []


@pytest.mark.parametrize("every_frame", [True, False])
def test_an_error_of_the_reading_reaches_who_draws_after_the_frames_before(
    film, monkeypatch, every_frame
):
    read, calls = AvSource.read, []

    def fail_third(source):
        calls.append(1)
        if len(calls) > 2:
            raise ValueError("boom")
        return read(source)

    monkeypatch.setattr(AvSource, "read", fail_third)
    frames: list[facewire.Frame] = []
    with Camera(film, every_frame=every_frame) as camera:
        with pytest.raises(ValueError, match="boom"):
            frames.extend(camera)
        assert list(camera) == []
    if every_frame:
        assert len(frames) == 2


def test_a_closing_that_was_broken_off_is_made_good_at_the_end(film, monkeypatch):
    gc.collect()  # of other tests' cameras
    camera = Camera(film)
    close, calls = _reading.Reading.close, []

    def break_off(reading):
        calls.append(reading)
        if len(calls) == 1:
            raise KeyboardInterrupt
        close(reading)

    monkeypatch.setattr(_reading.Reading, "close", break_off)
    with pytest.raises(KeyboardInterrupt):
        camera.close()
    del camera  # which the end of the process does, at the latest
    gc.collect()
    assert [each is calls[0] for each in calls] == [True, True]
    assert calls[0].closed.is_set()


LEFT_OPEN = """
import sys, threading
from facewire.video import Camera
camera = Camera(sys.argv[1], every_frame=sys.argv[2] == "every")
next(camera)
threading.Thread(target=lambda: list(camera), daemon=True).start()
threading.Event().wait(0.3)
"""


@pytest.mark.parametrize("frames", ["newest", "every"])
def test_a_camera_that_is_left_open_does_not_crash_the_end_of_the_process(frames):
    noise = np.random.default_rng(0).integers(0, 255, (1080, 1920, 3), np.uint8)
    with network_camera_on(frames_a_connection=10**9) as door:
        door.jpeg = cv2.imencode(".jpg", noise)[1].tobytes()  # decoding takes most of the time
        ended = run_python(LEFT_OPEN, door.address, frames)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_film_may_have_any_name_but_opencv_would_end_the_process_on_writing_it(tmp_path, film):
    name = tmp_path / os.fsdecode(b"rtsp: caf\xe9.avi")
    film.rename(name)
    with Camera(name) as camera:
        assert len(list(camera)) == 10
    with pytest.raises(OSError, match="UTF-8"), FilmWriter(name, 10) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8), 0.0)


def test_what_cannot_be_opened_is_an_error(tmp_path):
    with pytest.raises(OSError, match=r"none\.mp4"):
        Camera(tmp_path / "none.mp4")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://cam/door", "rtsp://cam/door"),
        ("rtsp://ada:p@ss@cam/x", "rtsp://cam/x"),
        ("rtsp://ada:se/cret@cam", "rtsp://cam"),
        ("rtsp://ada:se#cret@cam/x#part", "rtsp://cam/x"),
        ("rtsp://ada:se?cret@cam/x", "rtsp://..."),
        ("http://cam/x?user=ada&pwd=secret", "http://cam/x"),
        ("http://cam/x?user=ada@home&pwd=secret", "http://..."),
        ("rtsp://cam:554/user=ada_password=secret_channel=1.sdp", "rtsp://cam:554/..."),
        ("film@home.mp4", "film@home.mp4"),
    ],
)
def test_of_an_address_only_scheme_host_and_path_are_redacted(address, shown):
    assert _address.redacted(address) == shown


def test_a_password_is_in_no_text(caplog):
    Camera("rtsp://ada:secret@127.0.0.1:1/door").close()
    assert "secret" not in caplog.text
    assert "rtsp://127.0.0.1:1/door: nothing listens there" in caplog.text


class Ending(logging.Handler):
    """A handler that ends the process, as that of the command does if the reader of its output has gone."""

    def emit(self, record):
        raise SystemExit(1)


def test_a_log_that_ends_the_process_does_not_leave_the_constructor_waiting():
    log, ending = logging.getLogger("facewire"), Ending()
    raised: list[SystemExit] = []

    def construct():
        try:
            Camera("rtsp://127.0.0.1:1/door")
        except SystemExit as error:
            raised.append(error)

    constructing = threading.Thread(target=construct, daemon=True)
    log.addHandler(ending)
    try:
        constructing.start()
        constructing.join(30)
    finally:
        log.removeHandler(ending)
    assert len(raised) == 1


@pytest.fixture
def network_camera(monkeypatch):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.01)
    with network_camera_on(frames_a_connection=40) as server:
        yield server


def test_a_camera_that_is_lost_is_opened_again(network_camera, caplog):
    with caplog.at_level(logging.WARNING), Camera(network_camera.address) as camera:
        assert camera.live
        assert camera.frame_count is None
        times = []
        for frame in camera:
            times.append(frame.captured_at_us)
            if network_camera.connections >= 3:
                break
    assert len(times) > 2
    assert times == sorted(times)
    assert "the connection was ended. Trying again in 0.0 s." in caplog.text
    assert "secret" not in caplog.text


class Empty:
    """A live source that opens and has no picture."""

    live, frame_count, fps, may_be_left = True, None, 25.0, True

    def read(self):
        return None

    def close(self):
        pass


def test_a_camera_that_opens_and_sends_nothing_is_tried_ever_more_seldom(monkeypatch, caplog):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.001)
    monkeypatch.setattr(random, "uniform", lambda _, most: most)
    opened = threading.Semaphore(0)

    def open_source():
        opened.release()
        return Empty()

    reading = _reading.Reading(open_source, name="cam", may_be_left=True, is_awaited=True)
    for _ in range(5):
        assert opened.acquire(timeout=30)
    reading.close()
    pauses_s = [record.args[1] for record in caplog.records if record.name == "facewire"]
    assert pauses_s[:4] == pytest.approx([0.001, 0.002, 0.004, 0.008])


def test_closing_a_live_camera_ends_its_frames_from_another_thread(network_camera):
    network_camera.frames_a_connection = 10**9
    camera = Camera(network_camera.address)
    next(camera)
    closing = threading.Thread(target=camera.close)
    closing.start()
    list(camera)  # ends
    closing.join()


def test_a_stream_slows_its_camera_down_and_makes_its_frames_smaller(fake, client, film):
    fake.advice = facewire.v1.recognition_pb2.Advice(target_fps=50, longest_side_px=32)
    advised = threading.Event()

    class Advised(Camera):
        def advise(self, advice):
            super().advise(advice)
            advised.set()

        def __next__(self):
            assert advised.wait(10)
            return super().__next__()

    with Advised(film) as camera:
        results = list(client.stream(camera, policy=facewire.FramePolicy.EVERY_FRAME))
    assert [result.width_px for result in results] == [32] * 10


def test_advice_is_kept_to_for_a_while_and_then_forgotten(monkeypatch):
    moment = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: moment[0])
    pace = _camera._Pace()
    assert pace.pause_s() == 0
    pace.advise(facewire.Advice(target_fps=5, longest_side_px=320))
    assert pace.pause_s() == pytest.approx(0.2)
    assert pace.pause_s() == pytest.approx(0.4)
    assert pace.longest_side_px == 320
    moment[0] += 31
    assert pace.pause_s() == 0
    assert pace.longest_side_px == 0


def test_a_film_is_written_with_each_picture_for_its_time(tmp_path):
    path = tmp_path / "out.avi"
    with FilmWriter(path, fps=10) as writer:
        for at_s, level in [(5.0, 0), (5.1, 50), (5.5, 100), (60.0, 200)]:
            writer.write(np.full((65, 97, 3), level, np.uint8), at_s)
    capture = cv2.VideoCapture(str(path))
    levels = []
    while (read := capture.read())[0]:
        levels.append(round(float(read[1].mean()), -1))
        assert read[1].shape == (64, 96, 3)
    capture.release()
    assert levels == [0] + [50] * 4 + [100] * 20 + [200]


def test_a_picture_of_another_size_keeps_its_proportions_in_a_film(tmp_path):
    with FilmWriter(tmp_path / "out.avi", fps=10) as writer:
        writer.write(np.full((64, 128, 3), 200, np.uint8), 0.0)
        writer.write(np.full((128, 64, 3), 200, np.uint8), 0.1)
    capture = cv2.VideoCapture(str(tmp_path / "out.avi"))
    (_, wide), (_, tall) = capture.read(), capture.read()
    capture.release()
    assert wide.shape == tall.shape == (64, 128, 3)
    assert wide.mean() == pytest.approx(200, abs=3)
    lit = tall.mean(axis=(0, 2)) > 100
    assert list(np.flatnonzero(lit)) == list(range(48, 80))


@pytest.mark.parametrize("fps", [0.0, -1.0, 1e5, float("nan"), float("inf")])
def test_a_film_of_no_usual_speed_gets_a_usual_one(tmp_path, fps):
    with FilmWriter(tmp_path / "out.avi", fps) as writer:
        writer.write(np.zeros((64, 64, 3), np.uint8), 0.0)
    capture = cv2.VideoCapture(str(tmp_path / "out.avi"))
    assert capture.get(cv2.CAP_PROP_FPS) == 25
    capture.release()


def test_a_film_that_cannot_be_written_is_an_error(tmp_path):
    with (
        pytest.raises(OSError, match="none"),
        FilmWriter(tmp_path / "none" / "a.mp4", 10) as writer,
    ):
        writer.write(np.zeros((64, 64, 3), np.uint8), 0.0)
