"""Several models on the same pictures: the error rates that a reader compares."""

from collections.abc import Sequence

from facewire_server.evaluation.elements import interval_of, number, percent
from facewire_server.evaluation.intervals import Rate
from facewire_server.evaluation.results import Evaluation

__all__ = ["compared_rates", "side_by_side"]


def compared_rates(result: Evaluation, scope: str) -> dict[str, Rate | None]:
    """Returns the rates of one model in a scope by their names, always the same ones; None = not measured."""
    acquired = result.acquired.get(scope)
    verified = result.compared.scopes.get(scope)
    identified = result.identified.get(scope)
    return {
        "failure to acquire": None if acquired is None else acquired.to_acquire,
        "failure to enroll": None if acquired is None else acquired.to_enroll,
        "FMR": None if verified is None else verified.fmr,
        "FNMR": None if verified is None else verified.fnmr,
        "FPIR": None if identified is None else identified.fpir,
        "FNIR": None if identified is None else identified.fnir,
    }


def side_by_side(results: Sequence[Evaluation]) -> list[str]:
    """Returns lines for the terminal: of each rate over all people that of each model."""
    rates = [(result.model, compared_rates(result, "")) for result in results]
    width = max(len(model) for model, _ in rates)
    lines = ["side by side, all"]
    for name in rates[0][1]:
        lines.append(f"  {name}")
        lines += [f"    {model:<{width}}  {_said(each[name])}" for model, each in rates]
    return lines


def _said(rate: Rate | None) -> str:
    if rate is None or not rate.looks:
        return "not measured"
    share = f"{percent(rate.share)} ({interval_of(rate)})"
    return f"{share:<32} {number(rate.hits)} of {number(rate.looks)}"
