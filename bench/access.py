"""Who may do what: every method with every role, for the caller's gallery and another one, and the text of each refusal.

The calls go to a real server, with tokens that are limited to one gallery.
"""

import tempfile
from itertools import groupby
from pathlib import Path

from bench.report import Report, parser, run
from harness.role_matrix import NO_TOKEN, OTHER, Cell, matrix

__all__: list[str] = []


def main() -> int:
    arguments = parser("access", __doc__).parse_args()
    with tempfile.TemporaryDirectory(prefix="facewire-") as folder:
        cells = matrix(Path(folder))
    refused = [cell for cell in cells if not cell.is_allowed]
    report = Report("access", arguments)
    report.values |= {
        "calls": len(cells),
        "refused": len(refused),
        "cells": [
            (_method(cell), cell.role, cell.gallery, cell.outcome.code.name, cell.outcome.details)
            for cell in cells
        ],
    }
    roles = list(dict.fromkeys(cell.role for cell in cells))
    report.table(
        "who may call what: of the caller's gallery / of another one",
        ["method", *roles],
        [
            (path.rpartition("/")[2], *_marks(list(of_path), roles))
            for path, of_path in groupby(cells, key=lambda cell: cell.path)
        ],
    )
    report.note("[bold]texts of the refused calls, and their methods")
    for text in dict.fromkeys(cell.outcome.details for cell in refused):
        alike = [cell for cell in refused if cell.outcome.details == text]
        names = dict.fromkeys(_method(cell) for cell in alike)
        report.note(f"{len(alike)} of {', '.join(names)}: {text}")
    report.note("")
    with_token = [cell for cell in refused if cell.role != NO_TOKEN]
    named = [cell for cell in with_token if cell.outcome.roles]
    report.aim(
        "each refused call with a token names the roles that it needs",
        f"{len(named)} of {len(with_token)}",
        met=len(named) == len(with_token) > 0,
    )
    others = [cell for cell in cells if cell.gallery == OTHER and cell.is_allowed]
    report.aim("no call for another gallery is let through", f"{len(others)}", met=not others)
    return report.finish()


def _marks(cells: list[Cell], roles: list[str]) -> list[str]:
    """Returns "yes" or "–" for each role; two of them if the method is for a gallery."""
    return [
        " / ".join("yes" if cell.is_allowed else "–" for cell in cells if cell.role == role)
        for role in roles
    ]


def _method(cell: Cell) -> str:
    return cell.path.rpartition("/")[2]


if __name__ == "__main__":
    run(main)
