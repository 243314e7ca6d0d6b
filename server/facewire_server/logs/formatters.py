"""Entries as lines: JSON, or text for a person. A client's text never breaks a line or a terminal."""

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from facewire_server.logs.listener import LIBRARY_MESSAGE
from facewire_server.stacks import stack_without_messages

__all__ = ["JsonLines", "Text"]

_NAME_WIDTH: Final = 19
"""Characters of the column of names, as wide as most names of events."""

_INDENT: Final = " " * 17
"""As wide as time and level, so that an entry's further lines stand below its name."""

_PLAIN: Final = re.compile(r"[^\s\"'=\\]+")


class JsonLines(logging.Formatter):
    """One JSON object a line, of ASCII only, whatever the encoding of standard error is."""

    def __init__(self, worker: int | None = None) -> None:
        """Takes the process id that each line shows; None: none does."""
        super().__init__()
        self._head = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line: time, level, event, and the event's fields."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": _name(record),
            **self._head,
            **_fields(record, "fields"),
        }
        return json.dumps(line)


class Text(logging.Formatter):
    """One line for each entry, and an indented line for each field that has several parts."""

    def __init__(self, worker: int | None = None) -> None:
        """Takes the process id that each entry shows; None: none does."""
        super().__init__()
        self._head = [] if worker is None else [f"worker={worker}"]

    def format(self, record: logging.LogRecord) -> str:
        """Returns the line or lines."""
        time = self.formatTime(record, "%H:%M:%S")
        name = _name(record).replace("_", " ")
        head, below = [*self._head], []
        for field, value in _fields(record, "shown").items():
            if value is None or value == "" or value == () or value == []:
                continue
            if isinstance(value, Mapping):
                below += [f"{field.replace('_', ' '):<{_NAME_WIDTH}} {_pairs(value)}"]
            elif isinstance(value, str) and "\n" in value and field in ("stack", "message"):
                below += [_printable(line) for line in value.splitlines()]
            else:
                head.append(f"{field}={_text(value)}")
        first = f"{time} {record.levelname.lower():<7} {name:<{_NAME_WIDTH}} {' '.join(head)}"
        return "\n".join([first.rstrip(), *(_INDENT + line for line in below)])


def _name(record: logging.LogRecord) -> str:
    return record.getMessage() if hasattr(record, "fields") else LIBRARY_MESSAGE


def _fields(record: logging.LogRecord, attribute: str) -> Mapping[str, Any]:
    if hasattr(record, attribute):
        fields: Mapping[str, Any] = getattr(record, attribute)
        return fields
    error = record.exc_info[1] if record.exc_info else None
    stack = stack_without_messages(error) if error is not None else ""
    return {"logger": record.name, "message": record.getMessage(), "stack": stack}


def _pairs(values: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={_text(value)}" for key, value in values.items()) or "none"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    text = str(value)
    if text.isprintable() and _PLAIN.fullmatch(text):
        return text
    quotable = text.replace("\\", r"\\").replace('"', r"\"")
    return f'"{_printable(quotable)}"'


def _printable(text: str) -> str:
    """Returns the text with JSON escapes in place of the characters that are not `str.isprintable`.

    These are control characters, line breaks, and marks that reverse the direction of writing.
    """
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
