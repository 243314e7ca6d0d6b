"""The log entry of each event: one table, and the conversion.

The name of an entry is that of the event's class, its fields are the event's, both in the
words of the code. docs/logs.md lists them all; a test compares.
"""

import logging
import re
from asyncio import CancelledError
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final
from urllib.parse import unquote

from facewire_server.events import (
    AttackModelFailed,
    AuditFailed,
    CallRefused,
    ConnectionsClosed,
    CredentialsReloaded,
    DeletedErased,
    Draining,
    DrainOverran,
    ErasureFailed,
    Event,
    FileExposed,
    FrameDamaged,
    GalleryChanged,
    GalleryExported,
    GalleryStateChanged,
    InternalError,
    JournalFailed,
    JournalReplaced,
    LameDuck,
    Listening,
    LoopLag,
    MetricsListening,
    ModelStateChanged,
    RoleRefused,
    ServerStarted,
    StopForced,
    Stopped,
    StreamEnded,
    StreamOpened,
    StreamRefused,
    TlsFailed,
    TokenRefused,
    UnknownFailed,
    WorkerDied,
    WorkerServes,
    WorkersGivenUp,
    WorkersReplaced,
)

__all__ = ["ENTRIES", "Entry", "Kind", "entry_of"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log.

    Attributes:
        level: of `logging`.
        name: of the event, such as "stream_ended".
        fields: as JSON; every entry of this name has the same ones.
        shown: the fields for a person at a terminal.
    """

    level: int
    name: str
    fields: Mapping[str, Any]
    shown: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """How events of one class are logged.

    Attributes:
        level: of `logging`, for an event of the class.
        is_limited: a client can cause it at any rate, so its entries are limited.
    """

    level: Callable[[Any], int] = lambda event: logging.INFO
    is_limited: bool = False


def _warning(event: Event) -> int:
    return logging.WARNING


def _error(event: Event) -> int:
    return logging.ERROR


def _of_storage(event: GalleryStateChanged) -> int:
    if event.damaged_galleries or not event.is_whole:
        return logging.ERROR
    return logging.INFO if event.is_writable else logging.WARNING


ENTRIES: Final[Mapping[type[Any], Kind]] = {
    ServerStarted: Kind(),
    Listening: Kind(),
    FileExposed: Kind(_warning),
    MetricsListening: Kind(),
    ModelStateChanged: Kind(lambda event: logging.WARNING if event.reason else logging.INFO),
    CredentialsReloaded: Kind(lambda event: logging.ERROR if event.error else logging.INFO),
    TokenRefused: Kind(_warning, is_limited=True),
    RoleRefused: Kind(_warning, is_limited=True),
    CallRefused: Kind(_warning, is_limited=True),
    ConnectionsClosed: Kind(_warning, is_limited=True),
    TlsFailed: Kind(_warning, is_limited=True),
    StreamOpened: Kind(is_limited=True),
    StreamRefused: Kind(_warning, is_limited=True),
    StreamEnded: Kind(
        lambda event: logging.INFO if _ended_well(event) else logging.WARNING, is_limited=True
    ),
    FrameDamaged: Kind(_warning, is_limited=True),
    # Not limited: every change and every export of a gallery must be in the log.
    GalleryChanged: Kind(lambda event: logging.WARNING if event.poor_count else logging.INFO),
    GalleryExported: Kind(),
    DeletedErased: Kind(),
    ErasureFailed: Kind(_error),  # once a minute
    GalleryStateChanged: Kind(_of_storage),
    JournalReplaced: Kind(_warning),
    JournalFailed: Kind(_warning, is_limited=True),
    UnknownFailed: Kind(_warning, is_limited=True),
    AttackModelFailed: Kind(_warning, is_limited=True),
    AuditFailed: Kind(_error, is_limited=True),
    LoopLag: Kind(_warning, is_limited=True),
    InternalError: Kind(_error, is_limited=True),
    LameDuck: Kind(),
    Draining: Kind(),
    DrainOverran: Kind(_warning),
    StopForced: Kind(_error),
    Stopped: Kind(),
    WorkerServes: Kind(),
    WorkerDied: Kind(_warning),
    WorkersGivenUp: Kind(_error),
    WorkersReplaced: Kind(lambda event: logging.ERROR if event.error else logging.INFO),
}
"""The classes that are logged. Events of every frame are not here: metrics count them."""


def entry_of(event: Event) -> Entry:
    """Returns the entry of an event whose class is in `ENTRIES`."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    if isinstance(event, StreamEnded):
        values["reason"] = _reason(event)
        del values["error"], values["is_drained"]
    logged = {name: _value(name, value) for name, value in values.items()}
    return Entry(
        ENTRIES[type(event)].level(event), _name(type(event)), logged, _shown(event, logged)
    )


def _shown(event: Event, logged: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the fields without settings that are at their default: they fill a screen."""
    if not isinstance(event, ServerStarted):
        return logged
    changed = {name: event.settings[name] for name in event.changed_settings}
    return {**logged, "settings": changed, "changed_settings": ()}


def _ended_well(event: StreamEnded) -> bool:
    return event.error is None or issubclass(event.error, CancelledError)


def _reason(event: StreamEnded) -> str:
    if event.error is None:
        return "drained" if event.is_drained else "closed"
    return "cancelled" if issubclass(event.error, CancelledError) else event.error.__name__


def _name(kind: type[Any]) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower()


def _value(name: str, value: Any) -> Any:
    if name == "peer":
        return _peer(value)
    if isinstance(value, type):
        return value.__name__
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return {key: _value(key, each) for key, each in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _peer(peer: str) -> str:
    """Returns an address without gRPC's scheme: "ipv6:%5B::1%5D:80" is "[::1]:80"."""
    return unquote(peer).removeprefix("ipv4:").removeprefix("ipv6:")
