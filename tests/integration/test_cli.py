"""The command line against the real server, run as its users run it: as a process."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

import cv2
import grpc
import numpy as np
import pytest

import facewire
from fakes.network_camera import network_camera_on
from fakes.python import PATHS
from fakes.server import FakeServer, failure


@pytest.fixture
def server_address(server):
    return server.address


@pytest.fixture
def run(server_address):
    def run(*arguments, server=server_address):
        return subprocess.run(
            command(arguments), env=environment(server), capture_output=True, text=True, timeout=60
        )

    return run


def command(arguments):
    return [sys.executable, "-W", "error", "-m", "facewire", *map(str, arguments)]


def environment(server):
    return os.environ | {"PYTHONPATH": PATHS, "FACEWIRE_SERVER": server, "COLUMNS": "200"}


@pytest.fixture
def folder(tmp_path, astronaut):
    """Two people: Eileen_Collins with a picture, another and a bad one; Bo without a face."""
    root = tmp_path / "people"
    (root / "Eileen_Collins" / "deeper").mkdir(parents=True)
    (root / ".hidden").mkdir()
    portrait = astronaut[:256, 96:352, ::-1]
    cv2.imwrite(str(root / "Eileen_Collins" / "a.jpg"), portrait)
    cv2.imwrite(str(root / "Eileen_Collins" / "deeper" / "b.PNG"), portrait[:, 8:])
    cv2.imwrite(str(root / ".hidden" / "c.jpg"), portrait)
    (root / "Eileen_Collins" / "bad.jpg").write_text("this is text")
    cv2.imwrite(str(root / "Bo_01.jpg"), np.full((240, 320, 3), 128, np.uint8))
    (root / "notes.txt").write_text("not a picture")
    return root


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_folder_is_enrolled_with_a_table_of_what_was_refused(run, folder, gallery):
    result = run("enroll", folder, "--gallery", gallery)
    assert result.returncode == 1
    assert "IMAGE_UNDECODABLE" in result.stdout
    assert "NO_FACE" in result.stdout
    assert "2 enrolled, 0 there already, 2 refused" in result.stderr


def test_enrolling_says_in_json_what_became_of_each_picture(run, folder, gallery):
    *pictures, last = lines(run("enroll", folder, "-g", gallery, "--json"))
    assert {(each["identity_id"], each["status"], each["reason"]) for each in pictures} == {
        ("Bo", "refused", "NO_FACE"),
        ("Eileen_Collins", "enrolled", ""),
        ("Eileen_Collins", "refused", "IMAGE_UNDECODABLE"),
    }
    assert last["summary"] == {
        "gallery": gallery, "enrolled": 2, "present": 0, "refused": 2, "left": 0, "ignored": 1
    }  # fmt: skip


def test_run_again_it_enrolls_only_what_is_new(run, folder, gallery, server_address):
    run("enroll", folder, "-g", gallery)
    shutil.copy(folder / "Eileen_Collins" / "a.jpg", folder / "Eileen_Collins" / "copy.jpg")
    (*_, last) = lines(run("enroll", folder, "-g", gallery, "--json"))
    assert (last["summary"]["enrolled"], last["summary"]["present"]) == (0, 3)
    with facewire.Client(server_address) as client:
        person = client.identity("Eileen_Collins", gallery=gallery)
    assert (person.display_name, person.template_count) == ("Eileen Collins", 2)


def test_names_that_are_no_text_are_enrolled_or_refused(folder):
    os.rename(folder / "Bo_01.jpg", os.fsencode(folder) + b"/Ren\xe9.jpg")
    os.rename(
        folder / "Eileen_Collins" / "a.jpg",
        os.fsencode(folder / "Eileen_Collins" / "caf") + b"\xe9.jpg",
    )
    with FakeServer() as server, facewire.Client(server.address) as client:
        arguments = command(["enroll", folder])
        process = {"env": environment(server.address), "capture_output": True, "timeout": 60}
        table = subprocess.run(arguments, **process)
        as_json = subprocess.run([*arguments, "--json"], **process)
        sources = sorted(
            each.source.split(" ", 1)[1] for each in client.templates("Eileen_Collins")
        )
    assert (table.returncode, as_json.returncode) == (1, 1)
    assert b"rename it" in table.stdout
    assert sources == ["b.PNG", "caf?.jpg"]
    *pictures, _ = map(json.loads, as_json.stdout.splitlines())
    assert os.fsencode(folder) + b"/Ren\xe9.jpg" in [
        os.fsencode(each["picture"]) for each in pictures if each["status"] == "refused"
    ]


def test_a_picture_whose_name_is_no_text_is_recognised_and_drawn(run, folder):
    name = folder / os.fsdecode(b"caf\xe9.jpg")
    (folder / "Bo_01.jpg").rename(name)
    drawn = folder / os.fsdecode(b"drawn\xe9.png")
    with FakeServer() as server:
        done = run("recognize", name, "--annotate", drawn, server=server.address)
        refused = run("identities", "-g", os.fsdecode(b"\xe9"), server=server.address)
    assert (done.returncode, done.stderr) == (0, "")
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert (refused.returncode, refused.stderr) == (2, "facewire: '\\udce9' is not UTF-8\n")


def test_a_gallery_of_another_model_is_refused_also_where_all_are_enrolled(run, folder):
    full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
    with FakeServer() as server:
        run("enroll", folder, server=server.address)
        server.fail_next("StreamRecognize", full)
        unknown = run("enroll", folder, server=server.address)
        server.galleries.get("default").contract_id = "e" * 64
        refused = run("enroll", folder, server=server.address)
    assert "2 there already" in unknown.stderr
    assert refused.returncode == 4
    assert "made with another model" in refused.stderr


def test_somebody_who_was_deleted_is_enrolled_again(run, folder, gallery, server_address):
    run("enroll", folder, "-g", gallery)
    with facewire.Client(server_address) as client:
        client.delete_identity("Eileen_Collins", gallery=gallery)
    (*_, last) = lines(run("enroll", folder, "-g", gallery, "--json"))
    assert last["summary"]["enrolled"] == 2


def test_a_server_lost_on_the_way_leaves_a_run_that_goes_on(run, folder):
    away = failure(grpc.StatusCode.UNAVAILABLE, "MODEL_UNAVAILABLE")
    with FakeServer() as server:
        server.fail_next("EnrollTemplates", away, times=5)
        first = run("enroll", folder, server=server.address)
        again = run("enroll", folder, server=server.address)
    assert first.returncode == 3
    assert "Run the command again to go on" in first.stderr
    assert again.returncode == 1
    assert "2 enrolled" in again.stderr


def test_pictures_are_recognised_in_a_table(run, folder, gallery):
    run("enroll", folder, "-g", gallery)
    known = folder / "Eileen_Collins" / "a.jpg"
    result = run("recognize", known, folder / "Bo_01.jpg", "-g", gallery)
    assert result.returncode == 0
    assert "Eileen Collins" in result.stdout
    assert "no face" in result.stdout


def test_pictures_are_recognised_in_json_and_a_bad_one_does_not_stop_the_rest(run, folder, gallery):
    run("enroll", folder, "-g", gallery)
    known, bad = folder / "Eileen_Collins" / "a.jpg", folder / "Eileen_Collins" / "bad.jpg"
    result = run("recognize", bad, folder / "none.jpg", known, "-g", gallery, "--json")
    assert result.returncode == 1
    first, second, third = lines(result)
    assert first["error"]["reason"] == "IMAGE_UNDECODABLE"
    assert "No such file" in second["error"]["detail"]
    assert third["result"]["faces"][0]["decision"]["outcome"] == "KNOWN"


@pytest.fixture
def film(tmp_path, astronaut):
    """Two seconds: one with the portrait, one of even grey."""
    path = tmp_path / "film.avi"
    portrait = np.ascontiguousarray(astronaut[:256, 96:352, ::-1])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (256, 256))
    for picture in [portrait] * 10 + [np.full_like(portrait, 128)] * 10:
        writer.write(picture)
    writer.release()
    return path


def test_a_film_is_watched_to_its_end(run, folder, film, gallery):
    run("enroll", folder, "-g", gallery)
    result = run("watch", film, "-g", gallery)
    assert result.returncode == 0
    assert "Eileen Collins" in result.stdout
    assert "0:00.0–0:00.9" in result.stdout
    assert "20 frames looked at, 0 passed over" in result.stderr


@pytest.mark.parametrize("policy", ["--every-frame", "--newest"])
def test_watching_in_json_gives_every_result_and_who_was_seen(run, folder, film, gallery, policy):
    run("enroll", folder, "-g", gallery)
    result = run("watch", film, "-g", gallery, "--json", policy)
    *results, last = lines(result)
    seen = last["summary"]["people"]["Eileen_Collins"]
    frames = [each["result"] for each in results if "sequence" in each["result"]]
    assert seen["frame_count"] == sum(bool(frame["faces"]) for frame in frames)
    assert frames[-1]["captured_at_us"] == 1_900_000
    if policy == "--every-frame":
        assert len(frames) == 20


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
    shown = b""
    with contextlib.suppress(OSError):  # how Linux tells the end of a terminal
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
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
    shown = b""
    with contextlib.suppress(OSError):  # how Linux tells the end of a terminal
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    assert running.wait(timeout=30) == 1
    assert len([json.loads(line) for line in shown.splitlines()]) == 5


def test_a_reader_that_goes_away_ends_the_command_quietly(long_film):
    with FakeServer() as server:
        watching = interruptible(["watch", long_film, "--json"], server.address)
        assert json.loads(watching.stdout.readline())["result"]
        watching.stdout.close()
        errors = watching.stderr.read()
        watching.stderr.close()
    assert (watching.wait(timeout=30), errors.strip()) == (1, "")


def interruptible(arguments, address):
    """Starts the command with Ctrl-C turned on; tests that run in the background have it off."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(
            command(arguments),
            env=environment(address),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)


def ended_by_ctrl_c(process):
    """Presses Ctrl-C, once, and waits for the end; what was printed."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=30)


def test_ctrl_c_ends_watching_with_who_was_seen_so_far(folder, film):
    with FakeServer() as server:
        server.max_in_flight = 2
        server.hold.clear()
        watching = interruptible(["watch", film], server.address)
        with server.held_changed:
            assert server.held_changed.wait_for(lambda: server.held > 0, timeout=30)
        _, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 130
    assert "frames looked at" in errors
    assert "Traceback" not in errors


@pytest.fixture
def long_film(tmp_path, astronaut):
    path = tmp_path / "long.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 64))
    for _ in range(2000):
        writer.write(np.ascontiguousarray(astronaut[:64, :64, ::-1]))
    writer.release()
    return path


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


def test_ctrl_c_ends_a_live_camera_while_its_server_is_away(network_camera):
    with FakeServer() as server:
        server.reconnect_after = 1
        server.reconnect_after_ms = 60_000
        watching = interruptible(["watch", network_camera.address], server.address)
        while "Opening a new stream" not in watching.stderr.readline():
            pass
        _, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 0
    assert "1 frames looked at" in errors


@pytest.mark.parametrize("ending", ["TOO_MANY_STREAMS", "unanswered"])
def test_a_live_camera_outlives_a_stream_that_is_refused_or_broken_off(network_camera, ending):
    with FakeServer() as server:
        if ending == "unanswered":
            server.end_after = 30
        else:
            server.reconnect_after = 30
            server.reconnect_after_ms = 10
        watching = interruptible(["watch", network_camera.address, "--json"], server.address)
        assert json.loads(watching.stdout.readline())["result"]
        if ending == "TOO_MANY_STREAMS":
            full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
            server.fail_next("StreamRecognize", full)
        for _ in range(40):
            assert json.loads(watching.stdout.readline())["result"]
        _, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 0, errors
    assert ("as scripted" if ending == "TOO_MANY_STREAMS" else ending) in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["watch", "no-such-film.mp4"], 2, "cannot open"),
        (["enroll", "no-such-folder"], 2, "does not exist"),
        (["recognize"], 2, "Missing argument"),
        (["recognize", "PICTURE", "--gallery", "none"], 4, "no such gallery"),
        (["enroll", "EMPTY"], 2, "no picture"),
    ],
)
def test_an_error_has_its_exit_code_and_says_what_is_wrong(
    run, folder, tmp_path, arguments, code, text
):
    (tmp_path / "empty").mkdir()
    places = {"PICTURE": folder / "Eileen_Collins" / "a.jpg", "EMPTY": tmp_path / "empty"}
    result = run(*(places.get(argument, argument) for argument in arguments))
    assert result.returncode == code
    assert text in result.stderr
    assert "Traceback" not in result.stderr


def test_no_server_is_exit_code_3(run, folder):
    result = run("recognize", folder / "Bo_01.jpg", server="127.0.0.1:1")
    assert result.returncode == 3
    assert "Is a facewire server running there" in result.stderr


def test_a_server_that_does_not_answer_is_given_up_in_the_time_allowed(run):
    with FakeServer() as server:
        server.silent = {"ListIdentities", "StreamRecognize"}
        late = run("--timeout", "0.3", "identities", server=server.address)
        stream = run("--timeout", "0.3", "status", server=server.address)
    assert (late.returncode, stream.returncode) == (3, 3)
    assert "Allow more with --timeout." in late.stderr
    assert "Allow more with --timeout." in stream.stderr


def test_a_token_that_no_header_may_hold_is_refused_without_being_shown(folder):
    given = environment("127.0.0.1:1") | {"FACEWIRE_TOKEN": "s3cr\u00e9t"}
    refused = subprocess.run(command(["status"]), env=given, capture_output=True, text=True)
    assert refused.returncode == 2
    assert "FACEWIRE_TOKEN" in refused.stderr
    assert "s3cr" not in refused.stderr


def test_a_token_comes_from_the_environment(folder):
    with FakeServer(token="secret") as server:
        arguments = command(["recognize", folder / "Bo_01.jpg"])
        without = environment(server.address)
        refused = subprocess.run(arguments, env=without, capture_output=True, text=True)
        given = without | {"FACEWIRE_TOKEN": "secret"}
        done = subprocess.run(arguments, env=given, capture_output=True, text=True)
    assert (refused.returncode, done.returncode) == (4, 0)
    assert "secret" not in refused.stderr
    assert "FACEWIRE_TOKEN" in refused.stderr


def test_people_are_listed_and_forgotten(run, folder, gallery):
    run("enroll", folder, "-g", gallery)
    listed = run("identities", "-g", gallery)
    assert listed.returncode == 0
    assert "Eileen Collins" in listed.stdout
    (person,) = lines(run("identities", "-g", gallery, "--json"))
    assert person["identity"]["template_count"] == 2
    forgotten = run("forget", "Eileen_Collins", "Nobody", "-g", gallery)
    assert forgotten.returncode == 1
    assert "Eileen_Collins: forgotten" in forgotten.stderr
    assert "Nobody: unknown" in forgotten.stderr
    assert lines(run("identities", "-g", gallery, "--json")) == []


def test_two_pictures_are_compared(run, folder):
    portrait = folder / "Eileen_Collins" / "a.jpg"
    other = folder / "Eileen_Collins" / "deeper" / "b.PNG"
    done = run("compare", portrait, other)
    assert done.returncode == 0
    assert "the same person" in done.stdout
    (answer,) = lines(run("compare", portrait, other, "--json"))
    assert answer["result"]["outcome"] == "SAME"
    nobody = run("compare", portrait, folder / "Bo_01.jpg")
    assert nobody.returncode == 1
    assert "--min-face-px" in nobody.stderr


def test_the_faces_of_a_picture_are_drawn(run, folder, gallery, tmp_path):
    run("enroll", folder, "-g", gallery)
    picture = folder / "Eileen_Collins" / "a.jpg"
    out = tmp_path / "out.png"
    assert run("recognize", picture, "-g", gallery, "--annotate", out).returncode == 0
    green = np.all(np.abs(cv2.imread(str(out)).astype(int) - (69, 167, 40)) < 3, axis=2).sum()
    assert green > 500
    several = [picture, folder / "Bo_01.jpg"]
    assert run("recognize", *several, "-g", gallery, "--annotate", tmp_path / "all").returncode == 0
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["Bo_01.jpg", "a.jpg"]
    bad = run("recognize", picture, "-g", gallery, "--annotate", tmp_path / "out.txt")
    assert bad.returncode == 2
    assert "Use .jpg or .png" in bad.stderr


def test_several_pictures_are_not_drawn_into_a_file(run, folder):
    picture = folder / "Eileen_Collins" / "a.jpg"
    bad = run("recognize", picture, folder / "Bo_01.jpg", "--annotate", folder / "notes.txt")
    assert bad.returncode == 2
    assert "notes.txt is a file; several pictures are drawn into a folder" in bad.stderr


def test_a_film_is_annotated_frame_by_frame(run, folder, film, gallery, tmp_path):
    run("enroll", folder, "-g", gallery)
    out = tmp_path / "out.mp4"
    assert run("watch", film, "-g", gallery, "--annotate", out).returncode == 0
    capture = cv2.VideoCapture(str(out))
    labelled = []
    while (read := capture.read())[0]:
        green = np.all(np.abs(read[1].astype(int) - (69, 167, 40)) < 25, axis=2).sum()
        labelled.append(green > 300)
    capture.release()
    assert labelled == [True] * 10 + [False] * 10


@pytest.fixture
def network_camera():
    with network_camera_on(frames_a_connection=10**9) as server:
        yield server


def test_a_live_camera_outlives_its_server(folder, network_camera):
    with FakeServer() as server:
        server.reconnect_after = 3
        server.reconnect_after_ms = 10
        watching = interruptible(["watch", network_camera.address, "--json"], server.address)
        for _ in range(10):  # of four streams
            assert json.loads(watching.stdout.readline())["result"]
        out, errors = ended_by_ctrl_c(watching)
    assert watching.returncode == 0, errors
    assert "Opening a new stream" in errors
    assert "summary" in json.loads(out.splitlines()[-1])
    assert "Traceback" not in errors
    assert len(server.peers) >= 4


def test_a_gallery_goes_to_a_file_and_back(run, folder, gallery, tmp_path):
    run("enroll", folder, "-g", gallery)
    file = tmp_path / "people.facewire"
    out = run("gallery", "export", file, "-g", gallery)
    assert out.returncode == 0
    assert "1 people with 2 templates" in out.stderr
    again = run("gallery", "export", file, "-g", gallery)
    assert again.returncode == 2
    assert "--force" in again.stderr
    copy = f"{gallery[:40]}-copy"
    assert run("gallery", "import", file, "-g", copy).returncode == 4
    (first,) = lines(run("gallery", "import", file, "-g", copy, "--create", "--json"))
    assert first["result"]["templates_added"] == 2
    (second,) = lines(run("gallery", "import", file, "-g", copy, "--create", "--json"))
    assert second["result"]["templates_skipped"] == 2
    known = folder / "Eileen_Collins" / "a.jpg"
    (answer,) = lines(run("recognize", known, "-g", copy, "--json"))
    assert answer["result"]["faces"][0]["decision"]["outcome"] == "KNOWN"
    file.write_bytes(file.read_bytes()[:-40])
    cut = run("gallery", "import", file, "-g", copy)
    assert (cut.returncode, "cut off" in cut.stderr) == (2, True)


def test_galleries_are_made_listed_and_deleted_only_when_that_is_meant(run, gallery):
    name = f"{gallery[:40]}-new"
    assert run("gallery", "create", name, "--name", "The cellar").returncode == 0
    assert run("gallery", "create", name).returncode == 4
    assert "The cellar" in run("gallery", "list").stdout
    unsure = run("gallery", "delete", name)
    assert (unsure.returncode, "--yes" in unsure.stderr) == (2, True)
    assert run("gallery", "delete", name, "--yes").returncode == 0
    assert name not in {
        each["gallery"]["gallery_id"] for each in lines(run("gallery", "list", "--json"))
    }


def test_status_tells_what_is_ready_and_what_is_there(run, gallery):
    result = run("status")
    assert result.returncode == 0
    assert "NOT READY" not in result.stdout
    assert gallery in result.stdout
    health, limits, *galleries = lines(run("status", "--json"))
    assert health["health"] == {"server": True, "recognition": True, "galleries": True}
    assert {each["gallery"]["model_contract_id"] for each in galleries} == {
        limits["limits"]["model_contract_id"]
    }


def test_status_of_a_server_whose_models_are_away_is_exit_code_3(run):
    with FakeServer() as server:
        server.not_serving = {"facewire.v1.RecognitionService"}
        result = run("status", server=server.address)
    assert result.returncode == 3
    assert "recognition  NOT READY" in result.stdout
    assert "default" in result.stdout


@pytest.mark.parametrize("reason", ["TOO_MANY_STREAMS", "CONTRACT_MISMATCH"])
def test_status_goes_on_where_it_gets_no_stream(run, reason):
    with FakeServer() as server:
        for _ in range(2):
            refusal = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, reason)
            server.fail_next("StreamRecognize", refusal)
        result = run("status", server=server.address)
        _, limits, gallery = lines(run("status", "--json", server=server.address))
    assert result.returncode == 0
    assert "not told: as scripted" in result.stdout
    assert "default" in result.stdout
    assert (limits["limits"], limits["error"]["reason"]) == (None, reason)
    assert gallery["gallery"]["gallery_id"] == "default"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_the_commands(shell):
    result = subprocess.run(
        [sys.executable, "-m", "facewire"], capture_output=True, text=True,
        env=environment("") | {
            "_FACEWIRE_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_ARGS": "facewire rec",
            "COMP_WORDS": "facewire rec", "COMP_CWORD": "1",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        },
    )  # fmt: skip
    assert "recognize" in result.stdout


def test_every_command_that_answers_can_answer_in_json():
    from facewire.cli._app import app

    groups = [app, *(group.typer_instance for group in app.registered_groups)]
    commands = [each.callback for group in groups for each in group.registered_commands]
    assert len(commands) == 12
    for each in commands:
        assert "as_json" in each.__annotations__
