"""`facewire compare A B`: whether two pictures show the same person."""

from pathlib import Path

from facewire import (
    CompareOutcome,
    Comparison,
    DecisionPolicy,
    DetectionOptions,
    FaceSelection,
    ThresholdSource,
)
from facewire.cli._output import faults_of, print_json, print_line
from facewire.cli._pictures import read_picture
from facewire.cli._rates import false_match_line, share
from facewire.cli._session import Server, session

__all__ = ["comparison_lines", "run"]

_WORDS = {
    CompareOutcome.SAME: "the same person",
    CompareOutcome.DIFFERENT: "different people",
    CompareOutcome.TOO_POOR: "a face is too poor to decide",
}


def run(
    server: Server,
    first: Path,
    second: Path,
    *,
    selection: FaceSelection,
    min_face_px: int,
    decision: DecisionPolicy,
    as_json: bool,
) -> None:
    """Prints the conclusion, then what speaks for it, then what is wrong with a face.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    detection = DetectionOptions(min_face_px=min_face_px)
    with session(server) as client:
        images = [read_picture(path) for path in (first, second)]
        result = client.compare(
            *images, selection=selection, decision=decision, detection=detection
        )
    if as_json:
        print_json(first=str(first), second=str(second), result=result)
        return
    for line in comparison_lines(result, is_rate_of_request=decision.max_fpir is not None):
        print_line(line)
    if result.outcome is CompareOutcome.TOO_POOR:
        for path, face in ((first, result.first), (second, result.second)):
            if face.quality.faults:
                print_line(f"{path}: {faults_of(face.quality)}")


def comparison_lines(result: Comparison, *, is_rate_of_request: bool) -> list[str]:
    """Returns the conclusion, how often two different people are as similar, and what the threshold follows from.

    Args:
        result: of the comparison.
        is_rate_of_request: the request set the error rate.
    """
    conclusion = _WORDS.get(result.outcome, result.outcome.value)
    rate = false_match_line(
        "this similarity",
        result.false_match_rate,
        result.false_match_rate_bound,
        is_extrapolated=result.is_extrapolated,
    )
    lines = [
        f"{conclusion} (similarity {result.similarity:.3f}, threshold {result.threshold:.3f})",
        rate,
        _threshold_line(result, is_rate_of_request=is_rate_of_request),
        _blurred_line(result),
    ]
    return [line for line in lines if line]


def _threshold_line(result: Comparison, *, is_rate_of_request: bool) -> str:
    """Returns who chose the threshold, and how often two different people reach it; "" of a server that is too old to say."""
    fmr = result.threshold_false_match_rate
    reached = false_match_line("it", fmr) or "how often two different people reach it is not known"
    usual = f"threshold {result.threshold - result.threshold_raise:.3f}"
    match result.threshold_source:
        case ThresholdSource.REQUEST:
            return f"{usual}, set by this request: it holds exactly; {reached}"
        case ThresholdSource.OPERATOR:
            return f"{usual}, set by the operator of the server; {reached}"
        case ThresholdSource.ERROR_RATE if fmr:
            whose = "this request's" if is_rate_of_request else "the server's"
            return f"{usual}, chosen by the server for {whose} error rate (max_fmr) of {share(fmr)}: {reached}"
        case ThresholdSource.GALLERY_SIZE:
            return f"{usual}, the server's for a model without a calibration; {reached}"
        case _:
            return ""


def _blurred_line(result: Comparison) -> str:
    """Returns what two blurred faces change."""
    if not result.are_both_blurred:
        return ""
    alike = "both faces are blurred, and such faces resemble each other more, whoever they are"
    if result.threshold_raise:
        return f"{alike}: the threshold is raised by {result.threshold_raise:.3f}"
    return f"{alike}: the threshold is not raised for them"
