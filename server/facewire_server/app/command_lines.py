"""The audit lines of the commands that change galleries, or take them away, without a server."""

import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from facewire_server.access.command_trail import kept_by_command
from facewire_server.backends.lmdb_gallery.stats import gallery_infos
from facewire_server.configuration.settings import Settings
from facewire_server.errors import ServerError

__all__ = ["keep_line", "keep_revisions"]


def keep_line(settings: Settings, what: str, **fields: Any) -> None:
    """Keeps what a command did, or says that it could not: it was done already, and stays."""
    if reason := kept_by_command(settings.data, {"what": what, **fields}):
        print(f"facewire-server: this is not in the audit log: {reason}", file=sys.stderr)


def keep_revisions(
    settings: Settings, what: str, replaced: Mapping[str, int] = MappingProxyType({})
) -> None:
    """Keeps a line for each gallery, after a command that has raised the revisions of all; with the revision that it `replaced`."""
    try:
        found = gallery_infos(settings.data / "gallery")
    except (ServerError, OSError) as error:
        print(f"facewire-server: this is not in the audit log: {error}", file=sys.stderr)
        return
    for info in found:
        keep_line(
            settings,
            what,
            gallery=info.gallery_id,
            identities=info.identity_count,
            templates=info.template_count,
            revision=info.revision,
            **({"replaced": replaced[info.gallery_id]} if info.gallery_id in replaced else {}),
        )
