"""The command `facewire-server audit verify`: checks the audit log of the data folder, and compares it with the galleries."""

import argparse
import re
import sys
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from facewire_server.access.audit_lines import AuditLineError, Link
from facewire_server.access.audit_verify import Verified, verify
from facewire_server.configuration.settings import Settings
from facewire_server.errors import ServerError
from facewire_server.host.disk_faults import next_step

__all__ = ["add_arguments", "run_audit_command"]

_LINE_S: Final = 2.0
"""Seconds in which a running server writes the line of a change that it has made. Chosen, not measured: milliseconds as a rule."""

_LOOK_S: Final = 0.2
"""Seconds between two looks. Chosen, not measured."""

_ANCHOR: Final = re.compile(r"(\d{1,18}):([0-9a-f]{64})")

_EPILOG: Final = """\
exit status: 0 if the log is whole and has a line of each change of the galleries; 1 if not, or if it cannot be read; 2 if the command line or a setting is wrong.
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


def run_audit_command(
    arguments: argparse.Namespace,
    settings: Settings,
    revisions: Callable[[Path], Mapping[str, int]],
) -> int:
    """Carries the command out, and returns its exit status.

    Args:
        arguments: of the command line.
        settings: of the server.
        revisions: returns the revision of each gallery in a data folder; raises OSError or ServerError.
    """
    folder = settings.data / "audit"
    try:
        galleries = revisions(settings.data)
        found, missing = _verified(folder, arguments.anchor, galleries)
    except (AuditLineError, ServerError) as error:
        print(f"facewire-server: {folder}: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"facewire-server: {where}{next_step(error)}", file=sys.stderr)
        return 1
    if found.cut_bytes:
        print(
            f"facewire-server: {found.cut_bytes} bytes of a line that a crash cut short are at the end",
            file=sys.stderr,
        )
    for gallery_id, what in missing.items():
        print(f"facewire-server: gallery {gallery_id}: {what}", file=sys.stderr)
    if missing:
        print(
            f"facewire-server: {folder}: changes of galleries have no line: the log's end was cut off, or a server was killed, "
            "or could not write, before it wrote them (audit_failed)",
            file=sys.stderr,
        )
        return 1
    for gallery_id in sorted(found.logged.imports & galleries.keys()):
        print(
            f"facewire-server: gallery {gallery_id}: an import is under way or was killed; its changes have no line yet",
            file=sys.stderr,
        )
    print(f"{found.last.number}:{found.last.chain}")
    return 0


def _verified(
    folder: Path, anchors: Collection[Link], galleries: Mapping[str, int]
) -> tuple[Verified, Mapping[str, str]]:
    """Verifies the log, and compares it; again for a while if a line is missing that a running server may be about to write."""
    ends_at_s = time.monotonic() + _LINE_S
    while True:
        found = verify(folder, anchors)
        missing = found.logged.missing(galleries)
        if not missing or time.monotonic() > ends_at_s:
            return found, missing
        time.sleep(_LOOK_S)


def _link(text: str) -> Link:
    found = _ANCHOR.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("an anchor is NUMBER:HASH, as audit verify prints it")
    return Link(int(found[1]), found[2])
