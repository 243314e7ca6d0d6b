"""Why each face was decided so, in words: pure functions of the answer, whose judgments have the numbers."""

from facewire import Candidate, Decision, Face, Outcome
from facewire.cli._faults import fault_lines, quality_line
from facewire.cli._grounds import Grounds
from facewire.cli._output import faults_of
from facewire.cli._passed_over import (
    is_nearer_to_example,
    is_passed_over,
    passed_over_line,
    rivals,
)
from facewire.cli._rates import false_match_line

__all__ = ["reason_lines", "short_reason"]


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


def _false_match(decision: Decision) -> str:
    """Returns how often two different people are as similar."""
    judgment = decision.judgment
    if judgment is None:
        return ""
    return false_match_line(
        "this similarity",
        judgment.false_match_rate,
        judgment.false_match_rate_bound,
        is_extrapolated=judgment.is_extrapolated,
    )


def _distance(decision: Decision) -> str:
    """Returns how far the similarity lies from the threshold."""
    distance = decision.similarity - decision.threshold
    where = "above" if distance >= 0 else "below"
    return f"similarity {decision.similarity:.3f}, {abs(distance):.3f} {where} the threshold {decision.threshold:.3f}"


def _runner_up(decision: Decision, grounds: Grounds) -> str:
    people = rivals(decision)
    if len(people) < 2:
        return _without_runner_up(decision) if people else ""
    second = people[1]
    text = f"{_name(second)} comes next, {decision.margin:.3f} behind"
    if second.similarity < decision.threshold:
        return f"{text}, and does not reach the threshold"
    return f"{text}, and reaches the threshold, too{_needed(grounds)}"


def _without_runner_up(decision: Decision) -> str:
    """Returns what is known of a runner-up who is not listed."""
    if decision.margin > 0:
        return f"the next person is {decision.margin:.3f} behind"
    passed_over = len(rivals(decision)) < len(decision.candidates)
    return f"no other person to compare with{', except who was passed over' if passed_over else ''}"


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
