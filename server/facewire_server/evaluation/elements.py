"""The parts that a report's page is made of: numbers with intervals, tables, and pairs of faces."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from facewire_server.evaluation.intervals import Rate

__all__ = [
    "facts",
    "interval_of",
    "number",
    "pairs",
    "percent",
    "range_of",
    "rate_cell",
    "ratio_of",
    "section",
    "table",
    "words",
]


def percent(share: float) -> str:
    """Returns a share in percent, with two digits that say something."""
    if math.isnan(share):
        return "–"
    value = 100 * share
    if not value:
        return "0 %"
    digits = 1 if value >= 10 else min(5, 1 - math.floor(math.log10(value)))
    return f"{value:.{digits}f} %"


def interval_of(rate: Rate) -> str:
    """Returns the interval of 95 %, in words that stand behind the share."""
    low, high = rate.interval()
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"


def range_of(bounds: tuple[float, float]) -> str:
    """Returns the lowest and the highest threshold; one number if three digits show no difference."""
    low, high = (f"{bound:.3f}" for bound in bounds)
    return low if low == high else f"{low} to {high}"


def number(value: int) -> str:
    """Returns a count with commas."""
    return f"{value:,}"


def rate_cell(rate: Rate | None) -> str:
    """Returns a cell: the share, its interval, and the counts."""
    if rate is None or not rate.looks:
        return "–"
    return f"{percent(rate.share)} <small>({interval_of(rate)})<br>{number(rate.hits)} of {number(rate.looks)}</small>"


def ratio_of(value: float) -> str:
    """Returns a ratio; "∞" over a rate of 0, and "–" of two of them."""
    if math.isnan(value):
        return "–"
    return "∞" if math.isinf(value) else f"{value:.2f}" if value else "0"


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Returns a table; cells are HTML, the first of a row is its heading."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{cells[0]}</th>{"".join(f"<td>{cell}</td>" for cell in cells[1:])}</tr>'
        for cells in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def words(caption: str, values: Mapping[str, str]) -> str:
    """Returns a table of names and texts."""
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape(text) or "not set"}</td></tr>'
        for name, text in values.items()
    )
    return f'<div class="scroll words" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption>{escape(caption)}</caption><tbody>{rows}</tbody></table></div>'


def facts(entries: Iterable[tuple[str, str, str]]) -> str:
    """Returns the large numbers of the first page: what, how much, and what it means."""
    items = "".join(
        f"<li>{escape(what)} <strong>{escape(much)}</strong> <small>{escape(meaning)}</small></li>"
        for what, much, meaning in entries
    )
    return f'<ul class="facts">{items}</ul>'


def section(anchor: str, title: str, *parts: str) -> str:
    """Returns a section with its heading."""
    return f'<section id="{anchor}"><h2>{escape(title)}</h2>{"".join(parts)}</section>'


def pairs(title: str, about: str, entries: Sequence[tuple[Sequence[tuple[str, str]], str]]) -> str:
    """Returns pictures side by side with a text.

    Args:
        title, about: of the list.
        entries: for each the pictures, as `data:` addresses ("" = none) with their names, and the text.
    """
    if not entries:
        return f"<h3>{escape(title)}</h3><p>None.</p>"

    def picture(address: str, name: str) -> str:
        if not address:
            return f"<span>no picture of {escape(name)}</span>"
        return f'<img src="{address}" alt="{escape(name)}">'

    items = "".join(
        f'<li><div class="faces">{"".join(picture(*each) for each in pictures)}</div>{escape(text)}</li>'
        for pictures, text in entries
    )
    return f'<h3>{escape(title)}</h3><p>{escape(about)}</p><ul class="pairs">{items}</ul>'
