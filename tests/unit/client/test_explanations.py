"""Each outcome, each threshold's source and each fault is explained in words, with the numbers of the answer."""

from dataclasses import replace

import pytest

from facewire import (
    Box,
    Candidate,
    DecidingRule,
    Decision,
    Face,
    Judgment,
    Landmarks,
    Outcome,
    Point,
    Quality,
    QualityFault,
    ThresholdRule,
    ThresholdSource,
)
from facewire.cli._faults import fault_lines, quality_line
from facewire.cli._grounds import Grounds, grounds_of, threshold_lines
from facewire.cli._reasons import reason_lines, short_reason

ADA = Candidate("ada", "Ada Lovelace", 0.712, "a" * 32)
BO = Candidate("bo", "Bo", 0.3, "b" * 32)
CY = Candidate("cy", "cy", 0.705, "c" * 32)
GROUNDS = Grounds("staff", identity_count=12, max_fpir=0.003, min_margin=0.03, min_inter_eye_px=8.0)
QUALITY = Quality(
    inter_eye_px=6.25,
    sharpness=15.0,
    brightness=12.0,
    directional_sharpness=2.8,
    embedding_norm=3.14,
    yaw=-0.4,
    pitch=0.05,
)
POINT = Point(0.0, 0.0)


def decision(outcome: Outcome, *candidates: Candidate, **values: object) -> Decision:
    best = candidates[0] if candidates else None
    margin = best.similarity - candidates[1].similarity if best and candidates[1:] else 0.0
    is_known = outcome is Outcome.KNOWN
    made = Decision(
        outcome,
        best.identity_id if best and is_known else "",
        best.display_name if best and is_known else "",
        best.similarity if best else 0.0,
        0.426,
        margin,
        best.template_id if best and outcome is not Outcome.UNKNOWN else "",
        34,
        candidates,
        ThresholdSource.ERROR_RATE,
        candidates[:2] if outcome is Outcome.AMBIGUOUS else (),
        1,
    )
    return replace(made, **values)  # type: ignore[arg-type]


def face(made: Decision, *faults: QualityFault) -> Face:
    landmarks = Landmarks(POINT, POINT, POINT, POINT, POINT)
    quality = replace(QUALITY, faults=faults)
    return Face(Box(1.0, 2.0, 3.0, 4.0), landmarks, 0.98, quality, made, 0, 0)


def explained(made: Decision, *faults: QualityFault, grounds: Grounds = GROUNDS) -> list[str]:
    return reason_lines(face(made, *faults), grounds)


def test_a_hint_of_an_attack_is_shown_last_and_promises_nothing() -> None:
    known = face(decision(Outcome.KNOWN, ADA, BO))
    plain, scored = (
        reason_lines(replace(known, presentation_attack_score=score), GROUNDS)
        for score in (None, 0.0625)
    )
    assert scored[:-1] == plain
    assert scored[-1].startswith("hint of a presentation attack (experimental): 0.06 of 1")
    assert "does not say that a person is there" in scored[-1]


def test_a_known_face_lies_above_the_threshold_and_clear_of_the_runner_up() -> None:
    found, distance, runner_up, template, heading, *nearest, quality = explained(
        decision(Outcome.KNOWN, ADA, BO)
    )
    assert found == "known: Ada Lovelace (ada)"
    assert distance == "similarity 0.712, 0.286 above the threshold 0.426"
    assert runner_up == "Bo (bo) comes next, 0.412 behind, and does not reach the threshold"
    assert template.endswith(f"the oldest of them is template {'a' * 32}")
    assert heading == "nearest people:"
    assert [line.split()[:2] for line in nearest] == [["0.712", "(+0.286)"], ["0.300", "(-0.126)"]]
    assert f"oldest template {'b' * 32}" in nearest[1]
    assert quality.startswith("quality: eyes 6.2 pixels apart")
    assert quality.endswith("detection score 0.980")


def test_a_runner_up_above_the_threshold_was_far_enough() -> None:
    second = replace(BO, similarity=0.5)
    lines = explained(decision(Outcome.KNOWN, ADA, second))
    assert (
        "Bo (bo) comes next, 0.212 behind, and reaches the threshold, too; a name needs 0.030"
        in lines
    )


def test_the_only_person_has_no_runner_up() -> None:
    assert "no other person to compare with" in explained(decision(Outcome.KNOWN, ADA))


def test_a_runner_up_who_is_not_listed_is_not_denied() -> None:
    alone = replace(decision(Outcome.KNOWN, ADA), margin=0.25)
    assert "the next person is 0.250 behind" in explained(alone)


def test_an_unknown_face_lies_below_the_threshold() -> None:
    lines = explained(decision(Outcome.UNKNOWN, BO, replace(CY, similarity=0.1)))
    assert lines[0] == "unknown: no person of the gallery reaches the threshold"
    assert lines[1] == "similarity 0.300, 0.126 below the threshold 0.426"
    assert lines[2].startswith("cy comes next, 0.200 behind")
    assert not any("the mean of the pictures" in line for line in lines)


def passed_over(rule: DecidingRule) -> Judgment:
    return Judgment(
        deciding_rule=rule, false_match_rate=None, false_match_rate_bound=None, is_extrapolated=False,
        false_name_rate=None, threshold_rule=None, min_margin=0.03, min_inter_eye_px=8.0,
        template_ids=(), template_count=0, passed_over_similarity=0.712,
        negative_example_similarity=0.85,
    )  # fmt: skip


NOT_ADA = replace(ADA, negative_example_similarity=0.85)


def test_a_face_nearer_to_a_negative_example_is_not_the_person() -> None:
    judgment = passed_over(DecidingRule.NEARER_TO_NEGATIVE_EXAMPLE)
    made = decision(Outcome.UNKNOWN, NOT_ADA, BO, judgment=judgment)
    found, distance, advice, why, _, first, second, _ = explained(made)
    assert found == "unknown: the face is nearer to a negative example than to the person"
    assert distance == "similarity 0.712, 0.286 above the threshold 0.426"
    assert "facewire identity negative-examples" in advice
    assert why == (
        "Ada Lovelace has a similarity of 0.712, but the face is nearer to a negative example: 0.850"
    )
    assert first.endswith("passed over")
    assert not second.endswith("passed over")
    assert short_reason(face(made), GROUNDS) == "0.712, nearer to a negative example"


def test_who_was_passed_over_is_no_runner_up() -> None:
    judgment = passed_over(DecidingRule.ALONE_ABOVE_THRESHOLD)
    cy = replace(CY, negative_example_similarity=0.1)
    made = decision(
        Outcome.KNOWN, cy, judgment=judgment, candidates=(NOT_ADA, cy, BO), margin=0.405
    )
    lines = explained(made)
    assert lines[0] == "known: cy"
    assert "Bo (bo) comes next, 0.405 behind, and does not reach the threshold" in lines
    assert any(line.startswith("Ada Lovelace has a similarity of 0.712, but") for line in lines)
    unlisted = explained(replace(made, candidates=()))
    assert any(line.startswith("a person has a similarity of 0.712, but") for line in unlisted)


def test_an_empty_gallery_has_no_person_to_compare_with() -> None:
    found, quality = explained(decision(Outcome.UNKNOWN))
    assert found == "unknown: the gallery has no person to compare with"
    assert quality.startswith("quality:")


def test_an_ambiguous_face_says_between_whom_and_how_near_they_are() -> None:
    lines = explained(decision(Outcome.AMBIGUOUS, ADA, CY))
    assert lines[0] == "ambiguous between Ada Lovelace (ada) and cy"
    assert lines[2] == "both reach the threshold, 0.007 apart; a name needs 0.030"
    assert any("facewire identity merge" in line for line in lines)
    unsaid = explained(decision(Outcome.AMBIGUOUS, ADA, CY), grounds=Grounds("staff"))
    assert unsaid[2] == "both reach the threshold, 0.007 apart"


def test_a_face_that_is_too_poor_has_a_line_for_each_fault() -> None:
    made = decision(Outcome.TOO_POOR)
    found, small, blurred, quality = explained(made, QualityFault.TOO_SMALL, QualityFault.BLURRED)
    assert found == "too poor: the face was compared with no person"
    assert small.startswith("too small (eyes 6.2 pixels apart, the least is 8): come nearer")
    assert blurred.startswith("blurred (sharpness along the worse axis 2.8): hold still")
    assert quality.startswith("quality:")
    assert "The server does not say what is wrong with it." in explained(made)


def test_an_outcome_of_another_version_is_printed_as_it_is() -> None:
    assert explained(decision(Outcome.PENDING))[0] == "pending"


@pytest.mark.parametrize(
    ("fault", "measured", "advice"),
    [
        (QualityFault.TOO_SMALL, "(eyes 6.2 pixels apart, the least is 8)", "come nearer"),
        (QualityFault.BLURRED, "(sharpness along the worse axis 2.8)", "focus"),
        (
            QualityFault.TURNED_AWAY,
            "(0.40 to the viewer's left, 0.05 up)",
            "look into the camera",
        ),
        (QualityFault.TOO_DARK, "(brightness 12 of 255)", "add light"),
        (QualityFault.TOO_BRIGHT, "(brightness 12 of 255)", "reduce light"),
        (QualityFault.UPSIDE_DOWN, "", "turn the picture"),
        (QualityFault.COVERED, "", "dark glasses"),
        (QualityFault.UNRECOGNIZABLE, "(norm of the embedding 3.1)", "sharp, frontal"),
    ],
)
def test_a_fault_has_its_number_and_says_what_to_do(
    fault: QualityFault, measured: str, advice: str
) -> None:
    (line,) = fault_lines(replace(QUALITY, faults=(fault,)), 8.0)
    assert line.startswith(fault.value.lower().replace("_", " "))
    assert measured in line
    assert advice in line


def test_every_fault_is_explained() -> None:
    known = [fault for fault in QualityFault if fault is not QualityFault.UNSPECIFIED]
    lines = fault_lines(replace(QUALITY, faults=tuple(known)), None)
    assert len(lines) == len(known)
    assert all(": " in line for line in lines)
    assert "least" not in lines[known.index(QualityFault.TOO_SMALL)]


def test_a_norm_that_was_not_measured_is_unknown() -> None:
    assert "norm 3.1" in quality_line(QUALITY, 0.98)
    assert "norm unknown" in quality_line(replace(QUALITY, embedding_norm=0.0), 0.98)


@pytest.mark.parametrize(
    ("source", "chosen"),
    [
        (ThresholdSource.REQUEST, "set by this request"),
        (ThresholdSource.OPERATOR, "set by the operator"),
        (ThresholdSource.GALLERY_SIZE, "by the number of people"),
        (ThresholdSource.UNSPECIFIED, "the server does not say why"),
    ],
)
def test_a_threshold_without_an_error_rate_says_nothing_of_strangers(
    source: ThresholdSource, chosen: str
) -> None:
    made = decision(Outcome.KNOWN, ADA, threshold_source=source)
    gallery, threshold, strangers = threshold_lines(made, GROUNDS)
    assert gallery == "gallery staff, 12 people, revision 34"
    assert threshold.startswith("threshold 0.426, ")
    assert chosen in threshold
    assert "not known" in strangers


@pytest.mark.parametrize(("max_fpir", "share"), [(0.003, "0.3%"), (1e-5, "0.001%"), (0.5, "50%")])
def test_a_threshold_of_an_error_rate_says_what_it_follows_from_and_what_is_expected(
    max_fpir: float, share: str
) -> None:
    made = decision(Outcome.KNOWN, ADA)
    grounds = replace(GROUNDS, max_fpir=max_fpir, false_name_rate=0.999 * max_fpir)
    _, threshold, strangers = threshold_lines(made, grounds)
    assert f"the server's error rate (max_fpir) of {share}: it follows from the number" in threshold
    assert strangers == (
        f"strangers: {100 * 0.999 * max_fpir:.3g}% of looks at people who are not enrolled are expected to get a name"
    )
    _, threshold, strangers = threshold_lines(made, replace(grounds, false_name_rate=max_fpir / 2))
    assert "a lower threshold would do; a name takes what two pictures take" in threshold
    assert strangers.startswith(f"strangers: {100 * max_fpir / 2:.3g}% of looks")
    _, threshold, _ = threshold_lines(made, replace(grounds, is_rate_of_request=True))
    assert "this request's error rate" in threshold
    grounds = replace(grounds, max_fpir=None, false_name_rate=None)
    _, threshold, strangers = threshold_lines(made, grounds)
    assert "does not say" in threshold
    assert "not known" in strangers


RULE = ThresholdRule(
    0.426, 0.003, 12, 0.11, 0.093, 0.375, 0.13, 0.1, 12, is_extrapolated=False, cohesion=1.0
)
JUDGMENT = Judgment(
    DecidingRule.ALONE_ABOVE_THRESHOLD,
    false_match_rate=2e-6,
    false_match_rate_bound=1e-5,
    is_extrapolated=False,
    false_name_rate=0.003,
    threshold_rule=RULE,
    min_margin=0.03,
    min_inter_eye_px=8.0,
    template_ids=("a" * 32, "b" * 32),
    template_count=2,
)


def test_the_judgment_has_the_numbers() -> None:
    made = decision(Outcome.KNOWN, ADA, BO, judgment=JUDGMENT)
    grounds = grounds_of("staff", [made], is_rate_of_request=False)
    assert grounds == replace(GROUNDS, false_name_rate=0.003, rule=RULE)
    lines = explained(made, grounds=grounds)
    assert lines[2] == (
        "1 comparison of two different people in 500,000 reaches this similarity (at most 1 in 100,000)"
    )
    template = f"compared with the mean of 2 templates that agree: {'a' * 32}, {'b' * 32}"
    assert template in lines
    assert threshold_lines(made, grounds)[2] == (
        "two different people have a similarity of 0.110 on average, with a spread of 0.093: 38% from 12 people of the "
        "gallery (0.130 and 0.100), the rest from the model's calibration"
    )
    rare = replace(JUDGMENT, is_extrapolated=True, template_count=25)
    lines = explained(decision(Outcome.KNOWN, ADA, BO, judgment=rare))
    assert lines[2].endswith(", a guess beyond the calibration's data")
    assert any(line.endswith(f"{'b' * 32} and 23 more") for line in lines)
    rarest = replace(rare, false_match_rate=1.8e-16, false_match_rate_bound=1e-14)
    lines = explained(decision(Outcome.KNOWN, ADA, BO, judgment=rarest))
    assert lines[2] == (
        "fewer than 1 comparison of two different people in 1,000,000 reach this similarity, a guess beyond the calibration's data"
    )
    means = replace(grounds, rule=replace(RULE, cohesion=0.875))
    assert threshold_lines(made, means)[3].endswith("resembles everyone more: by 1 ÷ 0.875")
    guess = replace(grounds, rule=replace(RULE, is_extrapolated=True))
    assert any("a guess" in line for line in threshold_lines(made, guess))


def test_a_threshold_that_was_set_says_how_many_strangers_are_expected() -> None:
    made = decision(Outcome.KNOWN, ADA, judgment=JUDGMENT, threshold_source=ThresholdSource.REQUEST)
    grounds = grounds_of("staff", [made], is_rate_of_request=False)
    _, threshold, strangers = threshold_lines(made, grounds)
    assert "set by this request" in threshold
    assert strangers == (
        "strangers: 0.3% of looks at people who are not enrolled are expected to get a name"
    )


def test_without_a_judgment_nothing_is_guessed() -> None:
    made = decision(Outcome.KNOWN, ADA)
    assert grounds_of("staff", [made], is_rate_of_request=True) == Grounds("staff")
    assert grounds_of("staff", [], is_rate_of_request=True) == Grounds("staff")


def test_what_an_old_server_or_a_narrow_token_hides_is_left_out() -> None:
    made = decision(Outcome.KNOWN, ADA, threshold=0.0)
    assert threshold_lines(made, Grounds("staff")) == [
        "gallery staff, revision 34",
        "threshold unknown: the server is too old to say",
    ]


def test_a_label_has_the_reason_in_a_few_words() -> None:
    shown = {
        "0.712, threshold 0.426": face(decision(Outcome.KNOWN, ADA)),
        "0.300, threshold 0.426": face(decision(Outcome.UNKNOWN, BO)),
        "no person to compare with": face(decision(Outcome.UNKNOWN)),
        "0.007 apart, 0.030 needed": face(decision(Outcome.AMBIGUOUS, ADA, CY)),
        "too small, blurred": face(
            decision(Outcome.TOO_POOR), QualityFault.TOO_SMALL, QualityFault.BLURRED
        ),
    }
    for words, each in shown.items():
        assert short_reason(each, GROUNDS) == words
