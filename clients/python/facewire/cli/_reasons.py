"""Why each face was decided so, in words: pure functions of the answer and of what the server says of itself."""

from dataclasses import dataclass

from facewire import Candidate, Decision, Face, Outcome, ThresholdSource
from facewire.cli._faults import fault_lines, quality_line
from facewire.cli._output import counted, faults_of

__all__ = ["Grounds", "reason_lines", "short_reason", "threshold_lines"]


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
    """

    gallery_id: str
    identity_count: int | None = None
    max_fpir: float | None = None
    is_rate_of_request: bool = False
    min_margin: float | None = None
    min_inter_eye_px: float | None = None


def threshold_lines(decision: Decision, grounds: Grounds) -> list[str]:
    """Returns what the threshold is, who chose it, what it follows from, and how many strangers get a name."""
    people = ""
    if grounds.identity_count is not None:
        people = f", {counted(grounds.identity_count, 'person', 'people')}"
    gallery = f"gallery {grounds.gallery_id}{people}, revision {decision.gallery_revision}"
    if not decision.threshold:
        return [gallery, "threshold unknown: the server is too old to say"]
    chosen, strangers = _chosen(decision.threshold_source, grounds)
    return [gallery, f"threshold {decision.threshold:.3f}, {chosen}", f"strangers: {strangers}"]


def reason_lines(face: Face, grounds: Grounds) -> list[str]:
    """Returns the conclusion, then what speaks for it, then what was measured."""
    decision = face.decision
    quality = f"quality: {quality_line(face.quality, face.detection_score)}"
    match decision.outcome:
        case Outcome.KNOWN:
            found = f"known: {_named(decision.display_name, decision.identity_id)}"
            reasons = [_distance(decision), _runner_up(decision, grounds), _template(decision)]
        case Outcome.AMBIGUOUS:
            found = f"ambiguous between {_both(decision)}"
            reasons = [_distance(decision), _lead(decision, grounds), _template(decision)]
            reasons.append(
                "One person under two ids? Then `facewire forget` one of them. Else enroll more pictures of both."
            )
        case Outcome.UNKNOWN:
            found = "unknown: no person of the gallery reaches the threshold"
            reasons = [_distance(decision), _runner_up(decision, grounds)]
            reasons.append(
                "Enrolled nevertheless? Then enroll several good pictures of the person."
            )
            if not _is_compared(decision):
                found, reasons = "unknown: the gallery has no person to compare with", []
        case Outcome.TOO_POOR:
            found = "too poor: the face was compared with no person"
            reasons = fault_lines(face.quality, grounds.min_inter_eye_px)
            reasons = reasons or ["The server does not say what is wrong with it."]
        case _:
            found, reasons = decision.label, []
    attack = _attack_line(face.presentation_attack_score)
    return [found, *filter(None, reasons), *_candidate_lines(decision), quality, *attack]


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
        case _ if _is_compared(decision):
            return f"{decision.similarity:.3f}, threshold {decision.threshold:.3f}"
        case _:
            return "no person to compare with"


def _chosen(source: ThresholdSource, grounds: Grounds) -> tuple[str, str]:
    """Returns who chose a threshold and what it follows from; and what share of strangers get a name."""
    no_rate = "how many looks at people who are not enrolled end with a name is not known: the threshold follows from no error rate"
    match source:
        case ThresholdSource.REQUEST:
            return "set by this request: it holds exactly, whoever is in the gallery", no_rate
        case ThresholdSource.OPERATOR:
            return "set by the operator of the server: it holds exactly, in every gallery", no_rate
        case ThresholdSource.GALLERY_SIZE:
            return "chosen by the server by the number of people in the gallery", no_rate
        case ThresholdSource.ERROR_RATE if grounds.max_fpir:
            whose = "this request's" if grounds.is_rate_of_request else "the server's"
            share = f"{100 * grounds.max_fpir:.3g}%"
            return (
                f"chosen by the server for {whose} error rate (max_fpir) of {share}: it follows from the number of people in "
                "the gallery and from how much they resemble one another, and is not below that of two pictures that are compared",
                f"{share} of looks at people who are not enrolled may give a name, 1 in {1 / grounds.max_fpir:,.0f}",
            )
        case ThresholdSource.ERROR_RATE:
            return "chosen by the server for an error rate that it does not say", no_rate
        case _:
            return "the server does not say why", no_rate


def _distance(decision: Decision) -> str:
    """Returns how far the similarity lies from the threshold."""
    distance = decision.similarity - decision.threshold
    where = "above" if distance >= 0 else "below"
    return f"similarity {decision.similarity:.3f}, {abs(distance):.3f} {where} the threshold {decision.threshold:.3f}"


def _runner_up(decision: Decision, grounds: Grounds) -> str:
    if len(decision.candidates) < 2:
        return "no other person to compare with" if decision.candidates else ""
    second = decision.candidates[1]
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
    return f"compared with the mean of the pictures that agree; the oldest of them is template {decision.template_id}"


def _candidate_lines(decision: Decision) -> list[str]:
    if not decision.candidates:
        return []
    return ["nearest people:", *(f"  {_candidate(each, decision)}" for each in decision.candidates)]


def _candidate(candidate: Candidate, decision: Decision) -> str:
    from_threshold = candidate.similarity - decision.threshold
    return f"{candidate.similarity:6.3f}  ({from_threshold:+.3f})  {_name(candidate)}, oldest template {candidate.template_id}"


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
