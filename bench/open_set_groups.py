"""How far galleries of one group lie apart, for the measurement `open_set`: the ratio of the worst to the best, and on how few people it rests."""

from collections.abc import Mapping, Sequence
from math import comb, inf, isfinite

from bench.open_set_galleries import ONE_GROUP
from bench.open_set_looks import Measured
from bench.report import Report
from facewire_server.evaluation.fairness import ratio_interval
from facewire_server.evaluation.intervals import CONFIDENCE

__all__ = ["between_groups"]


def between_groups(
    report: Report,
    results: Mapping[str, Mapping[str, Measured]],
    cases: Sequence[str],
    policies: Mapping[str, str],
) -> None:
    """Tables the ratio of the worst group's FPIR to the best one's, for each case and policy.

    The two are chosen by looking, so the interval is one of 95 % for all comparisons of two groups together (Bonferroni).

    Args:
        report: that takes the table.
        results: of each gallery's name and policy.
        cases: what follows the group in the names of galleries: "20, 1" = 20 people, one picture each.
        policies: the titles of the policies that are compared, by their names in `results`.
    """
    lines = []
    for case in cases:
        of_groups = {
            group: results[f"{group} {case}"] for group in ONE_GROUP if f"{group} {case}" in results
        }
        if len(of_groups) < 2:
            continue
        for policy, title in policies.items():
            rates = {group: each[policy].fpir for group, each in of_groups.items()}
            worst, best = (
                choose(rates, key=lambda group: rates[group].share) for choose in (max, min)
            )
            interval = ratio_interval(
                rates[worst], rates[best], 1 - (1 - CONFIDENCE) / comb(len(rates), 2)
            )
            ratio = rates[worst].share / rates[best].share if rates[best].hits else inf
            shares = {group: each[policy].chief_pair for group, each in of_groups.items()}
            chief = ", ".join(f"{group} {share:.0%}" for group, share in shares.items())
            lines.append((case, title, worst, best, f"{ratio:.1f} ({interval:.1f})", chief))
            report.values[f"groups, {case}, {title}"] = {
                "worst": worst,
                "best": best,
                "ratio": _finite(ratio),
                "interval": [_finite(end) for end in interval],
                "chief_pair": shares,
            }
    report.table(
        "galleries of one group: FPIR of the worst ÷ of the best, and the share of false names that two people cause",
        ["people, pictures", "threshold", "worst", "best", "ratio", "two people"],
        lines,
    )


def _finite(value: float) -> float | None:
    """Returns what JSON has; None for what is infinite, the ratio to a group without a false name."""
    return value if isfinite(value) else None
