"""Draws a measurement over time as an SVG file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

__all__ = ["draw_lines"]

_WIDTH: Final = 760
_HEIGHT: Final = 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 130, 40, 45
"""Size and margins of the drawing, pixels. Chosen, not measured."""

_COLORS: Final = ("#1f77b4", "#d62728", "#2ca02c")
_TICKS: Final = 5


def draw_lines(
    path: Path,
    title: str,
    x: Sequence[float],
    lines: Mapping[str, Sequence[float]],
    *,
    x_label: str,
    y_label: str,
) -> None:
    """Writes a drawing of up to three lines over one axis; the vertical axis begins at 0.

    Args:
        path: the file to write.
        title: of the drawing.
        x: ascending.
        lines: values at each x, by name.
        x_label, y_label: of the axes, with their units.
    """
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    most_x, most_y = max(x), max(map(max, lines.values())) * 1.1

    def at(value_x: float, value_y: float) -> str:
        across = _LEFT + value_x / most_x * (right - _LEFT)
        return f"{across:.1f},{bottom - value_y / most_y * (bottom - _TOP):.1f}"

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>',
        f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>',
        f'<text x="8" y="{_TOP - 6}">{escape(y_label)}</text>',
    ]
    for share in np.linspace(0, 1, _TICKS):
        tick_x, tick_y = at(share * most_x, 0).split(",")[0], at(0, share * most_y).split(",")[1]
        parts += [
            f'<path d="M{_LEFT} {tick_y}H{right}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 6}" y="{tick_y}" dy="4" text-anchor="end">{share * most_y:.0f}</text>',
            f'<text x="{tick_x}" y="{bottom + 16}" text-anchor="middle">{share * most_x:.0f}</text>',
        ]
    for (name, values), color in zip(lines.items(), _COLORS, strict=False):
        points = " ".join(at(*point) for point in zip(x, values, strict=True))
        end = at(x[-1], values[-1]).split(",")[1]
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>',
            f'<text x="{right + 6}" y="{end}" dy="4" fill="{color}">{escape(name)}</text>',
        ]
    path.write_text("\n".join([*parts, "</svg>", ""]), encoding="utf-8")
