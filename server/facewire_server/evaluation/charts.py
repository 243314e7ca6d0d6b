"""DET curves and histograms as SVG within a page: no script, no font, no request; colors are the page's."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.elements import range_of
from facewire_server.evaluation.histograms import BINS, Curve, Histogram

__all__ = ["MOST_LINES", "det_chart", "histogram_chart"]

_WIDTH, _HEIGHT = 560, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 28, 16, 56
"""Of a chart and its margins, in units of the drawing."""

_DASHES: Final = ("none", "7 4", "2 4", "10 3 2 3", "4 2", "1 3")
"""Of the lines: they differ without colors, too."""

MOST_LINES: Final = len(_DASHES)
"""Lines of a chart that differ from each other; further ones look like the first ones."""

_LEAST: Final = 1e-7
"""Where an axis begins at the lowest: with fewer than ten million comparisons no share lies below."""

_IF_NONE: Final = 1e-3
"""Where an axis begins that shows no share above 0."""

_STEPS: Final = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Between two ticks of a histogram; with the last one five reach all."""

_WIDE: Final = 40
"""Bins of .001 to a bar of a histogram: .04 wide."""


def det_chart(
    curves: Mapping[str, Curve], points: Mapping[str, tuple[float, float]], axes: tuple[str, str]
) -> str:
    """Draws DET curves with both shares on logarithmic axes.

    Args:
        curves: by their names.
        points: false positives and negatives at the threshold in force, of some of them.
        axes: titles.
    """
    least_x = _floor([share for curve in curves.values() for share in curve.false_positive])
    least_y = _floor([share for curve in curves.values() for share in curve.false_negative])
    parts = [*_log_grid(least_x, least_y), *_axis_titles(axes)]
    for number, (name, curve) in enumerate(curves.items()):
        color = f"var(--line{number % MOST_LINES})"
        seen = (curve.false_positive >= least_x) & (curve.false_negative >= least_y)
        xs = _log_x(curve.false_positive[seen], least_x)
        ys = _log_y(curve.false_negative[seen], least_y)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, ys, strict=True))
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2.2" '
            f'stroke-dasharray="{_DASHES[number % MOST_LINES]}"><title>{escape(name)}</title></polyline>'
        )
        if name in points:
            x, y = points[name]
            at_x, at_y = (
                f(np.array([max(share, least)]), least)[0]
                for f, share, least in ((_log_x, x, least_x), (_log_y, y, least_y))
            )
            parts.append(
                f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="5" fill="var(--page)" stroke="{color}" stroke-width="2.5">'
                f"<title>{escape(name)}, at the threshold in force: {x:.3%}, {y:.3%}</title></circle>"
            )
    label = (
        f"DET curve: {axes[1]} over {axes[0]}, both logarithmic; the same numbers are in the table"
    )
    return _figure(
        label,
        parts,
        _legend(
            list(curves), "the circle is the threshold in force; at an edge: no error was seen"
        ),
    )


def histogram_chart(mated: Histogram, non_mated: Histogram, thresholds: tuple[float, float]) -> str:
    """Draws how similar faces of one person are, and those of two, each as shares of its kind.

    Args:
        mated, non_mated: of one person, and of two.
        thresholds: the lowest and the highest in force.
    """
    shares = [_bars(each) for each in (non_mated, mated)]
    ticks = _ticks(max(float(each.max()) for each in shares))
    top = ticks[-1]
    used = np.flatnonzero(sum(shares) > 0)
    low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, len(shares[0]))
    step = (_WIDTH - _LEFT - _RIGHT) / (high - low)
    parts = []
    for tick in ticks:
        y = _HEIGHT - _BOTTOM - tick / top * (_HEIGHT - _TOP - _BOTTOM)
        parts += [
            _rule(_LEFT, y, _WIDTH - _RIGHT, y),
            _text(_LEFT - 8, y + 4, f"{100 * tick:g} %", "end"),
        ]
    for number, heights in enumerate(shares):
        points = [f"{_LEFT},{_HEIGHT - _BOTTOM}"]
        for place in range(low, high):
            y = _HEIGHT - _BOTTOM - heights[place] / top * (_HEIGHT - _TOP - _BOTTOM)
            left = _LEFT + (place - low) * step
            points += [f"{left:.1f},{y:.1f}", f"{left + step:.1f},{y:.1f}"]
        points.append(f"{_WIDTH - _RIGHT},{_HEIGHT - _BOTTOM}")
        parts.append(
            f'<polygon points="{" ".join(points)}" fill="var(--line{number})" fill-opacity=".25" '
            f'stroke="var(--line{number})" stroke-width="2" stroke-dasharray="{_DASHES[number]}"/>'
        )
    width = _WIDE / (BINS / 2)

    def x_of(similarity: float) -> float:
        return _LEFT + ((similarity + 1) / width - low) * step

    for tick in np.arange(math.ceil((low * width - 1) * 5) / 5, high * width - 1 + 1e-9, 0.2):
        parts.append(
            _text(
                x_of(float(tick)),
                _HEIGHT - _BOTTOM + 20,
                f"{tick:.1f}".replace("-0.0", "0.0"),
                "middle",
            )
        )
    parts += _thresholds_shown(
        [x_of(each) for each in thresholds if low * width - 1 <= each <= high * width - 1],
        thresholds,
    )
    parts += _axis_titles(("similarity", "share of its kind"))
    label = (
        "Histogram of similarities of two people and of one person; the table has the error rates"
    )
    return _figure(
        label, parts, _legend(["two people", "one person"], "vertical: the threshold in force")
    )


def _ticks(most: float) -> list[float]:
    """Returns shares from 0 to one that is not below the most, a round number apart."""
    step = next(each for each in _STEPS if 5 * each >= most)
    return [round(number * step, 4) for number in range(math.ceil(most / step - 1e-9) + 1)]


def _thresholds_shown(places: Sequence[float], thresholds: tuple[float, float]) -> list[str]:
    """Returns a line at each place, and what they are beside the last one."""
    bottom = _HEIGHT - _BOTTOM
    lines = [
        f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}" stroke="var(--ink)" stroke-width="1.5"/>'
        for x in places
    ]
    if places:
        lines.append(
            _text(max(places) + 6, _TOP + 12, f"threshold {range_of(thresholds)}", "start")
        )
    return lines


def _bars(histogram: Histogram) -> NDArray[np.float64]:
    bars = histogram.counts.reshape(-1, _WIDE).sum(axis=1)
    return np.asarray(bars / max(1, int(bars.sum())), np.float64)


def _floor(shares: Sequence[float]) -> float:
    """Returns the power of ten at which an axis begins."""
    above = [share for share in shares if share > 0]
    return max(_LEAST, min(0.1, 10.0 ** math.floor(math.log10(min(above))))) if above else _IF_NONE


def _log_x(shares: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    return np.asarray(
        _LEFT + (1 - np.log10(shares) / math.log10(least)) * (_WIDTH - _LEFT - _RIGHT)
    )


def _log_y(shares: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    return np.asarray(_TOP + np.log10(shares) / math.log10(least) * (_HEIGHT - _TOP - _BOTTOM))


def _log_grid(least_x: float, least_y: float) -> list[str]:
    parts = []
    for power in range(round(math.log10(least_x)), 1):
        x = float(_log_x(np.array([10.0**power]), least_x)[0])
        parts += [
            _rule(x, _TOP, x, _HEIGHT - _BOTTOM),
            _text(x, _HEIGHT - _BOTTOM + 20, _percent(power), "middle"),
        ]
    for power in range(round(math.log10(least_y)), 1):
        y = float(_log_y(np.array([10.0**power]), least_y)[0])
        parts += [
            _rule(_LEFT, y, _WIDTH - _RIGHT, y),
            _text(_LEFT - 8, y + 4, _percent(power), "end"),
        ]
    return parts


def _percent(power: int) -> str:
    return f"{10.0 ** (power + 2):g} %"


def _axis_titles(axes: tuple[str, str]) -> list[str]:
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    return [
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 12, axes[0], "middle"),
        f'<text x="16" y="{middle}" transform="rotate(-90 16 {middle})" text-anchor="middle">{escape(axes[1])}</text>',
    ]


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="var(--rule)"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _legend(names: Sequence[str], note: str) -> str:
    lines = "".join(
        f'<li><svg width="34" height="10" aria-hidden="true"><line x1="0" y1="5" x2="34" y2="5" stroke="var(--line{number % MOST_LINES})" '
        f'stroke-width="3" stroke-dasharray="{_DASHES[number % MOST_LINES]}"/></svg> {escape(name)}</li>'
        for number, name in enumerate(names)
    )
    return f'<ul class="legend">{lines}<li class="note">{escape(note)}</li></ul>'


def _figure(label: str, parts: Sequence[str], legend: str) -> str:
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg><figcaption>{legend}</figcaption></figure>"
    )
