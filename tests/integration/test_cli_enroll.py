"""`facewire enroll`: everybody of a folder, as often as it is run."""

import json
import os
import shutil
import subprocess
import unicodedata

import cv2
import grpc
import numpy as np
import PIL.Image
import pillow_heif
import pytest

import facewire
from fakes.server import FakeServer, failure
from harness.films import write_film
from integration.command import command, environment, lines


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
        "gallery": gallery,
        "enrolled": 2,
        "present": 0,
        "refused": 2,
        "left": 0,
        "ignored": 1,
        "ignored_files": [str(folder / "notes.txt")],
        "people_without_picture": ["Bo"],
        "similar": 0,
        # The mean of two pictures that are almost alike resembles others hardly more than one does.
        "threshold": pytest.approx(0.426, abs=0.001),
        "threshold_source": "ERROR_RATE",
    }


def test_a_refusal_says_what_is_wrong_and_what_to_do(run, folder, astronaut, gallery):
    (folder / "Bo_01.jpg").unlink()
    two = np.hstack([astronaut[:256, 96:352], astronaut[:256, 96:352]])
    cv2.imwrite(str(folder / "Bo_02.png"), two[:, :, ::-1])
    *real, _ = lines(run("enroll", folder, "-g", gallery, "--json"))
    with FakeServer() as server:
        server.faults = ["BLURRED", "TOO_DARK"]
        table = run("enroll", folder, server=server.address)
        *poor, _ = lines(run("enroll", folder, "--json", server=server.address))
    details = {each["reason"]: each["detail"] for each in real}
    assert "Crop the picture, or choose a face with --selection." in details["SEVERAL_FACES"]
    assert "TOO_POOR: blurred, too dark" in table.stdout
    assert {"BLURRED TOO_DARK"} == {
        " ".join(each["faults"]) for each in poor if each["reason"] == "TOO_POOR"
    }


def test_one_person_under_two_names_is_a_warning_and_ambiguous_says_between_whom(
    run, tmp_path, astronaut, gallery
):
    portrait = np.ascontiguousarray(astronaut[:256, 96:352, ::-1])
    for name, picture in (("Ann", portrait), ("Anne", portrait[:, 8:])):
        (tmp_path / "people" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "people" / name / "1.png"), picture)
    enrolled = run("enroll", tmp_path / "people", "-g", gallery)
    assert enrolled.returncode == 0, "a warning is no error"
    row = next(line for line in enrolled.stdout.splitlines() if "1.png" in line)
    assert row.index("Anne ") < row.index("Ann ", row.index("Anne ") + 1)
    assert "another person matches 1 enrolled picture, too" in enrolled.stderr
    assert "Threshold of the gallery now: 0.426 (by the wanted error rate)." in enrolled.stderr

    (tmp_path / "people" / "Anna").mkdir()
    cv2.imwrite(str(tmp_path / "people" / "Anna" / "1.png"), portrait)
    first, *_, last = lines(run("enroll", tmp_path / "people", "-g", gallery, "--json"))
    assert (first["identity_id"], first["status"], first["similar_identity_id"]) == (
        "Ann", "present", ""
    )  # fmt: skip
    assert last["summary"]["similar"] == 1
    run("forget", "Anna", "-g", gallery)

    named = run("recognize", tmp_path / "people" / "Ann" / "1.png", "-g", gallery, "--json")
    (face,) = lines(named)[0]["result"]["faces"]
    assert face["decision"]["outcome"] == "AMBIGUOUS"
    shown = run("recognize", tmp_path / "people" / "Ann" / "1.png", "-g", gallery)
    assert "Ann or Anne?" in shown.stdout
    assert "threshold 0.426 (by the wanted error rate)" in shown.stdout

    # It is decided after a second: two names may still become one.
    film = write_film(tmp_path / "film.avi", [portrait] * 30)
    watched = run("watch", film, "-g", gallery)
    assert "Ann or Anne" in watched.stdout
    (*_, summary) = lines(run("watch", film, "-g", gallery, "--json"))
    count = summary["summary"]["ambiguous_count"]
    assert 10 <= count < 30
    assert f"{30 - count} faces without a name, {count} ambiguous." in watched.stderr
    ((between, counted),) = summary["summary"]["ambiguous"].items()
    assert (between, counted["face_count"]) == ("Ann or Anne", count)
    assert summary["summary"]["threshold_source"] == "ERROR_RATE"


def test_names_are_one_in_either_spelling_and_none_if_they_cannot_be_seen(
    run, tmp_path, astronaut, gallery
):
    portrait = astronaut[:256, 96:352, ::-1]
    composed, decomposed = (unicodedata.normalize(form, "José") for form in ("NFC", "NFD"))
    for name in (decomposed, "ada\u200b", " "):
        (tmp_path / "people" / name).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "people" / name / "1.png"), portrait)
    *pictures, _ = lines(run("enroll", tmp_path / "people", "-g", gallery, "--json"))
    seen = {each["identity_id"]: (each["status"], each["detail"]) for each in pictures}
    assert seen[composed] == ("enrolled", "")
    status, detail = seen["ada\u200b"]
    assert (status, "U+200B ZERO WIDTH SPACE" in detail) == ("refused", True)
    status, detail = seen[" "]
    assert (status, "begins with U+0020 SPACE" in detail) == ("refused", True)
    forgotten = run("forget", decomposed, "-g", gallery)
    assert forgotten.returncode == 0
    assert lines(run("identities", "-g", gallery, "--json")) == []


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


@pytest.fixture
def phone_folder(tmp_path, astronaut):
    """Eileen has a HEIC picture and nothing else; Ben has files that are no pictures; Cy has none at all."""
    root = tmp_path / "phone"
    for name in ("eileen", "ben", "cy"):
        (root / name).mkdir(parents=True)
    portrait = PIL.Image.fromarray(astronaut[:256, 96:352])
    pillow_heif.from_pillow(portrait).save(root / "eileen" / "IMG_0001.HEIC", quality=90)
    (root / "ben" / "scan.tif").write_bytes(b"II*")
    return root


def run_without_the_extra(tmp_path, *arguments, server):
    """Runs the command as if pillow-heif was not installed."""
    (tmp_path / "pillow_heif.py").write_text("raise ModuleNotFoundError(name='pillow_heif')")
    own = environment(server)
    own["PYTHONPATH"] = os.pathsep.join([str(tmp_path), own["PYTHONPATH"]])
    return subprocess.run(command(arguments), env=own, capture_output=True, text=True, timeout=60)


def test_heic_pictures_are_enrolled_and_who_has_no_picture_is_named(
    run, phone_folder, gallery, server_address
):
    result = run("enroll", phone_folder, "-g", gallery)
    assert "1 enrolled, 0 there already, 0 refused: 1 person, gallery" in result.stderr
    assert "scan.tif" in result.stderr
    assert "People without a usable picture: ben, cy." in result.stderr
    assert result.returncode == 1
    picture = phone_folder / "eileen" / "IMG_0001.HEIC"
    (recognized,) = lines(run("recognize", picture, "-g", gallery, "--json"))
    assert recognized["result"]["faces"][0]["decision"]["identity_id"] == "eileen"
    assert run("compare", picture, picture).returncode == 0
    again = run("enroll", phone_folder, "-g", gallery)
    assert "0 enrolled, 1 there already" in again.stderr


def test_without_the_extra_a_heic_picture_is_refused_with_what_to_install(phone_folder, tmp_path):
    picture = phone_folder / "eileen" / "IMG_0001.HEIC"
    with FakeServer() as server:

        def run(*arguments):
            return run_without_the_extra(tmp_path, *arguments, server=server.address)

        enrolled = run("enroll", phone_folder)
        *pictures, last = lines(run("enroll", phone_folder, "--json"))
        recognized, compared = run("recognize", picture), run("compare", picture, picture)
    for result, code in ((enrolled, 1), (recognized, 1), (compared, 2)):
        assert "IMG_0001.HEIC" in result.stdout + result.stderr
        assert "WHEEL[heic]" in result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        assert result.returncode == code
    assert [each["status"] for each in pictures] == ["refused"]
    assert last["summary"]["people_without_picture"] == ["ben", "cy", "eileen"]
    assert last["summary"]["ignored_files"] == [str(phone_folder / "ben" / "scan.tif")]


def test_who_has_only_heic_pictures_that_are_damaged_is_named(run, phone_folder):
    for number in (1, 2):
        (phone_folder / "ben" / f"IMG_000{number}.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    with FakeServer() as server:
        result = run("enroll", phone_folder, server=server.address)
        *pictures, last = lines(run("enroll", phone_folder, "--json", server=server.address))
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert "1 enrolled, 0 there already, 2 refused: 2 people" in result.stderr
    refused = [each for each in pictures if each["status"] == "refused"]
    assert [each["identity_id"] for each in refused] == ["ben", "ben"]
    assert all("the HEIC file is cut short or damaged" in each["detail"] for each in refused)
    assert last["summary"]["people_without_picture"] == ["ben", "cy"]


def test_a_folder_without_any_picture_is_an_error_that_names_what_is_there(run, tmp_path):
    (tmp_path / "ben").mkdir()
    (tmp_path / "ben" / "scan.tif").touch()
    with FakeServer() as server:
        result = run("enroll", tmp_path, server=server.address)
    assert result.returncode == 2
    assert "scan.tif" in result.stderr
    assert "People without a usable picture: ben." in result.stderr
    assert "there is no picture in" in result.stderr


def test_a_gallery_of_another_model_is_refused_also_where_all_are_enrolled(run, folder):
    older = failure(grpc.StatusCode.UNIMPLEMENTED)
    with FakeServer() as server:
        run("enroll", folder, server=server.address)
        server.fail_next("GetServerInfo", older)
        unknown = run("enroll", folder, server=server.address)
        server.galleries.get("default").info.model_contract_id = "e" * 64
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
