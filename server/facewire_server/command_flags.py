"""The commands of `facewire-server`, and the flags of each."""

import argparse
from pathlib import Path
from typing import Final

from facewire_server import (
    audit_command,
    calibrate_flags,
    doctor_flags,
    evaluate_flags,
    token_command,
)
from facewire_server.configuration.settings import ENVIRONMENT_PREFIX
from facewire_server.configuration.sources import add_flags
from facewire_server.workers.orders import WORK

__all__ = ["COMMANDS", "USAGE", "command_parser"]

COMMANDS: Final = frozenset(
    (
        *("run", "health", "config", "gallery", "crops"),
        *("reembed", "evaluate", "calibrate", "token", "audit", WORK),
    )
)
"""What the first argument may be."""

USAGE: Final = """\
usage: facewire-server run [FLAGS]       serve until SIGTERM or Ctrl-C; SIGHUP reloads tokens and certificates,
                                         SIGUSR2 replaces the workers one after the other
       facewire-server health [FLAGS]    check the server that these flags start: --live or --ready
       facewire-server config [FLAGS]    print every setting with its value, as a file for --env-file
       facewire-server token ACTION      add, list or revoke a token of token_file
       facewire-server audit verify      check the audit log of the data folder
       facewire-server gallery backup FOLDER [FLAGS]     save all galleries, also while a server runs
       facewire-server gallery restore FOLDER [FLAGS]    put a backup into a data folder without galleries
       facewire-server gallery restore FOLDER --replace  put it in the place of them, also while a server runs
       facewire-server gallery verify [FOLDER] [FLAGS]   read all of a backup, or of the server's galleries
       facewire-server gallery compact [FLAGS]           erase at once what was deleted, also while a server runs
       facewire-server gallery stats [FLAGS]             print what is in the server's galleries
       facewire-server gallery doctor [FLAGS]            list people who are there twice or look alike, and pictures that harm
       facewire-server crops rekey [FLAGS]    encrypt all kept crops with the first key of enrollment_crop_key_file
       facewire-server crops drop [FLAGS]     remove all kept crops
       facewire-server reembed --contract NEW --backup FOLDER [FLAGS]    all galleries under another embedding model
       facewire-server evaluate LABELS [FLAGS]           error rates of these settings on labeled pictures, as a report
       facewire-server calibrate LABELS [FLAGS]          how alike different people are to the embedding model, for its contract
       facewire-server COMMAND --help    list the flags
"""
"""What `--help` prints, and what is printed of a command that does not exist."""

_HEALTH_EXITS = """\
exit status: 0 if yes; 1 if no, or if no server answers; 2 if the command line or a setting is wrong.
"""


def command_parser(command: str) -> argparse.ArgumentParser:
    """Returns the parser of the flags of a command."""
    parser = argparse.ArgumentParser(
        f"facewire-server {command}",
        description="Serves facewire.v1. Every flag is a variable too: --max-streams is "
        f"{ENVIRONMENT_PREFIX}MAX_STREAMS. Flags win over variables, variables over --env-file.",
        epilog=_HEALTH_EXITS if command == "health" else None,
        allow_abbrev=False,
    )
    if command == "health":
        checks = parser.add_mutually_exclusive_group()
        checks.add_argument(
            "--live", action="store_true", help="whether the process answers; restart it if not"
        )
        checks.add_argument(
            "--ready",
            action="store_true",
            help="whether every service is SERVING; send it no calls if not (default)",
        )
    if command == "token":
        token_command.add_arguments(parser)
    if command == "audit":
        audit_command.add_arguments(parser)
    if command == "evaluate":
        evaluate_flags.add_arguments(parser)
    if command == "calibrate":
        calibrate_flags.add_arguments(parser)
    if command == "gallery":
        parser.add_argument(
            "verb", choices=("backup", "restore", "verify", "compact", "stats", "doctor")
        )
        parser.add_argument("folder", nargs="?", type=Path, help="of the backup")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="of restore: in the place of the galleries that are there, also while a server runs",
        )
        parser.add_argument(
            "--keep-deleted",
            action="store_true",
            help="of restore: bring back who was deleted after the backup, too",
        )
        doctor_flags.add_arguments(parser)
    if command == "crops":
        parser.add_argument("verb", choices=("rekey", "drop"))
    if command == "reembed":
        parser.add_argument(
            "--contract", required=True, help="the new model contract: a name, or a JSON file"
        )
        parser.add_argument(
            "--backup",
            required=True,
            type=Path,
            help="folder of the backup that is made before the switch",
        )
        parser.add_argument(
            "--report",
            type=Path,
            help="file that takes who lacks crops, ids and names (default: standard output)",
        )
        parser.add_argument(
            "--drop", action="store_true", help="switch although templates without a crop are lost"
        )
    add_flags(parser)
    return parser
