"""The command `facewire-server token`: adds, lists and revokes the tokens of the file that `token_file` names."""

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from facewire_server.access.command_trail import kept_by_command
from facewire_server.access.roles import Role
from facewire_server.access.token_changes import add_token, revoke_token
from facewire_server.access.token_file import TokenFileError, is_label, parse_tokens
from facewire_server.access.tokens import Token
from facewire_server.configuration.settings import Settings
from facewire_server.galleries.ids import is_gallery_id
from facewire_server.host.disk_faults import next_step

__all__ = ["add_arguments", "run_token_command"]

_MOST_GALLERIES: Final = 40
"""Galleries of a token that its line names: their ids have up to 64 characters, and a line 4,096 bytes."""

_USAGE = """\
examples: facewire-server token add door --role camera --gallery staff --token-file tokens
          facewire-server token list --token-file tokens
          facewire-server token revoke door --token-file tokens

A running server takes a change within two seconds, and ends the calls of a token that was revoked.
The audit log of the data folder (--data) has a line for each token that was added or revoked.
exit status: 0 if done; 1 if the file or the label cannot be used; 2 if the command line or a setting is wrong.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of `token add`, `list` and `revoke`."""
    parser.epilog = _USAGE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("action", choices=("add", "list", "revoke"))
    parser.add_argument(
        "label", nargs="?", type=_label, help="of the token to add or revoke; logs show it"
    )
    parser.add_argument(
        "--role",
        action="append",
        choices=[role.value for role in Role],
        help="what the token is for; may be given several times",
    )
    parser.add_argument(
        "--gallery",
        action="append",
        type=_gallery,
        metavar="ID",
        help="limits the token to this gallery; may be given several times (default: all galleries)",
    )
    parser.add_argument(
        "--expires-days", type=_days, metavar="DAYS", help="days until it expires (default: never)"
    )


def run_token_command(arguments: argparse.Namespace, settings: Settings) -> int:
    """Carries the command out, and returns its exit status."""
    path = settings.token_file
    fault = (
        "token_file is not set: name the file with --token-file"
        if path is None
        else _fault(arguments)
    )
    if path is None or fault:
        print(f"facewire-server: {fault}", file=sys.stderr)
        return 2
    try:
        if arguments.action == "add":
            _add(arguments, path, settings.data)
        elif arguments.action == "revoke":
            revoke_token(path, arguments.label)
            _keep(settings.data, {"what": "token_revoke", "label": arguments.label})
        else:
            _list(path)
    except (TokenFileError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        print(f"facewire-server: {path}: {reason}{next_step(error)}", file=sys.stderr)
        return 1
    return 0


def _fault(arguments: argparse.Namespace) -> str:
    """Returns what is wrong with the arguments, or ""."""
    is_add = arguments.action == "add"
    if (arguments.label is None) != (arguments.action == "list"):
        return "token add and revoke need the label of a token, token list has none"
    if is_add and not arguments.role:
        return f"token add needs --role: {', '.join(role.value for role in Role)}"
    if not is_add and (arguments.role or arguments.gallery or arguments.expires_days):
        return "--role, --gallery and --expires-days belong to token add"
    return ""


def _add(arguments: argparse.Namespace, path: Path, data: Path) -> None:
    expires = None
    if arguments.expires_days is not None:
        expires = datetime.now(UTC) + timedelta(days=arguments.expires_days)
    galleries = None if arguments.gallery is None else frozenset(arguments.gallery)
    roles = frozenset(map(Role, arguments.role))
    added = add_token(path, Token(arguments.label, b"", roles, galleries, expires))
    if added.hashed_count:
        print(
            f"facewire-server: the {added.hashed_count} plain tokens of {path} are hashed now, as plain-1 and so on. They stay "
            "valid, for everything: give each caller a token of its own, then revoke them.",
            file=sys.stderr,
        )
    print(
        "facewire-server: this is the token; it is kept nowhere, and cannot be shown again:",
        file=sys.stderr,
    )
    print(added.secret)
    sys.stdout.flush()
    fields: dict[str, Any] = {
        "what": "token_add",
        "label": arguments.label,
        "roles": sorted(role.value for role in roles),
        "galleries": None if galleries is None else sorted(galleries)[:_MOST_GALLERIES],
        "expires": None if expires is None else expires.isoformat(timespec="seconds"),
    }
    _keep(data, fields)


def _keep(data: Path, fields: Mapping[str, Any]) -> None:
    """Keeps a line in the audit log. The change was made already, and stays."""
    if reason := kept_by_command(data, fields):
        print(f"facewire-server: this is not in the audit log: {reason}", file=sys.stderr)


def _list(path: Path) -> None:
    now = datetime.now(UTC)
    for token in parse_tokens(path.read_bytes().decode("ascii", errors="replace")):
        roles = ",".join(sorted(role.value for role in token.roles))
        galleries = (
            "all galleries" if token.galleries is None else ",".join(sorted(token.galleries))
        )
        expires = "never expires"
        if token.expires is not None:
            word = "expires" if token.is_valid(now) else "expired"
            expires = f"{word} {token.expires.astimezone(UTC).isoformat(timespec='seconds')}"
        print(f"{token.label}\t{roles}\t{galleries}\t{expires}")


def _label(text: str) -> str:
    if not is_label(text):
        raise argparse.ArgumentTypeError(
            'a label is 1 to 64 of letters, digits, "_", ".", "@", ":", "-"'
        )
    return text


def _gallery(text: str) -> str:
    if not is_gallery_id(text):
        raise argparse.ArgumentTypeError('a gallery id is 1 to 64 of a-z, 0-9, "-", "_", "."')
    return text


def _days(text: str) -> float:
    try:
        days = float(text)
        datetime.now(UTC) + timedelta(days=days)
    except (ValueError, OverflowError):
        days = 0.0
    if not days > 0:
        raise argparse.ArgumentTypeError(
            "must be a number of days above 0, and not beyond the year 9999"
        )
    return days
