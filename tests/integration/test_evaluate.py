"""`facewire-server evaluate` as operators run it, on pictures that are made of one portrait; and on the lent ones."""

import csv
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import facewire
from facewire_server.app.values import read_model_contract, request_defaults
from facewire_server.configuration.settings import Settings
from fakes.python import PATHS
from harness.made_people import made_pair, portrait_of
from harness.running import running_server

pytestmark = pytest.mark.timeout(300)  # each command loads models

NAMES = ("ada", "bea", "cleo", "dora", "eve", "fay")
"""Six names of one face: the worst that can happen to a group."""


def variants(jpeg: bytes, count: int) -> list[bytes]:
    """Pictures of one face that differ: moved, and in another light."""
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return [
        cv2.imencode(
            ".jpg", (np.roll(picture, 3 * number, axis=1) * (1.0 - 0.04 * number)).astype(np.uint8)
        )[1].tobytes()
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """The folder of a table `images.csv`: two people of the group "two", six names of one face of the group "one"."""
    folder = tmp_path_factory.mktemp("people")
    rows: list[tuple[str, str, str, str]] = []

    def add(person: str, group: str, pictures: list[bytes]) -> None:
        for number, data in enumerate(pictures):
            path = folder / (person or "nobody") / f"{number}.jpg"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            rows.append((str(path.relative_to(folder)), person, group, "1" if person else "0"))

    for each in made_pair():
        add(each.name, "two", variants(portrait_of(each), 3))
    portrait = np.ascontiguousarray(astronaut[:256, 96:352, ::-1])
    faces = variants(cv2.imencode(".jpg", portrait)[1].tobytes(), len(NAMES) + 1)
    for name, data in zip(NAMES, faces, strict=False):
        add(name, "one", [data])
    add("", "", [cv2.imencode(".jpg", np.full((240, 320, 3), 128, np.uint8))[1].tobytes()])
    (folder / "ada" / "text.jpg").write_text("this is text")
    (folder / "ada" / "copy.jpg").write_bytes(faces[0])
    rows += [(f"ada/{name}.jpg", "ada", "one", "") for name in ("text", "copy", "gone")]
    with (folder / "images.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("path", "person", "group", "faces"), *rows])
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache") / "embeddings"


def command(models: Path, labels: Path, report: Path, *flags: object) -> list[str]:
    return [
        *(sys.executable, "-W", "error", "-m", "facewire_server", "evaluate", str(labels)),
        *("--models", str(models), "--threads", "2", "--report", str(report), *map(str, flags)),
    ]


def evaluate(
    models: Path, labels: Path, report: Path, *flags: object
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(models, labels, report, *flags),
        env=os.environ | {"PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def read(report: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((report / "report.json").read_text())
    return read


def test_the_report_counts_every_picture_and_only_its_owner_reads_it(
    models: Path, people: Path, cache: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    done = evaluate(
        models, people / "images.csv", report, "--embeddings", cache, "--max-group-ratio", 0
    )
    assert done.returncode == 0, done.stderr
    assert report.stat().st_mode & 0o777 == 0o700
    assert {file.name: file.stat().st_mode & 0o777 for file in report.iterdir()} == {
        "report.html": 0o600,
        "report.json": 0o600,
    }
    assert f"rm -r {report} {cache}" in done.stdout
    found = read(report)
    everyone = found["acquisition"][""]
    assert (everyone["pictures"], everyone["people"]) == (15, 8)
    assert everyone["failures"] == {"unreadable": 1, "missing": 1, "repeated": 1}
    assert [(each["path"], each["why"]) for each in found["failures"]] == [
        ("nobody/0.jpg", "no_face"),
        ("ada/text.jpg", "unreadable"),
        ("ada/copy.jpg", "repeated"),
        ("ada/gone.jpg", "missing"),
    ]
    assert found["detection"] == {
        "pictures": 13,
        "faces": 12,
        "missed": 0,
        "extra": 0,
        "empty_pictures": 1,
        "empty_extra": 0,
    }
    scopes = found["verification"]["scopes"]
    assert list(scopes) == ["", "one", "two"]
    assert (scopes["one"]["fmr"]["hits"], scopes["one"]["fmr"]["looks"]) == (15, 15)
    assert (scopes["two"]["fmr"]["hits"], scopes["two"]["fmr"]["looks"]) == (0, 9)
    assert (scopes["two"]["fnmr"]["hits"], scopes["two"]["fnmr"]["looks"]) == (0, 6)
    assert sum(scopes[""]["mated_histogram"]) == 6
    assert found["identification"]["galleries"] == [4, 4]


def test_the_page_asks_nothing_of_another_place_and_shows_the_errors(
    models: Path, people: Path, cache: Path, tmp_path: Path
) -> None:
    # Of so few people the same rates do not prove a ratio of five.
    flags = ("--embeddings", cache, "--max-group-ratio", "5")
    assert evaluate(models, people / "images.csv", tmp_path, *flags).returncode == 0
    page = (tmp_path / "report.html").read_text()
    assert "biometric data" in page
    assert "default-src 'none'" in page
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)", page)
    assert "<script" not in page
    assert page.count("data:image/jpeg;base64,") > 15
    assert "ada/gone.jpg" in page
    assert "too few to tell" in page
    for place in (
        "acquire",
        "one-to-one",
        "one-to-many",
        "groups",
        "labels",
        "errors",
        "configuration",
    ):
        assert f'id="{place}"' in page


def test_the_report_states_the_rate_in_force_that_alarms_a_month_make(
    models: Path, people: Path, cache: Path, tmp_path: Path
) -> None:
    kept = ("--embeddings", cache, "--max-group-ratio", "100")
    wanted = ("--false-alarms-a-month", "1", "--strangers-a-day", "100")
    assert evaluate(models, people / "images.csv", tmp_path, *kept, *wanted).returncode == 0
    said = read(tmp_path)["configuration"]
    assert said["FACEWIRE_FALSE_ALARMS_A_MONTH"] == "1.0"
    assert said["FACEWIRE_STRANGERS_A_DAY"] == "100.0"
    assert float(said["max_fpir in force"]) == pytest.approx(12 / 365.25 / 100, rel=1e-2)


def test_the_gate_fails_when_a_group_is_worse_off_and_the_report_says_so(
    models: Path, people: Path, cache: Path, tmp_path: Path
) -> None:
    flags = ("--embeddings", cache, "--max-group-ratio", "1.2")
    assert evaluate(models, people / "images.csv", tmp_path, *flags).returncode == 3
    (fmr,) = [each for each in read(tmp_path)["groups"]["judgments"] if each["measure"] == "FMR"]
    assert (fmr["worse"], fmr["better"], fmr["verdict"]) == ("one", "two", "exceeded")
    assert fmr["ratio_low"] > 1.2
    assert "The gate fails" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_was_stopped_or_killed_leaves_no_template_behind(
    models: Path, people: Path, tmp_path: Path, end: signal.Signals
) -> None:
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    running = subprocess.Popen(
        command(models, people / "images.csv", tmp_path / "report", "--embeddings", cache),
        env=os.environ | {"PYTHONPATH": PATHS, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
        text=True,
    )
    while not kept(cache):
        assert running.poll() is None
        time.sleep(0.01)
    open_files = [str(one.readlink()) for one in Path(f"/proc/{running.pid}/fd").iterdir()]
    storage = [one for one in open_files if one.startswith(f"{temporary}/facewire-evaluation-")]
    assert storage
    assert all(one.endswith(" (deleted)") for one in storage)
    running.send_signal(end)
    _, said = running.communicate(timeout=60)
    if end is signal.SIGTERM:
        assert running.returncode == 130
        assert said == "facewire-server: stopped; with --embeddings the next run goes on\n"
    assert list(temporary.glob("facewire-*")) == []


def test_a_run_that_was_killed_goes_on_where_it_was(
    models: Path, people: Path, tmp_path: Path
) -> None:
    cache, report = tmp_path / "cache", tmp_path / "report"
    arguments = (models, people / "images.csv", report, "--embeddings", cache)
    running = subprocess.Popen(
        command(*arguments),
        env=os.environ | {"PYTHONPATH": PATHS, "TMPDIR": str(tmp_path)},
        stderr=subprocess.DEVNULL,
    )
    while not (rows := kept(cache)):
        assert running.poll() is None
        time.sleep(0.01)
    running.kill()
    running.wait()
    before = kept(cache)
    assert rows.items() <= before.items()
    assert not (report / "report.html").exists()
    done = evaluate(*arguments)
    assert done.returncode in (0, 3), done.stderr
    after = kept(cache)
    assert before.items() <= after.items()  # embedded once
    assert len(after) == 13


def kept(cache: Path) -> dict[str, bytes]:
    """What the cache holds of each picture."""
    if not (cache / "faces.sqlite").exists():
        return {}
    storage = sqlite3.connect(cache / "faces.sqlite")
    try:
        return dict(storage.execute("SELECT picture, vectors FROM faces").fetchall())
    except sqlite3.OperationalError:  # the table is not there yet
        return {}
    finally:
        storage.close()


def rows_kept(cache: Path) -> list[int]:
    """How many pictures the cache holds of each model."""
    with closing(sqlite3.connect(cache / "faces.sqlite")) as storage:
        counted = storage.execute("SELECT COUNT(*) FROM faces GROUP BY configuration").fetchall()
    return [count for (count,) in counted]


@pytest.mark.filterwarnings("ignore::facewire.SimilarIdentityWarning")
def test_it_decides_as_the_server_does(
    models: Path, people: Path, cache: Path, tmp_path: Path
) -> None:
    """At a threshold that nothing reaches each mated look is an error, so the report lists them with their similarities."""
    flags = (
        "--embeddings",
        cache,
        "--threshold",
        "0.9999",
        "--enrolled",
        "7",
        "--max-group-ratio",
        "0",
    )
    done = evaluate(models, people / "images.csv", tmp_path, *flags)
    assert done.returncode == 0, done.stderr
    errors = read(tmp_path)["errors"]
    with running_server(frame_timeout_s=60) as server, facewire.Client(server.address) as client:
        assert len(errors["false_non_matches"]) == 6
        for each in errors["false_non_matches"]:
            first, second = ((people / each[end]).read_bytes() for end in ("first", "second"))
            similarity = client.compare(
                first, second, selection=facewire.FaceSelection.MOST_CENTRAL
            ).similarity
            assert each["similarity"] == pytest.approx(similarity, abs=1e-5)
        mates = [each for each in errors["missed_names"] if each["best"] in ("round", "narrow")]
        looked = [each for each in mates if each["path"].startswith(each["best"])]
        assert looked  # at least one of the two is among seven of eight people
        for name in {each["best"] for each in looked}:
            client.enroll(name, [(people / name / "0.jpg").read_bytes()])
        for each in looked:
            (face,) = client.recognize((people / each["path"]).read_bytes(), max_candidates=1).faces
            assert face.decision is not None
            (best,) = face.decision.candidates
            assert each["best"] == best.identity_id
            assert each["similarity"] == pytest.approx(best.similarity, abs=1e-5)


def test_a_folder_and_a_table_of_pairs_are_taken_too(
    models: Path, people: Path, cache: Path, tmp_path: Path
) -> None:
    pairs = people / "pairs.csv"
    pairs.write_text(
        "path_a,path_b,same,group\nround/0.jpg,round/1.jpg,1,x\nround/0.jpg,narrow/0.jpg,0,x\nada/gone.jpg,bea/0.jpg,0,x\n"
    )
    assert evaluate(models, pairs, tmp_path / "pairs", "--embeddings", cache).returncode == 0
    scope = read(tmp_path / "pairs")["verification"]["scopes"]["x"]
    assert (scope["fmr"]["looks"], scope["fnmr"]["looks"]) == (1, 1)
    done = evaluate(models, people, tmp_path / "folder", "--embeddings", cache)
    assert done.returncode == 0, done.stderr
    assert (
        read(tmp_path / "folder")["acquisition"][""]["people"] == 9
    )  # "nobody" is a folder like any other
    assert "name no groups" in (tmp_path / "folder" / "report.html").read_text()


def test_two_models_are_shown_side_by_side_and_each_is_embedded_once(
    both: Path, people: Path, tmp_path: Path
) -> None:
    cache, table = tmp_path / "cache", people / "images.csv"
    flags = ("--embeddings", cache, "--max-group-ratio", 0)
    assert evaluate(both, table, tmp_path / "alone", *flags).returncode == 0
    embedded = kept(cache)
    done = evaluate(both, table, tmp_path / "two", *flags, "--beside", "facenet_vggface2")
    assert done.returncode == 0, done.stderr
    assert rows_kept(cache) == [13, 13]
    assert embedded.keys() == kept(cache).keys()
    alone, found = read(tmp_path / "alone"), read(tmp_path / "two")
    assert alone.pop("beside") == []
    (other,) = found.pop("beside")
    assert found == alone  # the model of the settings is measured as without the other one
    assert (found["model_contract"], other["model_contract"]) == ("sface", "facenet_vggface2")
    assert other["configuration"]["FACEWIRE_MODEL_CONTRACT"] == "facenet_vggface2"
    ids = {each["configuration"]["model contract id"] for each in (found, other)}
    assert len(ids) == 2
    policy = request_defaults(Settings(), read_model_contract("facenet_vggface2")).decision
    threshold = other["verification"]["threshold"]
    assert threshold == policy.threshold_of_pair().value != found["verification"]["threshold"]
    assert other["identification"]["galleries"][0] == found["identification"]["galleries"][0]
    for model in (found, other):  # six names of one face are one person to each of them
        fmr = model["verification"]["scopes"]["one"]["fmr"]
        assert (fmr["hits"], fmr["looks"]) == (15, 15)
    shown = (tmp_path / "two" / "report.html").read_text()
    assert "Models side by side" in shown
    assert "Models side by side" not in (tmp_path / "alone" / "report.html").read_text()
    assert re.search(r"side by side, all\n.*\n    sface .*\n    facenet_vggface2 ", done.stdout)


def test_a_model_that_is_missing_is_said_before_the_first_picture(
    models: Path, people: Path, tmp_path: Path
) -> None:
    flags = ("--embeddings", tmp_path / "cache", "--beside", "facenet_casia")
    done = evaluate(models, people / "images.csv", tmp_path / "report", *flags)
    assert done.returncode == 1
    assert f"facewire-models --out {models} --only facenet_casia`" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "cache").exists()
    done = evaluate(models, people / "images.csv", tmp_path / "report", "--beside", "w600k_mbf")
    assert done.returncode == 1
    assert "set accept_non_commercial if yours is none" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path_a,path_b\n1.jpg,2.jpg\n", "line 1"),
        ("path,person\ngone.jpg,ann\n", "none of the 1 pictures is there"),
    ],
)
def test_labels_that_cannot_be_used_end_it_with_2(
    models: Path, tmp_path: Path, text: str, said: str
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(text)
    done = evaluate(models, labels, tmp_path / "report")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_lent_people_of_four_groups(models: Path, shared: Path, tmp_path: Path) -> None:
    """Eight people of each group of LFW, two pictures each: rates and groups are plausible."""
    labels = shared / "groups" / "images.csv"
    with labels.open(newline="") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["use_in_pairs"] == "1" and row["source"] == "LFW"
        ]
    chosen: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        chosen.setdefault(row["group"], {}).setdefault(row["identity"], []).append(row["path"])
    table = tmp_path / "images.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "person", "group"))
        for group, members in chosen.items():
            several = [(name, paths) for name, paths in members.items() if len(paths) > 1]
            writer.writerows(
                (shared / "groups" / path, name, group)
                for name, paths in several[:8]
                for path in paths[:2]
            )
    done = subprocess.run(
        command(models, table, tmp_path / "report"),
        env=os.environ | {"PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = read(tmp_path / "report")
    assert found["verification"]["scopes"][""]["fnmr"]["share"] < 0.15
    assert found["verification"]["scopes"][""]["fmr"]["share"] < 0.02
    assert found["identification"]["scopes"][""]["fnir"]["share"] < 0.15
    assert len(found["acquisition"]) >= 3
    assert {each["verdict"] for each in found["groups"]["judgments"]} <= {"undecided", "held"}
