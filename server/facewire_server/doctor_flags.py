"""The flags of `facewire-server gallery doctor`."""

import argparse
from typing import Final

__all__ = ["FOUND", "add_arguments"]

FOUND: Final = 1
"""Exit status of `--check` if something was found, as of a command that failed."""

_EPILOG: Final = """\
exit status: 0 if the command did its work; 1 if not, and for `doctor --check` if something was found or a gallery is damaged; 2 if
the command line or a setting is wrong.
doctor compares all pairs of people, so twice as many take four times as long: 100,000 people of 128 numbers took 38 s of processor time,
50 s on two busy processors, and 510 MB. It uses all processors: run it with `nice` beside a busy server.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `gallery doctor`."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--gallery", metavar="ID", help="of doctor: this gallery only (default: all)"
    )
    parser.add_argument(
        "--limit",
        type=_positive,
        default=20,
        metavar="N",
        help="of doctor: most findings of a kind that are listed, worst first (default: 20)",
    )
    parser.add_argument(
        "--names",
        action="store_true",
        help="of doctor: with display names, which terminals and logs keep",
    )
    parser.add_argument(
        "--json", action="store_true", help="of doctor: one JSON object, for programs"
    )
    parser.add_argument(
        "--check", action="store_true", help="of doctor: exit status 1 if something was found"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number
