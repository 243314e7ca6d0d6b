"""What `gallery doctor` prints of a gallery: how many doubles chance makes, and commands that a shell takes as they are."""

import shlex

import numpy as np
import pytest

from facewire_server.app.doctor_report import as_document, as_lines
from facewire_server.app.values import read_model_contract
from facewire_server.configuration.settings import Settings
from facewire_server.galleries.checkup import EnrolledPeople, Finding, FindingKind, Findings
from facewire_server.galleries.examined import Examined
from facewire_server.galleries.records import GalleryInfo
from facewire_server.thresholds import UNCALIBRATED, ErrorRates, Threshold, ThresholdSource
from facewire_server.types import QualityFault

CALIBRATION = read_model_contract(Settings().model_contract).calibration
HOSTILE = "a; rm -rf ~ $(id) 'b'"
GUESS = Threshold(UNCALIBRATED, ThresholdSource.GALLERY_SIZE)


def examined(count: int, threshold: Threshold, *, is_of_contract: bool = True) -> Examined:
    """A gallery of people of whom the first and the last are probably one, and no other."""
    people = EnrolledPeople(
        (HOSTILE, *("someone",) * (count - 2), HOSTILE),
        ("\x1b[2J",) * count,
        np.arange(count + 1),
        np.zeros((count, 4), np.float32),
        ("",) * count,
        (),
        np.zeros((0, 4), np.float32),
    )
    double = Finding((0, count - 1), ("1", "2"), 0.75)
    findings = {kind: Findings(0, ()) for kind in FindingKind}
    findings[FindingKind.PROBABLE_DOUBLE] = Findings(3, (double,))
    info = GalleryInfo("-gallery", "", 1, count, count, "c", 1)
    return Examined(info, people, threshold, is_of_contract, 0.52, 0.39, findings)


def test_it_says_how_similar_two_people_are_who_are_probably_one() -> None:
    assert CALIBRATION is not None
    one = examined(40, ErrorRates(CALIBRATION).threshold_among(40))
    text = "\n".join(as_lines(one, names=False))
    assert "(cosine of the means, at or above 0.520): 3, the worst 1 of them" in text
    assert as_document(one, names=False)["least_double"] == 0.52


def test_pictures_at_fault_are_named_with_their_faults_and_those_of_two_who_are_alike_are_not() -> (
    None
):
    one = examined(2, GUESS)
    faults = (QualityFault.TOO_SMALL, QualityFault.BLURRED)
    poor = Finding((1,), ("2",), 0.5, faults)
    one.findings[FindingKind.POOR_PICTURE] = Findings(1, (poor,))
    lines = list(as_lines(one, names=False))
    assert lines[0].startswith("-gallery: 2 people, 2 templates, ")
    assert f"    0.750 {shlex.quote(HOSTILE)} and {shlex.quote(HOSTILE)}" in lines
    assert f"    0.500 {shlex.quote(HOSTILE)}, template 2: too small, blurred" in lines
    assert next(as_lines(examined(1, GUESS), names=False)).startswith("-gallery: 1 person, 1 ")


def test_the_next_step_of_a_template_is_a_command() -> None:
    one = examined(3, GUESS)
    left_out = Finding((0,), ("ab12",), 0.25, resembled=1, resembled_similarity=0.75)
    refused = Finding((1,), ("cd34",), 0.5, (QualityFault.UPSIDE_DOWN,))
    one.findings[FindingKind.LEFT_OUT] = Findings(1, (left_out,))
    one.findings[FindingKind.REFUSED_TEMPLATE] = Findings(1, (refused,))
    lines = list(as_lines(one, names=False))
    who = shlex.quote(HOSTILE)
    delete = "facewire identity delete-template --gallery -gallery --"
    assert f"    0.250 {who}, template ab12, resembles someone by 0.750" in lines
    assert any(line.endswith(f"delete it: {delete} {who} ab12") for line in lines)
    assert "    0.500 someone, template cd34: upside down" in lines
    assert any(line.endswith(f"then delete it: {delete} someone cd34") for line in lines)
    shown = as_document(one, names=True)["findings"]["left_out"]["listed"][0]
    assert (shown["resembled"], shown["resembled_similarity"]) == (["someone"], 0.75)
    assert shown["resembled_names"] == ["\x1b[2J"]


@pytest.mark.parametrize(
    ("threshold", "is_of_contract", "reason"),
    [
        (GUESS, True, "a guess: the model contract has no calibration"),
        (GUESS, False, "a guess: the gallery is of another model than the settings name"),
        (Threshold(0.3, ThresholdSource.OPERATOR), False, "set by the operator"),
    ],
)
def test_without_an_error_rate_it_says_whose_the_threshold_is(
    threshold: Threshold, is_of_contract: bool, reason: str
) -> None:
    one = examined(3, threshold, is_of_contract=is_of_contract)
    assert f"threshold {threshold.value:.3f} ({reason})" in next(as_lines(one, names=False))


def test_a_shell_takes_the_command_as_one_of_these_ids() -> None:
    document = as_document(examined(2, GUESS), names=False)
    (double,) = document["findings"]["probable_double"]["listed"]
    command = shlex.split(double["next"].partition("merge them: ")[2])
    assert command[:3] == ["facewire", "identity", "merge"]
    assert command[3:] == ["--gallery", "-gallery", "--", HOSTILE, HOSTILE]
    assert "display_names" not in double


def test_a_name_moves_no_cursor() -> None:
    one = examined(2, GUESS)
    assert "\\u001b[2J" in (text := "\n".join(as_lines(one, names=True)))
    assert "\x1b" not in text
