"""What a reader of the report should know first: the labels to look at, strangers with a name against what was wanted, and the gate between groups."""

from typing import Final, NamedTuple

from facewire_server.evaluation.elements import interval_of, number, percent
from facewire_server.evaluation.fairness import Verdict
from facewire_server.evaluation.results import Evaluation
from facewire_server.evaluation.wanted import Against, against, at_most

__all__ = ["Finding", "findings", "gate_sentence"]

_GATE: Final = {
    Verdict.EXCEEDED: "The gate fails: a group is worse off than is allowed, and chance does not explain it.",
    Verdict.UNDECIDED: "The gate passes, but these people are too few to tell: a larger ratio than is allowed may be hidden.",
    Verdict.HELD: "The gate passes: no group is worse off than is allowed.",
}
"""Of several verdicts the first counts."""


class Finding(NamedTuple):
    """A sentence, and the part of the report that says more."""

    text: str
    anchor: str


def findings(result: Evaluation) -> list[Finding]:
    """Returns the findings, what to do first before the others."""
    found = [_labels(result), _strangers(result)]
    if result.judgments:
        found.append(Finding(gate_sentence(result)[1], "groups"))
    return [each for each in found if each is not None]


def gate_sentence(result: Evaluation) -> tuple[Verdict, str]:
    """Returns the verdict that counts of those of all error rates, and what it means; there must be one."""
    verdicts = {each.verdict for each in result.judgments}
    return next((each, text) for each, text in _GATE.items() if each in verdicts)


def _labels(result: Evaluation) -> Finding | None:
    doubles, mislabeled = len(result.suspected.doubles), len(result.suspected.mislabeled)
    suspicions = [
        _counted(doubles, "pair of names is", "pairs of names are") + " probably one person",
        _counted(mislabeled, "picture is", "pictures are") + " probably of someone else",
    ]
    named = [text for text, count in zip(suspicions, (doubles, mislabeled), strict=True) if count]
    return Finding(f"Look at the labels first: {', '.join(named)}.", "labels") if named else None


def _counted(count: int, one: str, several: str) -> str:
    return f"{number(count)} {one if count == 1 else several}"


def _strangers(result: Evaluation) -> Finding | None:
    wanted = result.wanted.fpir
    if wanted is None or result.searched is None or not result.identified[""].fpir.looks:
        return None
    rate = result.identified[""].fpir
    said = f"{percent(rate.share)} of looks ({interval_of(rate)}). {at_most(wanted).capitalize()} was wanted"
    sentences = {
        Against.ABOVE: f"Strangers get a name too often, in {said}.",
        Against.AROUND: f"Strangers got a name in {said}: these people are too few to tell whether that holds.",
        Against.BELOW: f"Strangers got a name in {said}, and that holds.",
    }
    return Finding(sentences[against(rate, wanted)], "one-to-many")
