"""The common part of every measurement: flags, tables, the last line, the exit status."""

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from harness.pictures import MissingPictures
from harness.running import ServerFailed

__all__ = ["Report", "parser", "progress", "run"]

_MISSED_AIM: Final = 1
_CANNOT_RUN: Final = 2
_WIDTH: Final = 120

T = TypeVar("T")


def parser(name: str, about: str | None) -> argparse.ArgumentParser:
    """The flags that every measurement takes."""
    flags = argparse.ArgumentParser(
        f"python -m bench.{name}",
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    flags.add_argument("--json", action="store_true", help="print the JSON line only")
    flags.add_argument("--gate", action="store_true", help="exit with 1 if an aim is missed")
    return flags


class Report:
    """Gathers what was measured, and prints it: tables for people, one JSON line for programs."""

    def __init__(self, name: str, flags: argparse.Namespace) -> None:
        self.values: dict[str, Any] = {"bench": name}
        self._flags = flags
        self._aims: list[tuple[str, str, bool]] = []
        # Without a terminal, rich would break tables at 80 columns.
        self._console = Console(quiet=flags.json, width=None if sys.stdout.isatty() else _WIDTH)

    def table(self, title: str, columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
        """Prints a table; all columns but the first are set to the right."""
        table = Table(box=None, pad_edge=False)
        for index, column in enumerate(columns):
            table.add_column(column, justify="right" if index else "left")
        for line in lines:
            table.add_row(*(cell if isinstance(cell, str) else f"{cell:.4g}" for cell in line))
        self._console.print(f"[bold]{title}", table, "", highlight=False, sep="\n")

    def note(self, text: str) -> None:
        """Prints a line of text."""
        self._console.print(text, highlight=False)

    def aim(self, what: str, found: str, *, met: bool) -> None:
        """Records a result and whether it meets its aim."""
        self._aims.append((what, found, bool(met)))

    def finish(self) -> int:
        """Prints the aims and the JSON line.

        Returns:
            The exit status.
        """
        if self._aims:
            lines = [(what, found, "met" if met else "MISSED") for what, found, met in self._aims]
            self.table("aims", ["aim", "found", ""], lines)
        self.values["aims"] = [
            {"aim": what, "found": found, "met": met} for what, found, met in self._aims
        ]
        print(json.dumps(self.values, ensure_ascii=False, default=_plain))
        missed = not all(met for _, _, met in self._aims)
        return _MISSED_AIM if missed and self._flags.gate else 0


def _plain(value: object) -> object:
    """Converts a numpy scalar or array to JSON's types."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no place in a report")


def progress(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Yields the items, and shows their count on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as bar:
        yield from bar.track(items, total=total, description=label)


def run(measure: Callable[[], int]) -> None:
    """Ends the process with the measurement's status; prints what is missing if it cannot run."""
    try:
        status = measure()
    except (MissingPictures, ServerFailed) as error:
        print(f"bench: {error}", file=sys.stderr)
        status = _CANNOT_RUN
    sys.exit(status)
