"""The command line against the real server: pictures, people, galleries, status, errors."""

import hashlib
import os
import shutil
import subprocess
import sys

import cv2
import grpc
import numpy as np
import pytest

from facewire._wire import gallery_file
from fakes.server import FakeServer, failure
from integration.command import command, environment, lines


@pytest.mark.parametrize(
    ("command", "extra"), [("enroll", "heic"), ("mqtt", "mqtt"), ("frigate", "mqtt")]
)
def test_the_help_names_the_extra(run, command, extra):
    """What stands in square brackets is markup to the help's printer, and vanishes."""
    assert f"extra `{extra}`" in " ".join(run(command, "--help").stdout.split())


def test_a_picture_whose_name_is_no_text_is_recognized_and_drawn(run, folder):
    name = folder / os.fsdecode(b"caf\xe9.jpg")
    (folder / "Bo_01.jpg").rename(name)
    drawn = folder / os.fsdecode(b"drawn\xe9.png")
    with FakeServer() as server:
        done = run("recognize", name, "--annotate", drawn, server=server.address)
        refused = run("identities", "-g", os.fsdecode(b"\xe9"), server=server.address)
    assert (done.returncode, done.stderr) == (0, "")
    assert drawn.read_bytes().startswith(b"\x89PNG")
    assert (refused.returncode, refused.stderr) == (2, "facewire: '\\udce9' is not UTF-8\n")


def test_pictures_are_recognized_in_a_table(run, folder, people_gallery):
    known = folder / "Eileen_Collins" / "a.jpg"
    result = run("recognize", known, folder / "Bo_01.jpg", "-g", people_gallery)
    assert result.returncode == 0
    assert "Eileen Collins" in result.stdout
    assert "no face" in result.stdout


def test_a_picture_that_is_searched_more_coarsely_than_asked_is_noted(run, folder):
    thin = folder / "thin.png"
    cv2.imwrite(str(thin), np.full((8, 60_000, 3), 90, np.uint8))
    coarse = run("recognize", thin, folder / "Bo_01.jpg", "--min-face-px", "8")
    assert coarse.returncode == 0
    (note,) = coarse.stderr.splitlines()
    assert note.startswith(f"facewire: {thin}: searched for faces of ")
    assert "not of 8" in note


def test_pictures_are_recognized_in_json_and_a_bad_one_does_not_stop_the_rest(
    run, folder, people_gallery
):
    known, bad = folder / "Eileen_Collins" / "a.jpg", folder / "Eileen_Collins" / "bad.jpg"
    result = run("recognize", bad, folder / "none.jpg", known, "-g", people_gallery, "--json")
    assert result.returncode == 1
    first, second, third = lines(result)
    assert first["error"]["reason"] == "IMAGE_UNDECODABLE"
    assert "No such file" in second["error"]["detail"]
    assert third["result"]["faces"][0]["decision"]["outcome"] == "KNOWN"


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["watch", "no-such-film.mp4"], 2, "no-such-film.mp4: No such file"),
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
    assert "the connection is refused" in result.stderr
    assert "FACEWIRE_SERVER" in result.stderr


def test_no_room_is_exit_code_3(run):
    full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
    with FakeServer() as server:
        server.fail_next("ListIdentities", full, times=5)
        result = run("identities", server=server.address)
    assert result.returncode == 3
    assert "Try again when fewer calls are in progress." in result.stderr


def test_a_server_that_does_not_answer_is_given_up_in_the_time_allowed(run):
    with FakeServer() as server:
        server.silent = {"ListIdentities", "GetServerInfo"}
        late = run("--timeout", "0.3", "identities", server=server.address)
        status = run("--timeout", "0.3", "status", server=server.address)
    assert (late.returncode, status.returncode) == (3, 3)
    assert "Allow more with --timeout." in late.stderr
    assert "Allow more with --timeout." in status.stderr


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
    assert "Eileen_Collins: deleted" in forgotten.stderr
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
    assert answer["result"]["threshold_source"] == "ERROR_RATE"
    assert answer["result"]["threshold_false_match_rate"] == pytest.approx(1e-4)
    assert 0 < answer["result"]["false_match_rate"] < answer["result"]["false_match_rate_bound"]
    nobody = run("compare", portrait, folder / "Bo_01.jpg")
    assert nobody.returncode == 1
    assert "--min-face-px" in nobody.stderr


def test_two_pictures_are_compared_at_the_error_rate_or_threshold_of_the_request(run, folder):
    pair = folder / "Eileen_Collins" / "a.jpg", folder / "Eileen_Collins" / "deeper" / "b.PNG"
    usual, rarer, exact = (
        run("compare", *pair, *options).stdout
        for options in ([], ["--max-fmr", "0.00001"], ["--threshold", "0.3"])
    )
    assert "for the server's error rate (max_fmr) of 0.01%: 1 comparison of two different" in usual
    assert "threshold 0.426, chosen by the server" in usual
    assert "for this request's error rate (max_fmr) of 0.001%" in rarer
    assert "threshold 0.300, set by this request: it holds exactly; 1 comparison of two" in exact
    refused = run("compare", *pair, "--max-fmr", "0.001", "--threshold", "0.3")
    assert refused.returncode == 2
    assert "give one of --threshold and --max-fmr" in " ".join(refused.stderr.split())


def test_a_face_that_is_too_poor_is_shown_with_its_faults(run, folder):
    portrait = folder / "Eileen_Collins" / "a.jpg"
    with FakeServer() as server:
        server.faults = ["BLURRED", "TURNED_AWAY"]
        table = run("recognize", portrait, server=server.address)
        compared = run("compare", portrait, portrait, server=server.address)
        (answer,) = lines(run("recognize", portrait, "--json", server=server.address))
    assert "too poor: blurred, turned away" in table.stdout
    conclusion, *faults = compared.stdout.splitlines()
    assert conclusion.startswith("a face is too poor to decide")
    assert faults == [f"{portrait}: blurred, turned away"] * 2
    assert answer["result"]["faces"][0]["quality"]["faults"] == ["BLURRED", "TURNED_AWAY"]


def test_the_faces_of_a_picture_are_drawn(run, folder, people_gallery, tmp_path):
    picture = folder / "Eileen_Collins" / "a.jpg"
    out = tmp_path / "out.png"
    assert run("recognize", picture, "-g", people_gallery, "--annotate", out).returncode == 0
    drawn = cv2.imread(str(out))
    assert drawn is not None
    green = np.all(np.abs(drawn.astype(int) - (69, 167, 40)) < 3, axis=2).sum()
    assert green > 500
    shutil.copy(picture, folder / "c.jfif")
    several = [picture, folder / "Bo_01.jpg", folder / "c.jfif"]
    assert (
        run("recognize", *several, "-g", people_gallery, "--annotate", tmp_path / "all").returncode
        == 0
    )
    names = sorted(path.name for path in (tmp_path / "all").iterdir())
    assert names == ["Bo_01.jpg", "a.jpg", "c.jfif.jpg"]
    bad = run("recognize", picture, "-g", people_gallery, "--annotate", tmp_path / "out.txt")
    assert bad.returncode == 2
    assert "Use .jpg or .png" in bad.stderr


def test_several_pictures_are_not_drawn_into_a_file(run, folder):
    picture = folder / "Eileen_Collins" / "a.jpg"
    bad = run("recognize", picture, folder / "Bo_01.jpg", "--annotate", folder / "notes.txt")
    assert bad.returncode == 2
    assert "notes.txt is a file; several pictures are painted into a folder" in bad.stderr


def test_a_gallery_goes_to_a_file_and_back(run, folder, people_gallery, tmp_path):
    file = tmp_path / "people.facewire"
    out = run("gallery", "export", file, "-g", people_gallery)
    assert out.returncode == 0
    assert "holds 1 person with 2 templates" in out.stderr
    again = run("gallery", "export", file, "-g", people_gallery)
    assert again.returncode == 2
    assert "--force" in again.stderr
    copy = f"{people_gallery[:40]}-copy"
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


def with_a_smeared_face(export):
    """Changes an export: the first template is of a face that an older server took."""
    every = list(gallery_file.records(export))
    first = next(record for record in every if record.HasField("template"))
    first.template.template.quality.directional_sharpness = 1.5
    content = gallery_file.MAGIC + b"".join(map(gallery_file.framed, every)) + gallery_file.END
    export.write_bytes(content + hashlib.sha256(content).digest())


def test_an_import_warns_of_templates_that_an_enrollment_refuses(run, people_gallery, tmp_path):
    file = tmp_path / "people.facewire"
    run("gallery", "export", file, "-g", people_gallery)
    copy = f"{people_gallery[:40]}-poor"
    clean = run("gallery", "import", file, "-g", copy, "--create")
    assert (clean.returncode, "Warning" in clean.stderr) == (0, False)
    with_a_smeared_face(file)
    poor = run("gallery", "import", file, "-g", copy)
    assert "an enrollment would refuse 1 template of this file" in poor.stderr
    assert "enroll them into a new gallery" in poor.stderr
    assert poor.returncode == 0, "it is imported nevertheless"
    (as_json,) = lines(run("gallery", "import", file, "-g", copy, "--json"))
    assert as_json["result"]["templates_poor"] == 1


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


def test_what_was_deleted_is_erased_at_once(run, gallery):
    assert run("gallery", "create", f"{gallery[:40]}-gone").returncode == 0
    assert run("gallery", "delete", f"{gallery[:40]}-gone", "--yes").returncode == 0
    erased = run("gallery", "purge")
    assert (erased.returncode, "What was deleted is erased" in erased.stderr) == (0, True)
    assert "There was nothing to erase" in run("gallery", "purge").stderr
    assert lines(run("gallery", "purge", "--json")) == [{"status": "nothing to erase"}]


def test_status_tells_what_is_ready_and_what_is_there(run, gallery):
    result = run("status")
    assert result.returncode == 0
    assert "NOT READY" not in result.stdout
    assert gallery in result.stdout
    health, told, *galleries = lines(run("status", "--json"))
    assert health["health"] == {"server": True, "recognition": True, "galleries": True}
    assert {each["gallery"]["model_contract_id"] for each in galleries} == {
        told["info"]["model_contract_id"]
    }
    assert told["info"]["model_contract_name"] == "sface"
    assert "sface" in result.stdout
    assert "eras" not in result.stdout  # nothing of the kind is done yet


def test_status_of_a_server_whose_models_are_away_is_exit_code_3(run):
    with FakeServer() as server:
        server.not_serving = {"facewire.v1.RecognitionService"}
        result = run("status", server=server.address)
    assert result.returncode == 3
    assert "recognition  NOT READY" in result.stdout
    assert "default" in result.stdout


def test_status_opens_no_stream(run):
    with FakeServer() as server:
        assert run("status", server=server.address).returncode == 0
        assert server.calls["StreamRecognize"] == 0


def test_status_goes_on_where_the_server_is_older_than_its_call(run):
    with FakeServer() as server:
        server.fail_next("GetServerInfo", failure(grpc.StatusCode.UNIMPLEMENTED), times=2)
        result = run("status", server=server.address)
        _, told, gallery = lines(run("status", "--json", server=server.address))
    assert result.returncode == 0
    assert "unknown: the server is older" in result.stdout
    assert "default" in result.stdout
    assert told["info"] is None
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
    commands = [each.callback for group in groups if group for each in group.registered_commands]
    bridges = [
        one for one in commands if one and one.__name__ in ("frigate", "mqtt")
    ]  # they publish
    assert (len(commands), len(bridges)) == (29, 2)
    for each in commands:
        assert each in bridges or "as_json" in each.__annotations__
