"""The flags of `facewire-server evaluate`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["GATE_FAILED", "LABELS_WRONG", "STOPPED", "add_arguments", "add_pictures"]

LABELS_WRONG: Final = 2
"""Exit status if the labels cannot be used, as of a command line that is wrong."""

GATE_FAILED: Final = 3
"""Exit status if a group is worse off than is allowed; the report was written."""

STOPPED: Final = 130
"""Exit status after Ctrl-C or SIGTERM, as a shell has it: 128 and the number of SIGINT."""

_EPILOG: Final = """\
exit status: 0 if the report was written and no group is worse off than --max-group-ratio allows; 1 if a model or a file cannot be
used; 2 if the command line, a setting or the labels are wrong; 3 if the report was written and a group is worse off for certain;
130 if it was stopped by Ctrl-C or SIGTERM.
The report, and the folder of --embeddings, hold faces: biometric data. Delete both when they have been read.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `evaluate`."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_pictures(
        parser,
        "folder with one folder a person; or CSV file with path,person[,group][,faces], or "
        "path_a,path_b,same[,group][,person_a,person_b], paths relative to it",
        seed="galleries and intervals",
    )
    parser.add_argument(
        "--report",
        type=Path,
        default=Path("evaluation"),
        metavar="FOLDER",
        help="takes report.html and report.json (default: evaluation)",
    )
    parser.add_argument(
        "--enrolled",
        type=_at_least(0),
        default=0,
        metavar="N",
        help="people in a gallery (default: half of all)",
    )
    parser.add_argument(
        "--templates",
        type=_at_least(1),
        default=1,
        metavar="K",
        help="pictures that are enrolled of each person, at most; one is left to search for (default: 1)",
    )
    parser.add_argument(
        "--max-group-ratio",
        type=_ratio,
        default=2.0,
        metavar="RATIO",
        help="allowed between the error rates of the worst and the best group; 0 = not judged (default: 2)",
    )
    parser.add_argument(
        "--beside",
        action="append",
        default=[],
        metavar="CONTRACT",
        help="measure another model, too, and show it beside that of the settings: the name of a model contract, or a JSON file; "
        "may be given up to five times",
    )


def add_pictures(parser: argparse.ArgumentParser, labels: str, *, seed: str) -> None:
    """Adds the arguments of a command that takes labeled pictures through the line.

    Args:
        parser: of the command.
        labels: the forms that its labels may have.
        seed: what is drawn at random.
    """
    parser.add_argument("labels", type=Path, help=labels)
    parser.add_argument(
        "--embeddings",
        type=Path,
        metavar="FOLDER",
        help="keeps what was computed, biometric data, so that a run that was killed goes on, and the next one is fast "
        "(default: nothing is kept)",
    )
    parser.add_argument(
        "--selection",
        choices=("most-central", "largest", "only"),
        default="most-central",
        help="which face of a picture is the labeled one (default: most-central)",
    )
    parser.add_argument("--seed", type=_at_least(0), default=0, help=f"of {seed} (default: 0)")


def _at_least(least: int) -> Callable[[str], int]:
    def count(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is below {least}")
        return value

    return count


def _ratio(text: str) -> float:
    value = float(text)
    if not (value == 0 or 1 <= value < float("inf")):
        raise argparse.ArgumentTypeError(f"{text} is neither 0 nor a ratio of 1 or more")
    return value
