"""`facewire enroll`: everybody of a folder, as often as it is run."""

import json
import os
import shutil
import subprocess

import grpc

import facewire
from fakes.server import FakeServer, failure
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
