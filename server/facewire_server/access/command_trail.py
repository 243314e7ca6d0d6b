"""Keeps what a command of the server's machine does in the audit log of a data folder."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from facewire_server.access.audit_lines import AuditLineError
from facewire_server.access.audit_log import AuditLog
from facewire_server.host.disk_faults import next_step

__all__ = ["kept_by_command"]


def kept_by_command(data: Path, fields: Mapping[str, Any]) -> str:
    """Keeps a line with the user and these fields, if the data folder is that of a server; blocks.

    Returns:
        Why it could not be kept, for people; "" = it was.
    """
    try:
        if (data / "gallery").is_dir():
            AuditLog(data / "audit").append({"who": _user(), **fields})
            return ""
    except AuditLineError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename or data}: {error.strerror}{next_step(error)}"
    return f"{data} is no server's data folder; name that with --data"


def _user() -> str:
    """Returns who runs the command, as the machine knows them."""
    try:
        return f"user {pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:  # a container has no name for each number
        return f"user {os.getuid()}"
