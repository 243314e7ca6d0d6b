"""What a threshold is and what it follows from, in words: functions of the judgments of one search."""

from collections.abc import Iterable
from dataclasses import dataclass

from facewire import Decision, ThresholdRule, ThresholdSource
from facewire.cli._output import counted
from facewire.cli._rates import share

__all__ = ["Grounds", "grounds_of", "threshold_lines"]

_SAME_RATE = 0.98
"""Share of the wanted rate below which the estimated one is another: a threshold is sent in single precision."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a decision rests on besides the face; None = unknown.

    Attributes:
        gallery_id: the gallery that was searched.
        identity_count: people of it who were compared.
        max_fpir: the wanted share of looks at people who are not enrolled that give a name.
        is_rate_of_request: the request set `max_fpir`; else the server's counts.
        min_margin: lead that a name needs over another person who reaches the threshold, too.
        min_inter_eye_px: eye distance under which a face is too poor, pixels.
        false_name_rate: estimated share of such looks that get a name with the threshold in force.
        rule: what the threshold follows from, or would follow from.
    """

    gallery_id: str
    identity_count: int | None = None
    max_fpir: float | None = None
    is_rate_of_request: bool = False
    min_margin: float | None = None
    min_inter_eye_px: float | None = None
    false_name_rate: float | None = None
    rule: ThresholdRule | None = None


def grounds_of(
    gallery_id: str, decisions: Iterable[Decision], *, is_rate_of_request: bool
) -> Grounds:
    """Returns what the decisions of one search rest on, which each of their judgments says; nothing of a server that is too old.

    Args:
        gallery_id: that was searched.
        decisions: of one picture.
        is_rate_of_request: the request set `max_fpir`.
    """
    judgment = next((each.judgment for each in decisions), None)
    if judgment is None:
        return Grounds(gallery_id)
    rule = judgment.threshold_rule
    return Grounds(
        gallery_id,
        identity_count=rule.identity_count if rule else None,
        max_fpir=rule.max_fpir if rule else None,
        is_rate_of_request=is_rate_of_request,
        min_margin=judgment.min_margin,
        min_inter_eye_px=judgment.min_inter_eye_px,
        false_name_rate=judgment.false_name_rate,
        rule=rule,
    )


def threshold_lines(decision: Decision, grounds: Grounds) -> list[str]:
    """Returns what the threshold is, who chose it, what it follows from, and how many strangers get a name."""
    people = ""
    if grounds.identity_count is not None:
        people = f", {counted(grounds.identity_count, 'person', 'people')}"
    gallery = f"gallery {grounds.gallery_id}{people}, revision {decision.gallery_revision}"
    if not decision.threshold:
        return [gallery, "threshold unknown: the server is too old to say"]
    chosen, strangers = _chosen(decision.threshold_source, grounds)
    threshold = f"threshold {decision.threshold:.3f}, {chosen}"
    return [gallery, threshold, *_rule_lines(decision, grounds.rule), f"strangers: {strangers}"]


def _rule_lines(decision: Decision, rule: ThresholdRule | None) -> list[str]:
    """Returns the numbers that a threshold follows from: N, m and s, and whose they are."""
    if rule is None or decision.threshold_source is not ThresholdSource.ERROR_RATE:
        return []
    whose = "all of the model's calibration: the gallery has too few people to say"
    if rule.shrinkage:
        whose = (
            f"{100 * rule.shrinkage:.0f}% from {counted(rule.paired_identity_count, 'person', 'people')} of the gallery "
            f"({rule.pair_mean:.3f} and {rule.pair_spread:.3f}), the rest from the model's calibration"
        )
    lines = [
        f"two different people have a similarity of {rule.mean:.3f} on average, with a spread of {rule.spread:.3f}: {whose}"
    ]
    if 0 < rule.cohesion < 1:
        lines.append(
            f"people are searched by the mean of several pictures, which resembles everyone more: by 1 ÷ {rule.cohesion:.3f}"
        )
    if rule.is_extrapolated:
        lines.append(
            "the threshold rests on a rate that is rarer than the calibration's data: a guess"
        )
    return lines


def _chosen(source: ThresholdSource, grounds: Grounds) -> tuple[str, str]:
    """Returns who chose a threshold and what it follows from; and what share of strangers get a name."""
    no_rate = "how many looks at people who are not enrolled end with a name is not known: the threshold follows from no error rate"
    if grounds.false_name_rate is not None:
        no_rate = f"{share(grounds.false_name_rate)} of looks at people who are not enrolled are expected to get a name"
    match source:
        case ThresholdSource.REQUEST:
            return "set by this request: it holds exactly, whoever is in the gallery", no_rate
        case ThresholdSource.OPERATOR:
            return "set by the operator of the server: it holds exactly, in every gallery", no_rate
        case ThresholdSource.GALLERY_SIZE:
            return "chosen by the server by the number of people in the gallery", no_rate
        case ThresholdSource.ERROR_RATE if grounds.max_fpir:
            whose = "this request's" if grounds.is_rate_of_request else "the server's"
            wish = f"chosen by the server for {whose} error rate (max_fpir) of {share(grounds.max_fpir)}"
            return f"{wish}: {_followed(grounds.max_fpir, grounds.false_name_rate)}", no_rate
        case ThresholdSource.ERROR_RATE:
            return "chosen by the server for an error rate that it does not say", no_rate
        case _:
            return "the server does not say why", no_rate


def _followed(max_fpir: float, false_name_rate: float | None) -> str:
    """Returns what a threshold for an error rate follows from."""
    if false_name_rate is not None and false_name_rate < _SAME_RATE * max_fpir:
        return (
            "among so few people a lower threshold would do; a name takes what two pictures take "
            "that are compared as one person's (compare_max_fmr)"
        )
    return "it follows from the number of people in the gallery and from how much they resemble one another"
