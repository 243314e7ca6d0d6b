"""The flags of `facewire-server calibrate`."""

import argparse
from typing import Final

from facewire_server.evaluate_flags import add_pictures

__all__ = ["add_arguments"]

_EPILOG: Final = """\
The calibration is printed to standard output, as the entry of a model contract; what it rests on to standard error.
exit status: 0 if it was printed; 1 if a model or a file cannot be used; 2 if the command line, a setting or the labels are wrong,
or show too few people; 130 if it was stopped by Ctrl-C or SIGTERM.
The folder of --embeddings holds faces: biometric data. Delete it when the calibration is done.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `calibrate`."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_pictures(
        parser,
        "folder with one folder a person; or CSV file with path,person, or path_a,path_b,same,person_a,person_b, "
        "paths relative to it",
        seed="pictures and intervals",
    )
