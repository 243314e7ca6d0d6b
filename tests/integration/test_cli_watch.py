"""`facewire watch`: films to their end, cameras for as long as they run."""

import csv
import json
import re
from datetime import datetime

import cv2
import grpc
import numpy as np
import pytest

import facewire
from fakes.server import TRACKED, FakeServer, failure
from integration.command import ended_by_ctrl_c, interruptible, lines


def test_a_film_is_watched_to_its_end(run, film, people_gallery):
    result = run("watch", film, "-g", people_gallery)
    assert result.returncode == 0
    assert "Eileen Collins" in result.stdout
    assert "0:00.0–0:00.9" in result.stdout
    assert "20 frames recognized, 0 skipped" in result.stderr


@pytest.mark.parametrize("policy", ["--every-frame", "--newest"])
def test_watching_in_json_gives_every_result_and_every_visit(run, film, people_gallery, policy):
    result = run("watch", film, "-g", people_gallery, "--json", policy)
    *results, last = lines(result)
    visits = last["summary"]["visits"]
    assert visits == [each["visit"] for each in results if "visit" in each]
    assert {visit["identity_id"] for visit in visits} == {"Eileen_Collins"}
    frames = [each["result"] for each in results if "sequence" in each.get("result", ())]
    counted = sum(visit["frame_count"] for visit in visits)
    assert counted == sum(bool(frame["faces"]) for frame in frames)
    assert frames[-1]["captured_at_us"] == 1_900_000
    if policy == "--every-frame":
        assert len(frames) == 20


def test_a_film_is_annotated_frame_by_frame(run, film, people_gallery, tmp_path):
    out = tmp_path / "out.mp4"
    assert run("watch", film, "-g", people_gallery, "--annotate", out).returncode == 0
    capture = cv2.VideoCapture(str(out))
    labeled = []
    while (read := capture.read())[0]:
        green = np.all(np.abs(read[1].astype(int) - (69, 167, 40)) < 25, axis=2).sum()
        labeled.append(green > 300)
    capture.release()
    assert labeled == [True] * 10 + [False] * 10


def test_the_film_of_a_turned_camera_is_seen_and_annotated_upright(
    run, people_gallery, tmp_path, astronaut
):
    hanging, out = tmp_path / "hanging.avi", tmp_path / "out.avi"
    upright = astronaut[:256, 96:416, ::-1]
    writer = cv2.VideoWriter(str(hanging), cv2.VideoWriter.fourcc(*"MJPG"), 10, (256, 320))
    for _ in range(3):
        writer.write(np.ascontiguousarray(np.rot90(upright)))  # counterclockwise
    writer.release()
    as_it_hangs = run("watch", hanging, "-g", people_gallery)
    result = run("watch", hanging, "-g", people_gallery, "--rotation", "90", "--annotate", out)
    assert "No person was recognized" in as_it_hangs.stderr
    assert "Eileen Collins" in result.stdout
    capture = cv2.VideoCapture(str(out))
    _, painted = capture.read()
    capture.release()
    assert painted.shape == upright.shape
    assert np.abs(painted.astype(int) - upright).mean() < 20  # but for the box and its label
    assert run("watch", hanging, "--rotation", "45").returncode == 2


def test_visits_are_written_as_a_table(run, film, people_gallery, tmp_path):
    out = tmp_path / "seen.csv"
    out.write_text("an older one")
    assert run("watch", film, "-g", people_gallery, "--csv", out).returncode == 0
    with out.open(encoding="utf-8", newline="") as file:
        (seen,) = csv.DictReader(file)
    assert (seen["who"], seen["from_s"], seen["to_s"]) == ("Eileen Collins", "0.00", "0.90")
    assert seen["frame_count"] == "10"
    assert 0.426 <= float(seen["best_similarity"]) <= 1
    assert (seen["from_time"], seen["to_time"]) == ("", ""), "a film has no time of day"


def test_a_table_that_cannot_be_written_is_said_before_the_work(run, film, tmp_path):
    result = run("watch", film, "--csv", tmp_path / "nowhere" / "seen.csv")
    assert result.returncode == 2
    assert "seen.csv: No such file or directory" in result.stderr
    assert "frames recognized" not in result.stderr


def test_a_live_camera_outlives_its_server(folder, network_camera):
    with FakeServer() as server:
        server.reconnect_after = 3
        server.reconnect_after_ms = 10
        watching = interruptible(["watch", network_camera.address, "--json"], server.address)
        numbers: list[int] = []
        recognized = 0
        while recognized < 10:  # of four streams
            result = json.loads(watching.stdout.readline())["result"]
            recognized += "sequence" in result
            first = result.get("sequence", result.get("first_sequence"))
            numbers += range(first, result.get("last_sequence", first) + 1)
        out, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 0, errors
    assert "Opening a new stream" in errors
    assert "summary" in json.loads(out.splitlines()[-1])
    assert "Traceback" not in errors
    assert len(server.peers) >= 4
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_live_camera_waits_for_a_place_from_the_start(network_camera):
    full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", retry_after_s=0.01)
    with FakeServer() as server:
        server.fail_next("StreamRecognize", full, times=2)
        watching = interruptible(["watch", network_camera.address, "--json"], server.address)
        assert json.loads(watching.stdout.readline())["result"]
        _, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 0, errors
    assert errors.count("Opening a new stream") == 2


@pytest.mark.parametrize(
    "ending", ["TOO_MANY_STREAMS", "TOO_MANY_CALLS", "unanswered", "RST_STREAM"]
)
def test_a_live_camera_outlives_a_stream_that_is_refused_or_broken_off(network_camera, ending):
    with FakeServer() as server:
        if ending == "unanswered":
            server.end_after = 30
        elif ending == "RST_STREAM":  # a server that was killed behind a proxy
            broken = failure(
                grpc.StatusCode.INTERNAL, detail="Received RST_STREAM with error code 2"
            )
            server.end_after, server.end_status = 30, broken
        else:
            server.reconnect_after = 30
            server.reconnect_after_ms = 10
        watching = interruptible(["watch", network_camera.address, "--json"], server.address)
        assert json.loads(watching.stdout.readline())["result"]
        if ending.startswith("TOO_MANY"):
            full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, ending)
            attempts = 5 if ending == "TOO_MANY_CALLS" else 1  # of the client, before it gives up
            server.fail_next("StreamRecognize", full, times=attempts)
        for _ in range(40):
            assert json.loads(watching.stdout.readline())["result"]
        _, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 0, errors
    assert ("as scripted" if ending.startswith("TOO_MANY") else ending) in errors
    assert "Traceback" not in errors


@pytest.fixture
def tracking(astronaut):
    """A server that follows faces, and knows one person."""
    with FakeServer(features=TRACKED) as server:
        with facewire.Client(server.address) as client:
            portrait = facewire.Image.from_array(astronaut[:64, 96:160])
            client.enroll("eileen", portrait, display_name="Eileen Collins")
        yield server


@pytest.fixture
def coming_and_going(tmp_path, astronaut):
    """A film: she is there, is not, and is there again; ten frames each."""
    path = tmp_path / "door.avi"
    person = np.ascontiguousarray(astronaut[:64, 96:160, ::-1])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64))
    for picture in [person] * 10 + [np.full_like(person, 128)] * 10 + [person] * 10:
        writer.write(picture)
    writer.release()
    return path


def test_a_visit_is_one_line_although_she_left_for_a_moment(run, tracking, coming_and_going):
    result = run("watch", coming_and_going, server=tracking.address)
    assert result.returncode == 0, result.stderr
    (line,) = result.stdout.splitlines()
    assert line.startswith("0:00.0–0:02.9  Eileen Collins  ")
    assert "30 frames recognized, 0 skipped" in result.stderr
    in_json = lines(run("watch", coming_and_going, "--json", server=tracking.address))
    states = [each["event"]["state"] for each in in_json if "event" in each]
    assert states == ["TENTATIVE", "CONFIRMED", "ENDED"] * 2


def test_a_live_visit_has_times_of_day_and_is_ended_by_ctrl_c(
    tracking, network_camera, tmp_path, astronaut
):
    out = tmp_path / "seen.csv"
    person = np.ascontiguousarray(astronaut[:64, 96:160, ::-1])
    network_camera.jpeg = cv2.imencode(".jpg", person)[1].tobytes()
    arguments = ["watch", network_camera.address, "--camera", "door", "--csv", out]
    tracking.max_in_flight = (
        1  # a frame is sent after the command has read what the one before caused
    )
    watching = interruptible(arguments, tracking.address)
    with facewire.Client(tracking.address) as client:
        for event in client.watch_tracks(after_event=1):
            if event.name:
                network_camera.jpeg = cv2.imencode(".jpg", np.full_like(person, 128))[1].tobytes()
            if event.state is facewire.TrackState.ENDED:
                break
    printed, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 0, errors
    (line,) = printed.splitlines()
    assert re.fullmatch(r"(\d{4}-\d\d-\d\d )?[\d:]{8}–.* {2}Eileen Collins {2}\d\.\d{3}", line)
    with out.open(encoding="utf-8", newline="") as file:
        (seen,) = csv.DictReader(file)
    assert seen["who"] == "Eileen Collins"
    assert datetime.fromisoformat(seen["from_time"]) <= datetime.fromisoformat(seen["to_time"])


def test_a_server_without_tracks_is_watched_by_the_names_of_frames(
    run, tracking, coming_and_going, tmp_path
):
    tracking.features = set()
    out = tmp_path / "seen.csv"
    result = run("watch", coming_and_going, "--csv", out, server=tracking.address)
    assert result.returncode == 0, result.stderr
    (line,) = result.stdout.splitlines()
    assert line.startswith("0:00.0–0:02.9  Eileen Collins  "), "an absence of a second is joined"
    with out.open(encoding="utf-8", newline="") as file:
        (seen,) = csv.DictReader(file)
    assert (seen["who"], seen["frame_count"]) == ("Eileen Collins", "20")
