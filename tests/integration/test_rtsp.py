"""A real RTSP camera (GStreamer's server): its start, stalls, deaths, passwords and paths, and the ages of its pictures.

The time of its production is drawn into each picture.
"""

import json
import logging
import time
from itertools import accumulate

import pytest

from facewire._wire import backoff
from facewire.video import Camera
from facewire.video._av import source as av_source
from facewire.video._av.decoding import Decoding
from fakes.server import FakeServer
from harness import drawn_clock
from harness.clock_watcher import ClockWatcher, pictures_of
from harness.relay import relay_to
from harness.rtsp_server import Scene, missing, rtsp_camera
from integration.command import ended_by_ctrl_c, interruptible

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

SECRET = "pa55"
GUARDED = Scene(user="ada", password=SECRET)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch, caplog):
    monkeypatch.setattr(backoff, "_FIRST_S", 0.05)
    monkeypatch.setattr(backoff, "_LONGEST_S", 0.2)
    caplog.set_level(logging.WARNING, "facewire")


def through(relay, camera):
    """The camera's address by way of a relay."""
    return camera.address.replace(f":{camera.port}/", f":{relay.port}/")


@pytest.mark.parametrize(
    "scene",
    [
        Scene(),
        Scene(b_frames=2, gop=30),
        Scene(codec="jpeg"),
        Scene(width=1280, height=720, gop=50, user="ada", password=SECRET),
    ],
    ids=["H.264", "B frames", "JPEG", "720p with a password"],
)
def test_each_picture_comes_once_in_order_and_with_its_own_time(scene):
    with rtsp_camera(scene) as served, Camera(served.address, every_frame=True) as camera:
        assert (camera.live, camera.frame_count) == (True, None)
        seen = ClockWatcher(pictures_of(camera)).until(lambda seen: len(seen) >= 45)
    drawn = [one.drawn_s for one in seen]
    assert drawn == sorted(set(drawn))
    assert {one.size for one in seen} == {(scene.width, scene.height)}
    # Between any two pictures as much time by the camera's stamps as by the clocks drawn, but for a frame's time, and for what a
    # quicker picture than all before it shows: that these have waited, during the opening or on a busy machine. On such a one the camera
    # itself stamps a picture late now and then.
    offsets = [one.captured_at_us / 1e6 - one.drawn_s for one in seen]
    least_so_far = accumulate(offsets, min)
    late_s = [offset - least for offset, least in zip(offsets, least_so_far, strict=True)]
    late_count = sum(one >= 1 / scene.fps for one in late_s)
    assert late_count <= len(seen) / 4, late_s


def test_the_decoder_of_a_camera_holds_no_picture_back(monkeypatch):
    counts, decode = [], Decoding.pictures

    def counted(decoding, packet):
        pictures = decode(decoding, packet)
        counts.append(len(pictures))
        return pictures

    monkeypatch.setattr(Decoding, "pictures", counted)
    with rtsp_camera() as served, Camera(served.address) as camera:
        ClockWatcher(pictures_of(camera)).until(lambda seen: len(seen) >= 20)
    assert set(counts) == {1}  # with several threads the first packets complete none


@pytest.mark.parametrize("b_frames", [0, 2])
def test_after_a_stall_of_the_camera_no_picture_from_before_it_comes(b_frames):
    scene = Scene(b_frames=b_frames)
    with rtsp_camera(scene) as served, Camera(served.address) as camera:
        watcher = ClockWatcher(pictures_of(camera))
        watcher.until(lambda seen: len(seen) >= 20)
        served.stall()
        watcher.during(2.0)  # what was sent before has come
        since = len(watcher.seen)
        went_on_s = time.monotonic()
        served.go_on()
        came = watcher.until(lambda seen: len(seen) >= 10, since)
    before = [one for one in came if one.drawn_s < went_on_s - drawn_clock.STEP_S]
    # B frames wait in the encoder and in the decoder for those that they refer to.
    assert len(before) <= 2 * b_frames


def test_a_stall_that_is_longer_than_a_read_may_take_brings_no_picture_from_before_it(monkeypatch):
    monkeypatch.setattr(av_source, "_READ_TIMEOUT_S", 1.5)
    with rtsp_camera() as served, Camera(served.address) as camera:
        watcher = ClockWatcher(pictures_of(camera))
        watcher.until(lambda seen: len(seen) >= 20)
        stalled_s = time.monotonic()
        served.stall()
        watcher.during(3.0)
        served.go_on()
        watcher.until_newer_than(time.monotonic())
    assert not [
        one for one in watcher.seen if one.drawn_s < stalled_s and one.at_s > stalled_s + 1.5
    ]


def test_a_camera_behind_a_tunnel_that_takes_connections_is_waited_for(caplog):
    with (
        rtsp_camera(absent=True) as served,
        relay_to(served.port) as tunnel,
        Camera(through(tunnel, served)) as camera,
    ):
        watcher = ClockWatcher(pictures_of(camera))
        served.start()
        assert watcher.until(lambda seen: len(seen) >= 3)
    assert "Is it on, and is the port right? Trying again" in caplog.text


def test_after_a_stall_of_the_way_the_old_pictures_are_passed_over(monkeypatch):
    monkeypatch.setattr("facewire.video._settling._LONGEST_S", 30.0)  # of a busy machine
    stall_s = 3.0
    with (
        rtsp_camera() as served,
        relay_to(served.port) as relay,
        Camera(through(relay, served)) as camera,
    ):
        watcher = ClockWatcher(pictures_of(camera))
        watcher.until(lambda seen: len(seen) >= 20)
        held_s = time.monotonic()
        relay.hold()
        watcher.during(stall_s)
        since = len(watcher.seen)
        relay.go_on()
        came = watcher.until(lambda seen: len(seen) >= 10, since)
    assert min(one.drawn_s for one in came) > held_s + stall_s / 2


def test_what_is_late_says_when_it_was_taken():
    with (
        rtsp_camera() as served,
        relay_to(served.port) as relay,
        Camera(through(relay, served), every_frame=True) as camera,
    ):
        watcher = ClockWatcher(pictures_of(camera))
        settled = len(watcher.until(lambda seen: len(seen) >= 25))
        relay.hold()
        watcher.during(2.0)
        since = len(watcher.seen)
        relay.go_on()
        watcher.until(lambda seen: len(seen) >= 30, since)
    assert max(one.age_s for one in watcher.seen[since:]) > 1.0  # they are late
    offsets = [one.captured_at_us / 1e6 - one.drawn_s for one in watcher.seen[settled:]]
    assert max(offsets) - min(offsets) < 0.5


def test_a_camera_that_was_killed_is_waited_for_and_returns_at_another_size(caplog):
    with rtsp_camera() as served, Camera(served.address) as camera:
        watcher = ClockWatcher(pictures_of(camera))
        before = watcher.until(lambda seen: len(seen) >= 5)
        served.kill()
        served.start(width=320, height=240)
        after = watcher.until(lambda seen: seen[-1].size == (320, 240), len(before))
    assert before[0].size == (640, 360)
    assert after[-1].age_s < after[-1].at_s - before[-1].at_s
    assert [one.captured_at_us for one in watcher.seen] == sorted(
        one.captured_at_us for one in watcher.seen
    )
    assert "Trying again" in caplog.text


def test_a_camera_that_is_absent_at_the_start_is_waited_for(caplog):
    with rtsp_camera(absent=True) as served, Camera(served.address) as camera:
        assert (camera.live, camera.every_frame) == (True, False)
        watcher = ClockWatcher(pictures_of(camera))
        served.start()
        assert watcher.until(lambda seen: len(seen) >= 3)
    assert (
        "the connection was refused. Is it on, and is the port right? Trying again" in caplog.text
    )


def test_a_stream_that_is_absent_at_the_start_is_waited_for(caplog):
    with rtsp_camera() as served:
        served.scene = Scene(path="/gate")
        with Camera(served.address) as camera:
            watcher = ClockWatcher(pictures_of(camera))
            served.kill()
            served.start()
            assert watcher.until(lambda seen: len(seen) >= 3)
    assert "404" in caplog.text


def test_closing_a_camera_that_is_waited_for_ends_its_frames():
    with rtsp_camera(absent=True) as served:
        camera = Camera(served.address)
        watcher = ClockWatcher(pictures_of(camera))
        camera.close()
        assert watcher.ended() is None


@pytest.mark.parametrize("who", ["", "ada:wrong@"])
def test_a_wrong_password_is_an_error_at_once_and_is_not_tried_again(who, caplog):
    with rtsp_camera(GUARDED) as served, relay_to(served.port) as relay:
        with pytest.raises(OSError, match="401") as caught:
            Camera(f"rtsp://{who}127.0.0.1:{relay.port}/door")
        assert relay.accepted_count == 1
    assert "USER:PASSWORD" in str(caught.value)
    assert "wrong" not in str(caught.value)
    assert caplog.text == ""


def test_a_password_that_was_changed_ends_the_frames_with_an_error():
    with rtsp_camera(GUARDED) as served, Camera(served.address) as camera:
        watcher = ClockWatcher(pictures_of(camera))
        watcher.until(lambda seen: len(seen) >= 3)
        served.kill()
        served.start(password="another")
        error = watcher.ended()
    assert "401" in str(error)
    assert SECRET not in str(error)


def test_a_host_that_has_no_name_yet_is_waited_for(caplog):
    with Camera("rtsp://ada:pa55@no-such-host.invalid/door") as camera:
        assert camera.live
    assert "no-such-host.invalid" in caplog.text
    assert SECRET not in caplog.text


def test_an_unknown_scheme_is_an_error_at_once():
    with pytest.raises(OSError, match="scheme"):
        Camera("rtps://127.0.0.1/door")


def watched(arguments, address):
    """`facewire watch` with a fake server's address; it prints JSON."""
    return interruptible(["watch", *arguments, "--json"], address)


def first_result(watching):
    """Waits for a recognized frame."""
    line = json.loads(watching.stdout.readline())
    assert "result" in line
    return line["result"]


def test_watch_waits_for_a_camera_that_is_absent_at_the_start_and_says_why():
    with FakeServer() as server, rtsp_camera(absent=True) as served:
        watching = watched([served.address], server.address)
        said = watching.stderr.readline()
        served.start()
        result = first_result(watching)
        _, errors = ended_by_ctrl_c(watching)
    assert "the connection was refused" in said
    assert "Trying again in" in said
    assert (result["width_px"], watching.returncode) == (640, 0)
    assert "Traceback" not in errors


def test_watch_goes_on_with_a_camera_that_returns_at_another_size():
    with FakeServer() as server, rtsp_camera() as served:
        watching = watched([served.address], server.address)
        assert first_result(watching)["width_px"] == 640
        served.kill()
        served.start(width=320, height=240)
        while first_result(watching)["width_px"] != 320:
            pass
        _, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 0
    assert "Trying again in" in errors


def test_watch_ends_at_once_on_a_wrong_password_and_says_what_to_do():
    with FakeServer() as server, rtsp_camera(GUARDED) as served:
        address = served.address.replace(SECRET, "wrong")
        watching = watched([address], server.address)
        _, errors = watching.communicate(timeout=60)
    assert watching.returncode == 2
    assert "401" in errors
    assert "USER:PASSWORD@" in errors
    assert "wrong" not in errors


def test_watch_ends_when_the_password_is_changed_and_says_who_was_seen():
    with FakeServer() as server, rtsp_camera(GUARDED) as served:
        watching = watched([served.address], server.address)
        first_result(watching)
        served.kill()
        served.start(password="another")
        printed, errors = watching.communicate(timeout=60)
    assert watching.returncode == 2
    assert "401" in errors
    assert "summary" in printed.splitlines()[-1]


@pytest.mark.parametrize("state", ["absent", "stalled", "killed"])
def test_ctrl_c_ends_watch_while_it_waits_for_a_camera(state):
    with FakeServer() as server, rtsp_camera(absent=state == "absent") as served:
        watching = watched([served.address], server.address)
        if state == "absent":
            for _ in range(2):  # the first is said while the command still opens it
                assert "Trying again" in watching.stderr.readline()
        else:
            first_result(watching)
        if state == "stalled":
            served.stall()
        if state == "killed":
            served.kill()
            assert "Trying again" in watching.stderr.readline()
        since_s = time.monotonic()
        _, errors = ended_by_ctrl_c(watching)
        lasted_s = time.monotonic() - since_s
    assert watching.returncode == 0, errors
    assert "Traceback" not in errors
    assert lasted_s < 5  # less than the timeout of a read, and of an opening
