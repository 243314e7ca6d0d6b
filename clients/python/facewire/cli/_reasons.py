"""Why each face was decided so, in words: pure functions of the answer, whose judgments have the numbers."""

from collections.abc import Iterable
from dataclasses import dataclass

from facewire import Candidate, Decision, Face, Outcome, ThresholdRule, ThresholdSource
from facewire.cli._faults import fault_lines, quality_line
from facewire.cli._output import counted, faults_of
from facewire.cli._passed_over import (
    is_nearer_to_example,
    is_passed_over,
    passed_over_line,
    rivals,
)

__all__ = ["Grounds", "grounds_of", "reason_lines", "short_reason", "threshold_lines"]

_SAME_RATE = 0.98
"""Share of the wanted rate below which the estimated one is another: a threshold is sent in single precision."""

_RAREST = 1e-6
"""Rarer rates are not printed: no calibration has data for them, and a number would say more than is known."""


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


def reason_lines(face: Face, grounds: Grounds) -> list[str]:
    """Returns the conclusion, then what speaks for it, then what was measured."""
    decision = face.decision
    quality = f"quality: {quality_line(face.quality, face.detection_score)}"
    match decision.outcome:
        case Outcome.KNOWN:
            found = f"known: {_named(decision.display_name, decision.identity_id)}"
            reasons = [_distance(decision), _false_match(decision), _runner_up(decision, grounds)]
            reasons.append(_template(decision))
        case Outcome.AMBIGUOUS:
            found = f"ambiguous between {_both(decision)}"
            reasons = [_distance(decision), _false_match(decision), _lead(decision, grounds)]
            reasons.append(_template(decision))
            reasons.append(
                "One person under two ids? Then `facewire identity merge` them. Else enroll more pictures of both."
            )
        case Outcome.UNKNOWN:
            found = "unknown: no person of the gallery reaches the threshold"
            reasons = [_distance(decision), _false_match(decision), _runner_up(decision, grounds)]
            reasons.append(
                "Enrolled nevertheless? Then enroll several good pictures of the person."
            )
            if is_nearer_to_example(decision):
                found = "unknown: the face is nearer to a negative example than to the person"
                reasons[2:] = [
                    "Is it that person? Then take the example back: `facewire identity negative-examples` lists them."
                ]
            if not _is_compared(decision):
                found, reasons = "unknown: the gallery has no person to compare with", []
        case Outcome.TOO_POOR:
            found = "too poor: the face was compared with no person"
            reasons = fault_lines(face.quality, grounds.min_inter_eye_px)
            reasons = reasons or ["The server does not say what is wrong with it."]
        case _:
            found, reasons = decision.label, []
    attack = _attack_line(face.presentation_attack_score)
    passed_over = passed_over_line(decision)
    return [
        found,
        *filter(None, [*reasons, passed_over]),
        *_candidate_lines(decision),
        quality,
        *attack,
    ]


def _attack_line(score: float | None) -> list[str]:
    if score is None:
        return []
    return [
        f"hint of a presentation attack (experimental): {score:.2f} of 1; a low one does not say that a person is there"
    ]


def short_reason(face: Face, grounds: Grounds) -> str:
    """Returns the reason in a few words, for a label in the picture."""
    decision = face.decision
    match decision.outcome:
        case Outcome.TOO_POOR:
            return faults_of(face.quality)
        case Outcome.AMBIGUOUS:
            needed = "" if grounds.min_margin is None else f", {grounds.min_margin:.3f} needed"
            return f"{decision.margin:.3f} apart{needed}"
        case _ if is_nearer_to_example(decision):
            return f"{decision.similarity:.3f}, nearer to a negative example"
        case _ if _is_compared(decision):
            return f"{decision.similarity:.3f}, threshold {decision.threshold:.3f}"
        case _:
            return "no person to compare with"


def _chosen(source: ThresholdSource, grounds: Grounds) -> tuple[str, str]:
    """Returns who chose a threshold and what it follows from; and what share of strangers get a name."""
    no_rate = "how many looks at people who are not enrolled end with a name is not known: the threshold follows from no error rate"
    if grounds.false_name_rate is not None:
        no_rate = f"{_share(grounds.false_name_rate)} of looks at people who are not enrolled are expected to get a name"
    match source:
        case ThresholdSource.REQUEST:
            return "set by this request: it holds exactly, whoever is in the gallery", no_rate
        case ThresholdSource.OPERATOR:
            return "set by the operator of the server: it holds exactly, in every gallery", no_rate
        case ThresholdSource.GALLERY_SIZE:
            return "chosen by the server by the number of people in the gallery", no_rate
        case ThresholdSource.ERROR_RATE if grounds.max_fpir:
            whose = "this request's" if grounds.is_rate_of_request else "the server's"
            wish = f"chosen by the server for {whose} error rate (max_fpir) of {_share(grounds.max_fpir)}"
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


def _share(rate: float) -> str:
    return f"{100 * rate:.3g}%"


def _false_match(decision: Decision) -> str:
    """Returns how often two different people are as similar."""
    judgment = decision.judgment
    if judgment is None or not judgment.false_match_rate:
        return ""
    rate, bound = judgment.false_match_rate, judgment.false_match_rate_bound or 1.0
    guess = ", a guess beyond the calibration's data" if judgment.is_extrapolated else ""
    if rate < _RAREST:
        return f"fewer than 1 comparison of two different people in {1 / _RAREST:,.0f} reach this similarity{guess}"
    return f"1 comparison of two different people in {1 / rate:,.0f} reaches this similarity (at most 1 in {1 / bound:,.0f}){guess}"


def _distance(decision: Decision) -> str:
    """Returns how far the similarity lies from the threshold."""
    distance = decision.similarity - decision.threshold
    where = "above" if distance >= 0 else "below"
    return f"similarity {decision.similarity:.3f}, {abs(distance):.3f} {where} the threshold {decision.threshold:.3f}"


def _runner_up(decision: Decision, grounds: Grounds) -> str:
    people = rivals(decision)
    if len(people) < 2:
        return "no other person to compare with" if people else ""
    second = people[1]
    text = f"{_name(second)} comes next, {decision.margin:.3f} behind"
    if second.similarity < decision.threshold:
        return f"{text}, and does not reach the threshold"
    return f"{text}, and reaches the threshold, too{_needed(grounds)}"


def _lead(decision: Decision, grounds: Grounds) -> str:
    return f"both reach the threshold, {decision.margin:.3f} apart{_needed(grounds)}"


def _needed(grounds: Grounds) -> str:
    return "" if grounds.min_margin is None else f"; a name needs {grounds.min_margin:.3f}"


def _template(decision: Decision) -> str:
    if not decision.template_id:
        return ""
    judgment = decision.judgment
    if judgment and judgment.template_count:
        count, ids = judgment.template_count, judgment.template_ids
        more = "" if count == len(ids) else f" and {count - len(ids)} more"
        mean = "template" if count == 1 else f"mean of {count} templates that agree:"
        return f"compared with the {mean} {', '.join(ids)}{more}"
    return f"compared with the mean of the pictures that agree; the oldest of them is template {decision.template_id}"


def _candidate_lines(decision: Decision) -> list[str]:
    if not decision.candidates:
        return []
    return ["nearest people:", *(f"  {_candidate(each, decision)}" for each in decision.candidates)]


def _candidate(candidate: Candidate, decision: Decision) -> str:
    from_threshold = candidate.similarity - decision.threshold
    line = f"{candidate.similarity:6.3f}  ({from_threshold:+.3f})  {_name(candidate)}, oldest template {candidate.template_id}"
    return f"{line}, passed over" if is_passed_over(candidate, decision.threshold) else line


def _both(decision: Decision) -> str:
    return " and ".join(map(_name, decision.ambiguous_between))


def _name(candidate: Candidate) -> str:
    return _named(candidate.display_name, candidate.identity_id)


def _named(display_name: str, identity_id: str) -> str:
    if display_name in ("", identity_id):
        return identity_id
    return f"{display_name} ({identity_id})"


def _is_compared(decision: Decision) -> bool:
    """Whether there was a person to compare with; servers of 0.1 do not say so, but their similarity is hardly 0."""
    return bool(decision.candidates or decision.similarity)
