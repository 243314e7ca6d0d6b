"""Who makes the present call, and what they may do. Kept with the task of the call, and with those that it starts."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from facewire_server.access.roles import EVERY_ROLE, ROLES, Permission, Role, roles_with
from facewire_server.errors import RoleRequired

__all__ = ["ANYONE", "Caller", "admitted", "allowed_galleries", "caller_name", "require_gallery"]


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone who may call.

    Attributes:
        name: for logs: the label of a token, or the subject of a certificate. Never a token.
        roles: what they are for.
        galleries: ids that they are limited to; None: all galleries.
    """

    name: str
    roles: frozenset[Role]
    galleries: frozenset[str] | None = None

    def __post_init__(self) -> None:
        # An empty set is everything elsewhere, as in filters.
        if self.galleries is not None and not self.galleries:
            raise ValueError("a caller who is limited to galleries is for one at least")


ANYONE: Final = Caller("anyone", EVERY_ROLE)
"""The caller of a server that asks for neither token nor certificate."""

_PRESENT: ContextVar[tuple[Caller, Permission]] = ContextVar(
    "facewire_caller", default=(ANYONE, Permission.INFO)
)


@contextmanager
def admitted(caller: Caller, permission: Permission) -> Iterator[None]:
    """Makes the caller the present one for the block, which needs the permission.

    Raises:
        RoleRequired: none of their roles has it.
    """
    if not any(permission in ROLES[role] for role in caller.roles):
        needed = roles_with(permission)
        has = " and ".join(sorted(role.value for role in caller.roles)) or "none"
        raise RoleRequired(
            f"this needs the role {' or '.join(needed)}; the caller's is {has}", roles=needed
        )
    token = _PRESENT.set((caller, permission))
    try:
        yield
    finally:
        _PRESENT.reset(token)


def caller_name() -> str:
    """Returns the name of the present caller."""
    return _PRESENT.get()[0].name


def allowed_galleries() -> frozenset[str] | None:
    """Returns the galleries that the present caller is limited to; None: all."""
    return _PRESENT.get()[0].galleries


def require_gallery(gallery_id: str) -> None:
    """Raises RoleRequired if the present caller is not for this gallery, whether or not there is one of this id."""
    caller, permission = _PRESENT.get()
    if caller.galleries is not None and gallery_id not in caller.galleries:
        needed = roles_with(permission)
        raise RoleRequired(
            f"this needs the role {' or '.join(needed)} for this gallery; the caller is limited to other galleries",
            roles=needed,
        )
