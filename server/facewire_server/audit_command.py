"""The command `facewire-server audit verify`: checks the audit log of the data folder."""

import argparse
import re
import sys
from typing import Final

from facewire_server.access.audit_lines import AuditLineError, Link
from facewire_server.access.audit_verify import verify
from facewire_server.configuration.settings import Settings

__all__ = ["add_arguments", "run_audit_command"]

_ANCHOR: Final = re.compile(r"(\d{1,18}):([0-9a-f]{64})")

_EPILOG: Final = """\
exit status: 0 if the log is whole; 1 if not, or if it cannot be read; 2 if the command line or a setting is wrong.
Keep what is printed where those who can write the log cannot: without an anchor, nothing shows that a log was made again as a whole.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `audit verify`."""
    parser.epilog = _EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("action", choices=("verify",))
    parser.add_argument(
        "--anchor",
        action="append",
        default=[],
        type=_link,
        metavar="NUMBER:HASH",
        help="a line that an earlier verification printed, and that must still be there; may be given several times",
    )


def run_audit_command(arguments: argparse.Namespace, settings: Settings) -> int:
    """Carries the command out, and returns its exit status."""
    folder = settings.data / "audit"
    try:
        found = verify(folder, arguments.anchor)
    except AuditLineError as error:
        print(f"facewire-server: {folder}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"facewire-server: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    if found.cut_bytes:
        print(
            f"facewire-server: {found.cut_bytes} bytes of a line that a crash cut short are at the end",
            file=sys.stderr,
        )
    print(f"{found.last.number}:{found.last.chain}")
    return 0


def _link(text: str) -> Link:
    found = _ANCHOR.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("an anchor is NUMBER:HASH, as audit verify prints it")
    return Link(int(found[1]), found[2])
