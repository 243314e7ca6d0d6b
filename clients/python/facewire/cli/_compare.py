"""`facewire compare A B`: whether two pictures show the same person."""

from pathlib import Path

from facewire import CompareOutcome, DetectionOptions, FaceSelection
from facewire.cli._output import print_json, print_line
from facewire.cli._session import Server, session

__all__ = ["run"]

_WORDS = {
    CompareOutcome.SAME: "the same person",
    CompareOutcome.DIFFERENT: "different people",
    CompareOutcome.TOO_POOR: "a face is too small to say",
}


def run(
    server: Server,
    first: Path,
    second: Path,
    *,
    selection: FaceSelection,
    min_face_px: int,
    as_json: bool,
) -> None:
    """Prints the conclusion with its grounds.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    detection = DetectionOptions(min_face_px=min_face_px)
    with session(server) as client:
        answer = client.compare(first, second, selection=selection, detection=detection)
    if as_json:
        print_json(first=str(first), second=str(second), result=answer)
        return
    words = _WORDS.get(answer.outcome, answer.outcome.value)
    print_line(f"{words} (similarity {answer.similarity:.3f}, threshold {answer.threshold:.3f})")
