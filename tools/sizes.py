"""Prints the size of the source: files, functions, and the largest of each.

    .venv/bin/python tools/sizes.py

Lines are lines of the file, comments and blanks included; a function's are those from its first
decorator to its end. Generated stubs are left out.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

__all__ = ["Size", "files", "functions", "main"]

REPOSITORY = Path(__file__).resolve().parents[1]
_ROOMS = {
    "code": ("server/facewire_server", "clients/python", "serving/facewire_serving"),
    "tests": ("tests",),
    "bench and tools": ("bench", "tools"),
}


class Size(NamedTuple):
    """Lines of a named thing."""

    lines: int
    name: str


def files(room: Path) -> Iterator[Path]:
    """Yields the hand-written Python files of a folder."""
    for path in sorted(room.rglob("*.py")):
        if "_pb2" not in path.name and "build" not in path.relative_to(room).parts:
            yield path


def functions(path: Path) -> Iterator[Size]:
    """Yields every function and method of a file, nested ones included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            lines = (node.end_lineno or first) - first + 1
            yield Size(lines, f"{path.relative_to(REPOSITORY)}:{node.name}")


def main() -> None:
    """Prints a paragraph for each part of the repository."""
    for title, rooms in _ROOMS.items():
        paths = [path for room in rooms for path in files(REPOSITORY / room)]
        sizes = [
            Size(
                len(path.read_text(encoding="utf-8").splitlines()),
                str(path.relative_to(REPOSITORY)),
            )
            for path in paths
        ]
        largest = sorted((size for path in paths for size in functions(path)), reverse=True)
        lengths = [size.lines for size in sizes]
        print(
            f"{title}: {len(sizes)} files, {sum(lengths)} lines, median file {median(lengths):.0f}"
        )
        for kind, ranking in (("file", sorted(sizes, reverse=True)), ("function", largest)):
            for size in ranking[:3]:
                print(f"  {kind:8} {size.lines:4}  {size.name}")


if __name__ == "__main__":
    main()
