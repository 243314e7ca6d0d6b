"""The tables of the measurement `open_set`: thresholds, both error rates, and who is let in by a wrong picture."""

from collections.abc import Mapping, Sequence

from bench.open_set_looks import Measured
from bench.report import Report
from facewire_server.evaluation.intervals import Rate

__all__ = ["Rates", "cell", "tables"]

Rates = dict[str, Measured]
"""What each policy came to."""


def tables(report: Report, results: Mapping[str, Rates], wanted: Sequence[float]) -> None:
    """Prints what each gallery came to, for each wanted rate."""
    for rate in wanted:
        policies = {
            f"{rate}": "rule",
            f"shipped {rate}": "shipped",
            f"single {rate}": "single",
            "table": "table",
            "fixed": "fixed .42",
        }
        _table(
            report,
            f"{rate:.1%} wanted: mean threshold",
            policies,
            {
                name: [f"{each[policy].threshold:.3f}" for policy in policies]
                for name, each in results.items()
            },
        )
        for kind in ("fpir", "fnir"):
            _table(
                report,
                f"{rate:.1%} wanted: {kind.upper()} in %, 95 % intervals over people",
                policies,
                {
                    name: [cell(getattr(each[policy], kind)) for policy in policies]
                    for name, each in results.items()
                },
            )
        _table(
            report,
            f"{rate:.1%} wanted: looks at the person of a wrong picture that give the name that has it, %",
            policies,
            {
                name: [cell(found) if (found := each[policy].let_in) else "" for policy in policies]
                for name, each in results.items()
                if each["fixed"].let_in
            },
        )
    report.values["galleries"] = {
        name: {policy: _values(found) for policy, found in each.items()}
        for name, each in results.items()
    }


def cell(found: Rate) -> str:
    """Returns a rate in percent with its interval."""
    low, high = found.interval()
    return f"{found.share * 100:.2f} ({low * 100:.2f}–{high * 100:.2f})"


def _table(
    report: Report,
    title: str,
    policies: Mapping[str, str],
    cells: Mapping[str, Sequence[str]],
) -> None:
    lines = [(name, *each) for name, each in cells.items()]
    report.table(title, ["people, pictures", *policies.values()], lines)


def _values(found: Measured) -> dict[str, object]:
    rates = {"fpir": found.fpir, "fnir": found.fnir, "let_in": found.let_in}
    return {
        "threshold": found.threshold,
        **{kind: [one.share, *one.interval()] for kind, one in rates.items() if one},
    }
