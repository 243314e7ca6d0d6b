"""The command line with people around it: Ctrl-C, terminals, readers that go away."""

import contextlib
import json
import os
import subprocess

import cv2
import numpy as np
import pytest

import facewire
from fakes.server import FakeServer
from integration.command import command, ended_by_ctrl_c, environment, interruptible


@pytest.fixture
def long_film(tmp_path, astronaut):
    path = tmp_path / "long.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64))
    for _ in range(2000):
        writer.write(np.ascontiguousarray(astronaut[:64, :64, ::-1]))
    writer.release()
    return path


def test_ctrl_c_ends_watching_with_who_was_seen_so_far(folder, film):
    with FakeServer() as server:
        server.max_in_flight = 2
        server.hold.clear()
        watching = interruptible(["watch", film], server.address)
        with server.held_changed:
            assert server.held_changed.wait_for(lambda: server.held > 0, timeout=30)
        _, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 130
    assert "frames recognized" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("frames_before", range(1, 160, 20))
def test_ctrl_c_ends_watching_at_full_speed_with_a_whole_film(long_film, tmp_path, frames_before):
    out = tmp_path / "out.avi"
    with FakeServer() as server:
        watching = interruptible(["watch", long_film, "--annotate", out, "--json"], server.address)
        for _ in range(frames_before):
            assert json.loads(watching.stdout.readline())["result"]
        printed, errors = ended_by_ctrl_c(watching)
    assert (watching.returncode, errors.strip()) == (130, "")
    summary = json.loads(printed.splitlines()[-1])["summary"]
    capture = cv2.VideoCapture(str(out))
    frame_count = 0
    while capture.read()[0]:
        frame_count += 1
    capture.release()
    assert frames_before <= frame_count == summary["frame_count"] < 2000


def test_ctrl_c_ends_a_live_camera_while_its_server_is_away(network_camera):
    with FakeServer() as server:
        server.reconnect_after = 1
        server.reconnect_after_ms = 60_000
        watching = interruptible(["watch", network_camera.address], server.address)
        assert any("Opening a new stream" in line for line in watching.stderr)
        _, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 0
    assert "1 frame recognized" in errors


def test_ctrl_c_ends_enrolling_and_a_second_run_goes_on(run, folder):
    with FakeServer() as server, facewire.Client(server.address) as client:
        server.silent = {"EnrollTemplates"}
        enrolling = interruptible(["enroll", folder], server.address)
        assert server.asked.wait(30)
        _, errors = ended_by_ctrl_c(enrolling)
        server.silent.clear()
        server.opening.set()
        again = run("enroll", folder, server=server.address)
        person = client.identity("Eileen_Collins")
    assert enrolling.returncode == 130
    assert "Left: 4. Run the command again to go on." in errors
    assert "Traceback" not in errors
    assert "2 enrolled" in again.stderr
    assert person.template_count == 2


def test_ctrl_c_leaves_no_half_export_and_a_second_run_is_whole(run, folder, tmp_path):
    place = tmp_path / "exports"
    place.mkdir()
    with FakeServer() as server:
        run("enroll", folder, server=server.address)
        server.silent = {"ExportGallery"}
        exporting = interruptible(["gallery", "export", place / "all"], server.address)
        assert server.asked.wait(30)
        _, errors = ended_by_ctrl_c(exporting)
        assert (exporting.returncode, list(place.iterdir())) == (130, [])
        assert "Traceback" not in errors
        server.silent.clear()
        server.opening.set()
        assert run("gallery", "export", place / "all", server=server.address).returncode == 0
        server.silent = {"ImportGallery"}
        server.asked.clear()
        server.opening.clear()
        importing = interruptible(
            ["gallery", "import", place / "all", "-g", "copy", "--create"], server.address
        )
        assert server.asked.wait(30)
        _, errors = ended_by_ctrl_c(importing)
        assert (importing.returncode, errors.strip()) == (130, "facewire: interrupted")
        server.silent.clear()
        server.opening.set()
        again = run("gallery", "import", place / "all", "-g", "copy", server=server.address)
    assert "2 templates added" in again.stderr


def test_a_reader_that_goes_away_ends_the_command_quietly(long_film):
    with FakeServer() as server:
        watching = interruptible(["watch", long_film, "--json"], server.address)
        assert json.loads(watching.stdout.readline())["result"]
        watching.stdout.close()
        errors = watching.stderr.read()
        watching.stderr.close()
    assert (watching.wait(timeout=30), errors.strip()) == (1, "")


def all_shown(terminal):
    """What a terminal shows until nobody writes to it any more; closes it."""
    shown = b""
    with contextlib.suppress(OSError):  # how Linux tells the end of a terminal
        while part := os.read(terminal, 65536):
            shown += part
    os.close(terminal)
    return shown


@pytest.mark.parametrize("arguments", [["enroll", "FOLDER"], ["watch", "FILM"]])
def test_on_a_terminal_the_progress_is_shown(folder, film, arguments, server_address, gallery):
    places = {"FOLDER": folder, "FILM": film}
    arguments = [places.get(argument, argument) for argument in arguments]
    ours, theirs = os.openpty()
    running = subprocess.Popen(
        command([*arguments, "-g", gallery]),
        env=environment(server_address) | {"TERM": "xterm"}, stdout=subprocess.DEVNULL,
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = all_shown(ours)
    assert running.wait(timeout=30) in (0, 1)
    assert b"ETA" in shown
    assert b"Traceback" not in shown


def test_on_one_terminal_json_and_progress_do_not_mix(folder, server_address, gallery):
    ours, theirs = os.openpty()
    running = subprocess.Popen(
        command(["enroll", folder, "-g", gallery, "--json"]),
        env=environment(server_address) | {"TERM": "xterm"}, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = all_shown(ours)
    assert running.wait(timeout=30) == 1
    assert len([json.loads(line) for line in shown.splitlines()]) == 5
