"""The part of a report that shows several models side by side: one table, and DET curves with one line a model."""

from collections.abc import Sequence
from html import escape

from facewire_server.evaluation.beside import compared_rates
from facewire_server.evaluation.charts import det_chart
from facewire_server.evaluation.elements import number, range_of, rate_cell, section, table
from facewire_server.evaluation.histograms import Curve, det
from facewire_server.evaluation.looks import Identification
from facewire_server.evaluation.results import Evaluation
from facewire_server.evaluation.verification import Verification

__all__ = ["beside_shown"]


def beside_shown(results: Sequence[Evaluation]) -> str:
    """Returns the section; the model of the settings is the first of `results`."""
    rates = {
        (scope, result.model): compared_rates(result, scope)
        for scope in {**results[0].acquired, **results[0].compared.scopes}
        for result in results
    }
    rows = [
        [f"{escape(scope or 'all')}, {escape(model)}", *map(rate_cell, each.values())]
        for (scope, model), each in rates.items()
    ]
    return section(
        "beside",
        "Models side by side",
        "<p>The same pictures, labels and wanted error rates. Each model decides at its own thresholds and by the limits of the norm that "
        f"its contract states. All other parts of this report are about {escape(results[0].model)}. Intervals are of each model by "
        "itself: since the pictures are the same, models may differ for certain although their intervals overlap.</p>",
        table(
            "Error rates of each model; 95 % intervals over people",
            ["group, model", *next(iter(rates.values()))],
            rows,
        ),
        table(
            "What each model was measured with",
            ["model", "threshold of a comparison", "threshold of a search", "people in a gallery"],
            [_conditions(each) for each in results],
        ),
        _charts(results),
    )


def _conditions(result: Evaluation) -> list[str]:
    searched = result.searched
    return [
        escape(result.model),
        f"{result.thresholds.usual:.3f}",
        "–" if searched is None else range_of(searched.thresholds),
        "–" if searched is None else number(searched.gallery_sizes[0]),
    ]


def _charts(results: Sequence[Evaluation]) -> str:
    verified = {each.model: each.compared.scopes[""] for each in results}
    identified = {each.model: each.identified[""] for each in results if each.identified}
    charts = [
        det_chart(
            _curves(verified),
            {
                model: (each.fmr.share, each.fnmr.share)
                for model, each in verified.items()
                if each.fmr is not None and each.fnmr is not None
            },
            ("false match rate", "false non-match rate"),
        )
        if _curves(verified)
        else "",
        det_chart(
            _curves(identified),
            {model: (each.fpir.share, each.fnir.share) for model, each in identified.items()},
            ("false positive identification rate", "false negative identification rate"),
        )
        if _curves(identified)
        else "",
    ]
    return f'<div class="charts">{"".join(charts)}</div>'


def _curves(of: dict[str, Verification] | dict[str, Identification]) -> dict[str, Curve]:
    found = {model: det(each.mated, each.non_mated) for model, each in of.items()}
    return {model: curve for model, curve in found.items() if curve is not None}
