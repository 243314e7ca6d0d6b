"""Breaks of a camera's stream are judged by the back-off, and what did not happen is not judged."""

import argparse
import json
from collections.abc import Sequence
from typing import Any

import pytest

from bench.camera_breaks import Break, judge_breaks
from bench.report import Report

CUT = Break(False, [0.9], 1.0)
RESTART = Break(True, [0.6, 1.7, 3.9], 2.0)


def judged(
    capsys: pytest.CaptureFixture[str], breaks: Sequence[Break]
) -> tuple[dict[str, bool], str]:
    """Each aim and whether it is met, and what is printed before the last line."""
    report = Report("camera_breaks", argparse.Namespace(json=False, gate=False))
    judge_breaks(report, breaks)
    report.finish()
    *shown, last = capsys.readouterr().out.splitlines()
    values: Any = json.loads(last)
    return {each["aim"]: each["met"] for each in values["aims"]}, "\n".join(shown)


def test_a_kind_of_break_that_did_not_happen_has_no_aim_and_is_named(capsys) -> None:
    for only, other in ((CUT, "a restart"), (RESTART, "a cut")):
        aims, shown = judged(capsys, [only])
        assert len(aims) == 2
        assert all(aims.values())
        assert not any(other in aim for aim in aims)
        assert f"Without {other}: no aim of it is judged." in shown


def test_several_attempts_after_one_break_are_held_against_the_schedule(capsys) -> None:
    long = [min(2.0**number, 30) for number in range(8)]
    assert all(judged(capsys, [CUT._replace(pauses_s=long, back_s=30)])[0].values())
    for number in range(8):
        pauses_s = [pause_s + 0.01 * (place == number) for place, pause_s in enumerate(long)]
        aims, _ = judged(capsys, [CUT, RESTART._replace(pauses_s=pauses_s)])
        assert [aim for aim, met in aims.items() if not met] == [
            "pauses after a restart beyond the back-off"
        ]


def test_a_camera_that_comes_back_long_after_its_last_pause_is_late(capsys) -> None:
    aims, _ = judged(capsys, [CUT._replace(back_s=CUT.pauses_s[-1] + 2.1), RESTART])
    (missed,) = (aim for aim, met in aims.items() if not met)
    assert missed.startswith("next result after a cut")
