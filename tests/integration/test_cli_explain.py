"""`facewire explain` against the real server: each outcome, with the numbers that the server decided by."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from fakes.server import FakeServer
from harness.running import RunningServer
from integration.command import lines

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def picture(tmp_path: Path, portrait: NDArray[np.uint8]) -> Path:
    path = tmp_path / "portrait.png"
    cv2.imwrite(str(path), portrait[..., ::-1])
    return path


@pytest.fixture
def staff(client: facewire.Client, gallery: str, portrait: NDArray[np.uint8]) -> str:
    """A gallery with one person, Ada."""
    client.enroll("ada", portrait, gallery=gallery, display_name="Ada Lovelace")
    return gallery


def test_a_known_face_is_explained(
    run: Run, client: facewire.Client, staff: str, picture: Path
) -> None:
    done = run("explain", picture, "-g", staff)
    assert (done.returncode, done.stderr) == (0, "")
    (face,) = client.recognize(picture, gallery=staff).faces
    decision = face.decision
    text = done.stdout
    assert "known: Ada Lovelace (ada)" in text
    assert f"similarity {decision.similarity:.3f}" in text
    assert f"threshold {decision.threshold:.3f}, chosen by the server" in text
    assert f"compared with the template {decision.template_id}" in text
    assert "comparison of two different people in" in text
    assert "all of the model's calibration" in text
    assert f"gallery {staff}, 1 person, revision {decision.gallery_revision}" in text
    # Of one person the threshold is that of two pictures: one of 10,000 strangers reaches it.
    assert "among so few people a lower threshold would do" in text
    assert (
        "strangers: 0.01% of looks at people who are not enrolled are expected to get a name"
        in text
    )


def test_a_face_under_the_threshold_is_explained(run: Run, staff: str, picture: Path) -> None:
    text = run("explain", picture, "-g", staff, "--threshold", "1").stdout
    assert "unknown: no person of the gallery reaches the threshold" in text
    assert "below the threshold 1.000" in text
    assert "set by this request" in text
    assert "are expected to get a name" in text
    wanted = run("explain", picture, "-g", staff, "--max-fpir", "0.0001").stdout
    assert "this request's error rate (max_fpir) of 0.01%" in wanted
    both = run("explain", picture, "-g", staff, "--max-fpir", "0.1", "--threshold", "0.5")
    assert both.returncode == 2


def test_a_face_that_is_too_small_is_explained(
    run: Run, staff: str, tmp_path: Path, portrait: NDArray[np.uint8]
) -> None:
    far = tmp_path / "far.png"
    scene = np.full((256, 256, 3), 128, np.uint8)
    scene[100:140, 100:140] = cv2.resize(portrait, (40, 40), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(far), scene[..., ::-1])
    text = run("explain", far, "-g", staff, "--min-face-px", "12").stdout
    assert "too poor: the face was compared with no person" in text
    assert "pixels apart, the least is 8): come nearer" in text


def test_two_people_with_one_face_are_explained(
    run: Run, client: facewire.Client, staff: str, picture: Path, portrait: NDArray[np.uint8]
) -> None:
    with pytest.warns(facewire.SimilarIdentityWarning):
        client.enroll("bo", portrait, gallery=staff, display_name="Bo")
    text = run("explain", picture, "-g", staff).stdout
    assert "Ada Lovelace (ada)" in text
    assert "Bo (bo)" in text
    assert "both reach the threshold, 0.000 apart; a name needs 0.030" in text


def test_a_picture_without_a_face_and_an_empty_gallery_are_explained(
    run: Run, gallery: str, picture: Path, tmp_path: Path
) -> None:
    assert (
        "the gallery has no person to compare with" in run("explain", picture, "-g", gallery).stdout
    )
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((256, 256, 3), 128, np.uint8))
    done = run("explain", blank, "-g", gallery)
    assert done.returncode == 0
    assert "no face" in done.stdout
    assert "--min-face-px" in done.stdout


def test_programs_read_the_numbers_and_the_words(run: Run, staff: str, picture: Path) -> None:
    (answer,) = lines(run("explain", picture, "-g", staff, "--json"))
    (face,) = answer["result"]["faces"]
    assert [each["identity_id"] for each in face["decision"]["candidates"]] == ["ada"]
    judgment = face["decision"]["judgment"]
    assert judgment["deciding_rule"] == "ALONE_ABOVE_THRESHOLD"
    assert judgment["template_ids"] == [face["decision"]["template_id"]]
    assert 0 < judgment["false_match_rate"] < judgment["false_match_rate_bound"] < 1e-6
    assert judgment["threshold_rule"]["identity_count"] == 1
    assert judgment["threshold_rule"]["max_fpir"] == pytest.approx(0.003)
    assert answer["reasons"][0][0] == "known: Ada Lovelace (ada)"
    assert answer["threshold"][1].startswith("threshold 0.426")


def test_the_reason_is_drawn(run: Run, staff: str, picture: Path, tmp_path: Path) -> None:
    plain, drawn = tmp_path / "plain.png", tmp_path / "drawn.png"
    assert run("recognize", picture, "-g", staff, "--annotate", plain).returncode == 0
    assert run("explain", picture, "-g", staff, "--draw", drawn).returncode == 0
    green = [
        int(np.all(cv2.imread(str(path)) == (69, 167, 40), axis=2).sum()) for path in (plain, drawn)
    ]
    assert green[1] > 1.3 * green[0]
    bad = run("explain", picture, "-g", staff, "--draw", tmp_path / "drawn.txt")
    assert bad.returncode == 2
    assert "Use .jpg or .png" in bad.stderr


def test_what_cannot_be_explained_has_its_exit_code(
    run: Run, server: RunningServer, picture: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not a picture")
    assert run("explain", bad).returncode == 1
    assert run("explain", tmp_path / "none.jpg").returncode == 2
    assert run("explain", picture, "-g", "no-such-gallery").returncode == 4


def test_a_server_that_knows_no_judgments_is_explained_as_far_as_its_answer_goes(
    run: Run, picture: Path
) -> None:
    with FakeServer() as server:
        old = run("explain", picture, server=server.address)
    assert old.returncode == 0
    assert "gallery default, revision" in old.stdout
