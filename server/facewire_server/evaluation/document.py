"""The report for machines: every rate with its counts and interval, curves, and all that is listed, as JSON."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from facewire_server.evaluation.histograms import Histogram, det
from facewire_server.evaluation.intervals import Rate
from facewire_server.evaluation.looks import worst
from facewire_server.evaluation.results import Evaluation

__all__ = ["FORMAT", "document"]

FORMAT: Final = 1
"""Of the document; it is raised if a field is removed or means something else."""


def document(result: Evaluation, beside: Sequence[Evaluation] = ()) -> dict[str, Any]:
    """Returns what `json.dumps` takes; a scope "" is that of all people. It holds names and paths: personal data.

    Args:
        result: under the model of the settings.
        beside: under other models; of these what is listed by picture is left out.
    """
    samples, compared = result.samples, result.compared
    rows = samples.rows
    named, missed = ([], []) if result.searched is None else worst(samples, result.searched.looks)

    def look_of(look: Any) -> dict[str, Any]:
        best = samples.people[look.best] if look.best >= 0 else None
        return {
            "path": rows[look.row].picture.name,
            "best": best,
            "similarity": look.similarity,
            "threshold": look.threshold,
        }

    return {
        "format": FORMAT,
        **_measured(result),
        "labels": {
            "remark": result.labels.remark,
            "doubles": [
                {
                    "first": samples.people[each.first],
                    "second": samples.people[each.second],
                    "similarity": each.similarity,
                }
                for each in result.suspected.doubles
            ],
            "mislabeled": [
                {
                    "path": rows[each.row].picture.name,
                    "own_similarity": each.own,
                    "nearest": samples.people[each.nearest],
                    "similarity": each.similarity,
                }
                for each in result.suspected.mislabeled
            ],
        },
        "errors": {
            kind: [
                {
                    "first": rows[each.first].picture.name,
                    "second": rows[each.second].picture.name,
                    "similarity": each.similarity,
                }
                for each in errors
            ]
            for kind, errors in (
                ("false_matches", compared.false_matches),
                ("false_non_matches", compared.false_non_matches),
            )
        }
        | {
            "false_names": [look_of(look) for look in named],
            "missed_names": [look_of(look) for look in missed],
        },
        "failures": [
            {"path": row.picture.name, "why": row.failure.name.lower(), "detail": row.detail}
            for row in rows
            if row.failure is not None
        ],
        "beside": [_measured(each) for each in beside],
    }


def _measured(result: Evaluation) -> dict[str, Any]:
    """Returns the rates under one model, and what they were measured with."""
    return {
        "model_contract": result.model,
        "configuration": result.configuration,
        "wanted": {"max_fpir": result.wanted.fpir, "compare_max_fmr": result.wanted.fmr},
        "acquisition": {
            scope: {
                "pictures": each.pictures,
                "people": each.people,
                "people_without_template": each.people_refused,
                "failures": {
                    failure.name.lower(): count for failure, count in each.failures.items()
                },
                "failure_to_acquire": _rate(each.to_acquire),
                "failure_to_enroll": _rate(each.to_enroll),
                "faults_searched": each.not_searched,
                "faults_enrolled": each.not_enrolled,
            }
            for scope, each in result.acquired.items()
        },
        "detection": None
        if result.detected is None
        else {name: getattr(result.detected, name) for name in result.detected.__slots__},
        "verification": {
            "threshold": result.thresholds.usual,
            "scopes": {
                scope: {
                    "fmr": _rate(each.fmr),
                    "fnmr": _rate(each.fnmr),
                    **_shape(each.mated, each.non_mated),
                }
                for scope, each in result.compared.scopes.items()
            },
        },
        "identification": None
        if result.searched is None
        else {
            "galleries": result.searched.gallery_sizes,
            "threshold_from": result.searched.thresholds[0],
            "threshold_to": result.searched.thresholds[1],
            "scopes": _identified(result.identified),
            "own_galleries": {
                "people": {
                    name: each.gallery_sizes[0] for name, each in result.own_searched.items()
                },
                "scopes": _identified(result.own_identified),
            },
        },
        "groups": {
            "max_ratio": result.max_ratio,
            "judgments": [
                {
                    "measure": each.measure,
                    "worse": each.worse,
                    "better": each.better,
                    "ratio": _finite(each.ratio),
                    "ratio_low": each.interval.low,
                    "ratio_high": _finite(each.interval.high),
                    "verdict": each.verdict.value,
                }
                for each in result.judgments
            ],
        },
    }


def _identified(scopes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        scope: {
            "fpir": _rate(each.fpir),
            "fnir": _rate(each.fnir),
            **_shape(each.mated, each.non_mated),
        }
        for scope, each in scopes.items()
    }


def _rate(rate: Rate | None) -> dict[str, Any] | None:
    if rate is None or not rate.looks:
        return None
    low, high = rate.interval()
    return {"share": rate.share, "low": low, "high": high, "hits": rate.hits, "looks": rate.looks}


def _shape(mated: Histogram, non_mated: Histogram) -> dict[str, Any]:
    """Returns the DET curve and both histograms, of bins of .04 from -1."""
    curve = det(mated, non_mated)
    return {
        "det": None
        if curve is None
        else {
            name: [round(float(value), 9) for value in values]
            for name, values in curve._asdict().items()
        },
        "mated_histogram": mated.counts.reshape(-1, 40).sum(axis=1).tolist(),
        "non_mated_histogram": non_mated.counts.reshape(-1, 40).sum(axis=1).tolist(),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
