"""The roles, and what each permits: the one table."""

from enum import Enum
from types import MappingProxyType
from typing import Final

__all__ = ["EVERY_ROLE", "ROLES", "Permission", "Role", "roles_with"]


class Permission(Enum):
    """What a method may need."""

    INFO = "read the server's properties and its contract"
    RECOGNIZE = "recognize pictures, and stream a camera's frames"
    WATCH = "watch who is in front of which camera, and list unknown people"
    CROP = "see the picture of a track's face, and those of an unknown person"
    READ = "read which galleries and people there are"
    WRITE = "change galleries: enroll, rename, delete, import"
    PURGE = "erase at once what was deleted, and unknown people"
    CHECK = "examine what in a gallery harms its recognition"
    EXPORT = "export templates"


class Role(Enum):
    """What a token, or a certificate, is for; each value is the word in files, certificates and errors."""

    CAMERA = "camera"
    ENROLLER = "enroller"
    OPERATOR = "operator"
    EXPORTER = "exporter"


EVERY_ROLE: Final = frozenset(Role)
"""Of a plain token, and of whoever calls a server that asks for none."""

ROLES: Final = MappingProxyType(
    {
        Role.CAMERA: frozenset({Permission.INFO, Permission.RECOGNIZE}),
        # Recognize, to see before an enrollment whether the person is known; the crop of a track, to enroll it. Not the
        # feed of all cameras: someone who enrolls need not know who walked by.
        Role.ENROLLER: frozenset(
            {
                Permission.INFO,
                Permission.RECOGNIZE,
                Permission.CROP,
                Permission.READ,
                Permission.WRITE,
            }
        ),
        Role.OPERATOR: frozenset(Permission) - {Permission.EXPORT},
        # Not the list of people without an export: each export is in the audit log, a list is not.
        Role.EXPORTER: frozenset({Permission.INFO, Permission.EXPORT}),
    }
)
"""What each role permits. Embeddings leave the server with `EXPORT` only."""


def roles_with(permission: Permission) -> tuple[str, ...]:
    """Returns the names of the roles that permit something, in the order of `Role`."""
    return tuple(role.value for role in Role if permission in ROLES[role])
