"""Prints results on stdout, progress and errors on stderr."""

import dataclasses
import json
import unicodedata
from collections.abc import Iterable
from enum import Enum
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from facewire import Face, Outcome, Quality, ThresholdSource

__all__ = [
    "ERRORS",
    "counted",
    "faults_of",
    "print_json",
    "print_line",
    "print_table",
    "progress",
    "threshold_text",
    "visible",
    "who",
    "words",
    "work_progress",
]

ERRORS = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
"""Without markup, as all consoles here: names and paths may hold brackets."""

_RESULTS = Console(markup=False, highlight=False)

_STYLES = {Outcome.KNOWN: "green", Outcome.AMBIGUOUS: "yellow"}


_CHOSEN = {
    ThresholdSource.REQUEST: "set by the request",
    ThresholdSource.OPERATOR: "set by the operator",
    ThresholdSource.GALLERY_SIZE: "by the size of the gallery",
    ThresholdSource.ERROR_RATE: "by the wanted error rate",
}
"""Who chose a threshold, in words."""

_ESCAPED = frozenset({"Cc", "Zl", "Zp"})
"""General categories of characters that command a terminal or end a line (Unicode, chapter 4.5)."""

_EMBEDDINGS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They change the order in which the text after them is shown (UAX 9)."""


def print_json(**values: Any) -> None:
    """Prints one object on one line; dataclasses within become objects, too."""
    text = json.dumps(values, default=_plain, ensure_ascii=False)
    _RESULTS.out(text, highlight=False)


def print_line(text: str) -> None:
    """Prints a line without wrapping it."""
    _RESULTS.print(visible(text), soft_wrap=True)


def print_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str | Text]]) -> None:
    """Prints a table; a heading that begins with a space is of a column of numbers, to the right."""
    table = Table(title=Text(visible(title)), title_justify="left")
    for heading in columns:
        table.add_column(
            Text(heading.strip()),
            justify="right" if heading.startswith(" ") else "left",
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(Text(visible(cell)) if isinstance(cell, str) else cell for cell in row))
    _RESULTS.print(table)


def progress(*columns: ProgressColumn | str, as_json: bool) -> Progress:
    """Returns a progress display that vanishes when done.

    Off if stderr is not a terminal, or if JSON goes to the same one.
    """
    silent = not ERRORS.is_terminal or (as_json and _RESULTS.is_terminal)
    return Progress(*columns, console=ERRORS, transient=True, disable=silent)


def work_progress(*, as_json: bool) -> Progress:
    """Returns a progress display of work of a known amount: done, elapsed, left."""
    return progress(
        "{task.description}", BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        "ETA", TimeRemainingColumn(), as_json=as_json,
    )  # fmt: skip


def who(face: Face) -> Text:
    """Returns the name of a face, between whom it is ambiguous, or its outcome; if that is TOO_POOR, with the faults."""
    outcome = face.decision.outcome
    name = face.label
    if outcome is Outcome.TOO_POOR and face.quality.faults:
        name = f"{name}: {faults_of(face.quality)}"
    return Text(visible(name), style=_STYLES.get(outcome, "dim"))


def visible(text: str) -> str:
    r"""Returns the text with its control characters as escapes: "\x1b" for ESC, which would command the terminal.

    Servers refuse such names, but galleries of earlier versions and files may hold some.
    """
    return "".join(map(_visible_character, text))


def threshold_text(threshold: float, source: ThresholdSource) -> str:
    """Returns "0.452 (by the size of the gallery)"; "" for the 0 of a server that is too old to say."""
    chosen = f" ({_CHOSEN[source]})" if source in _CHOSEN else ""
    return f"{threshold:.3f}{chosen}" if threshold else ""


def counted(count: int, one: str, many: str = "") -> str:
    """Returns "1 person" or "2 people", of `one` "person" and `many` "people"; `many` is by default `one` with an s."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def faults_of(quality: Quality) -> str:
    """Returns what is wrong with a face, in words; "" if nothing is."""
    return ", ".join(map(words, quality.faults))


def words(value: Enum) -> str:
    """Returns a value of the contract as words: "TOO_POOR" is "too poor"."""
    return str(value.value).lower().replace("_", " ")


def _visible_character(character: str) -> str:
    if unicodedata.category(character) in _ESCAPED or character in _EMBEDDINGS:
        return character.encode("unicode_escape").decode("ascii")
    return character


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
