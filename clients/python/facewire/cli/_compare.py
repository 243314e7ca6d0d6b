"""`facewire compare A B`: whether two pictures show the same person."""

from pathlib import Path

from facewire import CompareOutcome, DetectionOptions, FaceSelection
from facewire.cli._output import faults_of, print_json, print_line
from facewire.cli._pictures import read_picture
from facewire.cli._session import Server, session

__all__ = ["run"]

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
    as_json: bool,
) -> None:
    """Prints the conclusion, the similarity and the threshold.

    Raises:
        typer.Exit: with the exit code, unless it is 0.
    """
    detection = DetectionOptions(min_face_px=min_face_px)
    with session(server) as client:
        images = [read_picture(path) for path in (first, second)]
        result = client.compare(*images, selection=selection, detection=detection)
    if as_json:
        print_json(first=str(first), second=str(second), result=result)
        return
    conclusion = _WORDS.get(result.outcome, result.outcome.value)
    print_line(
        f"{conclusion} (similarity {result.similarity:.3f}, threshold {result.threshold:.3f})"
    )
    if result.outcome is CompareOutcome.TOO_POOR:
        for path, face in ((first, result.first), (second, result.second)):
            if face.quality.faults:
                print_line(f"{path}: {faults_of(face.quality)}")
