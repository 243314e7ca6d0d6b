"""The result as a few lines of text, for the terminal."""

from collections.abc import Sequence

from facewire_server.evaluation.beside import side_by_side
from facewire_server.evaluation.elements import interval_of, number, percent, ratio_of
from facewire_server.evaluation.fairness import Judgment
from facewire_server.evaluation.findings import findings
from facewire_server.evaluation.intervals import Rate
from facewire_server.evaluation.results import Evaluation
from facewire_server.evaluation.samples import Failure

__all__ = ["summary"]


def summary(result: Evaluation, beside: Sequence[Evaluation] = ()) -> str:
    """Returns the rates of all people and of each group, the ratios of groups, those of other models, and what to know first, which a terminal shows last."""
    everyone = result.acquired[""]
    lost = sum(everyone.failures.get(each, 0) for each in (Failure.MISSING, Failure.UNREADABLE))
    lines = [
        f"{number(everyone.pictures)} pictures of {number(everyone.people)} people; {number(lost)} missing or unreadable"
    ]
    for name in result.acquired:
        lines.append(f"\n{name or 'all'}")
        lines += _rates(result, name)
    judged = [_judgment(each, result.max_ratio) for each in result.judgments]
    models = side_by_side([result, *beside]) if beside else []
    for part in (judged, models, [each.text for each in findings(result)]):
        lines += ["", *part] if part else []
    return "\n".join(lines)


def _rates(result: Evaluation, scope: str) -> list[str]:
    acquired, compared = result.acquired[scope], result.compared.scopes.get(scope)
    rows: list[tuple[str, Rate | None]] = [
        ("failure to acquire", acquired.to_acquire),
        ("failure to enroll", acquired.to_enroll),
    ]
    if compared is not None:
        at = f" at {result.thresholds.usual:.3f}"
        rows += [("FMR" + at, compared.fmr), ("FNMR" + at, compared.fnmr)]
    if scope in result.identified and result.searched is not None:
        among = f" among {number(result.searched.gallery_sizes[0])}"
        rows += [
            ("FPIR" + among, result.identified[scope].fpir),
            ("FNIR" + among, result.identified[scope].fnir),
        ]
    if scope in result.own_identified:
        among = f" among {number(result.own_searched[scope].gallery_sizes[0])} of the group"
        rows += [
            ("FPIR" + among, result.own_identified[scope].fpir),
            ("FNIR" + among, result.own_identified[scope].fnir),
        ]
    return [_line(name, rate) for name, rate in rows if rate is not None and rate.looks]


def _line(name: str, rate: Rate) -> str:
    share = f"{percent(rate.share)} ({interval_of(rate)})"
    return f"  {name:<32} {share:<32} {number(rate.hits)} of {number(rate.looks)}"


def _judgment(one: Judgment, max_ratio: float) -> str:
    if not one.worse:
        return f"groups, {one.measure}: {one.verdict.value}, there are not two groups with looks"
    return (
        f"groups, {one.measure}: {one.verdict.value}, {one.worse} over {one.better} {ratio_of(one.ratio)} ({ratio_of(one.interval.low)} to {ratio_of(one.interval.high)}), "
        f"allowed {max_ratio:g}"
    )
