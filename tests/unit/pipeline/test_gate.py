"""The gate says what is wrong with a face, what was measured, which setting objects, and what to do."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.types import Quality, QualityFault

LIMITS = QualityLimits(
    prefix="enroll_",
    min_inter_eye_px=16,
    min_directional_sharpness=6,
    min_norm=7.5,
    max_yaw=0.35,
    max_pitch=0.45,
    min_brightness=20,
    max_brightness=200,
    max_upside_down=0.4,
    min_eye_brightness=0.2,
)
HEAD_DOWN = np.array([0, 1], np.float32)
UPRIGHT = np.array([1, 0], np.float32)
GATE = Gate(LIMITS, upside_down=HEAD_DOWN)
GOOD = Quality(40.0, 150.0, 110.0, directional_sharpness=50.0, yaw=0.05, pitch=-0.04)


def test_a_good_face_passes() -> None:
    examined = GATE.examine(GOOD, norm=12.5, embedding=UPRIGHT, eye_brightness=0.7)
    assert examined == (GOOD._replace(embedding_norm=12.5), ())


@pytest.mark.parametrize(
    ("change", "fault", "text"),
    [
        ({"inter_eye_px": 15.9}, QualityFault.TOO_SMALL, "16 pixels apart; enroll_min_inter_eye"),
        ({"brightness": 19.0}, QualityFault.TOO_DARK, "add light"),
        (
            {"brightness": 201.0},
            QualityFault.TOO_BRIGHT,
            "enroll_max_brightness asks for at most 200",
        ),
        ({"directional_sharpness": 5.9}, QualityFault.BLURRED, "hold still"),
        ({"yaw": -0.36}, QualityFault.TURNED_AWAY, "enroll_max_yaw asks for at most 0.35"),
        ({"yaw": 0.36}, QualityFault.TURNED_AWAY, "look into the camera"),
        ({"pitch": 0.46}, QualityFault.TURNED_AWAY, "enroll_max_pitch asks for at most 0.45"),
        ({"pitch": float("nan")}, QualityFault.TURNED_AWAY, "enroll_max_pitch"),
    ],
)
def test_a_fault_of_the_crop_or_the_landmarks(
    change: dict[str, Any], fault: QualityFault, text: str
) -> None:
    quality, (objection,) = GATE.examine(GOOD._replace(**change))
    assert quality.faults == (fault,)
    assert objection.fault is fault
    assert text in objection.text


def test_an_unrecognizable_probe_names_the_causes_which_alone_refuse_no_face() -> None:
    causes = QualityLimits(min_directional_sharpness=6, max_yaw=0.35, min_brightness=20)
    gate = Gate(QualityLimits(min_inter_eye_px=8, min_norm=5), causes=causes)
    poor = GOOD._replace(directional_sharpness=2.0, yaw=0.5)
    assert not gate.examine(poor, norm=9.0).quality.faults
    assert gate.examine(GOOD, norm=4.0).quality.faults == (QualityFault.UNRECOGNIZABLE,)
    assert gate.examine(poor, norm=4.0).quality.faults == (
        QualityFault.BLURRED,
        QualityFault.TURNED_AWAY,
        QualityFault.UNRECOGNIZABLE,
    )
    other = gate.asking(min_inter_eye_px=50.0)
    assert other.examine(poor._replace(brightness=9.0), norm=4.0).quality.faults == (
        QualityFault.TOO_SMALL,
        QualityFault.TOO_DARK,
        QualityFault.BLURRED,
        QualityFault.TURNED_AWAY,
        QualityFault.UNRECOGNIZABLE,
    )


def test_faults_of_embedding_and_eyes() -> None:
    assert GATE.examine(GOOD, norm=7.4).quality.faults == (QualityFault.UNRECOGNIZABLE,)
    covered = GATE.examine(GOOD, eye_brightness=0.19)
    assert covered.quality.faults == (QualityFault.COVERED,)
    assert "dark glasses" in covered.objections[0].text
    tilted = np.array([0.9, 0.41], np.float32)
    turned = GATE.examine(GOOD, embedding=tilted)
    assert turned.quality.faults == (QualityFault.UPSIDE_DOWN,)
    assert "turn the picture by 180 degrees" in turned.objections[0].text


@pytest.mark.parametrize(
    ("norm", "tilt", "is_near"),
    [
        (10.0, 0.2, False),
        (7.8, 0.2, True),  # an exact norm of 7.41 is too short
        (7.3, 0.2, True),  # an exact norm of 7.66 is long enough
        (7.0, 0.2, False),
        (10.0, 0.39, True),
        (10.0, 0.41, True),
        (10.0, 0.45, False),
        (0.0, 0.2, False),  # unknown, and so it will be
    ],
)
def test_a_fault_that_an_exact_embedding_might_have_or_lack_is_near(
    norm: float, tilt: float, is_near: bool
) -> None:
    embedding = np.array([np.sqrt(1 - tilt**2), tilt], np.float32)
    errors = {"similarity_error": 0.02, "norm_error": 0.05}
    assert GATE.is_near(norm, embedding, **errors) is is_near
    without_limits = Gate(QualityLimits(), upside_down=HEAD_DOWN)
    assert not without_limits.is_near(norm, embedding, **errors)
    assert not GATE.is_near(norm, embedding, similarity_error=0.0, norm_error=0.0)


def test_what_is_unknown_refuses_no_face() -> None:
    assert not GATE.examine(GOOD, norm=0.0).objections, "an old servable returns no norm"
    without_direction = Gate(LIMITS)
    assert not without_direction.examine(GOOD, embedding=HEAD_DOWN).objections


def test_a_limit_of_0_switches_its_check_off() -> None:
    poor = Quality(1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0)
    examined = Gate(QualityLimits(), upside_down=HEAD_DOWN).examine(
        poor, norm=0.1, embedding=HEAD_DOWN, eye_brightness=0.0
    )
    assert examined == (poor._replace(embedding_norm=0.1), ())


def test_all_faults_are_listed_once_and_what_explains_others_comes_first() -> None:
    poor = Quality(1.0, 0.0, 1.0, 0.1, 0.0, 1.0, 1.0)
    examined = GATE.examine(poor, norm=5.0, embedding=HEAD_DOWN, eye_brightness=0.1)
    assert examined.quality.faults == (
        QualityFault.TOO_SMALL,
        QualityFault.UPSIDE_DOWN,
        QualityFault.TOO_DARK,
        QualityFault.BLURRED,
        QualityFault.TURNED_AWAY,
        QualityFault.COVERED,
        QualityFault.UNRECOGNIZABLE,
    )
    assert tuple(one.fault for one in examined.objections) == examined.quality.faults


def test_a_requests_own_limit_of_size_changes_no_other() -> None:
    other = GATE.asking(min_inter_eye_px=50.0)
    faults = other.examine(GOOD, norm=7.0, embedding=HEAD_DOWN).quality.faults
    assert faults == (
        QualityFault.TOO_SMALL,
        QualityFault.UPSIDE_DOWN,
        QualityFault.UNRECOGNIZABLE,
    )


def test_faults_of_an_earlier_examination_do_not_stay() -> None:
    before = GOOD._replace(faults=(QualityFault.BLURRED,))
    assert GATE.examine(before).quality.faults == ()


@pytest.mark.parametrize(
    ("stored", "embedding", "is_refused"),
    [
        (GOOD._replace(embedding_norm=12.5), UPRIGHT, False),
        (Quality(0.0, 0.0, 0.0), UPRIGHT, False),  # nothing is known
        (Quality(40.0, 150.0, 110.0), UPRIGHT, False),  # what older servers stored
        (Quality(0.0, 0.0, 0.0), HEAD_DOWN, True),  # the embedding suffices
        (GOOD._replace(directional_sharpness=0.1), UPRIGHT, True),
        (GOOD._replace(embedding_norm=0.1), UPRIGHT, True),
        (GOOD._replace(inter_eye_px=2.0), UPRIGHT, True),
        (GOOD._replace(brightness=1.0), UPRIGHT, True),
        (GOOD._replace(yaw=-0.9), UPRIGHT, True),
    ],
)
def test_a_template_made_elsewhere_is_refused_for_what_was_stored_of_it(
    stored: Quality, embedding: NDArray[np.float32], is_refused: bool
) -> None:
    assert bool(GATE.stored_faults(stored, embedding)) is is_refused
