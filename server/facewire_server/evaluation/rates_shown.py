"""The parts of a report that state error rates, for all and for each group."""

from collections.abc import Callable
from html import escape

from facewire_server.evaluation.charts import det_chart, histogram_chart
from facewire_server.evaluation.elements import number, range_of, rate_cell, section, table
from facewire_server.evaluation.errors_shown import failures_shown
from facewire_server.evaluation.histograms import det
from facewire_server.evaluation.results import Evaluation
from facewire_server.evaluation.samples import Failure, Sample

__all__ = ["acquired_shown", "one_to_many_shown", "one_to_one_shown"]


def acquired_shown(result: Evaluation, portrait: Callable[[Sample], str]) -> str:
    """Returns which pictures led to a face, and which faces were refused."""
    rows = []
    for name, each in result.acquired.items():
        lost = each.failures
        rows.append(
            [
                escape(name or "all"),
                number(each.people),
                number(each.pictures),
                number(lost.get(Failure.MISSING, 0) + lost.get(Failure.UNREADABLE, 0)),
                number(lost.get(Failure.REPEATED, 0)),
                rate_cell(each.to_acquire),
                rate_cell(each.to_enroll),
                number(each.people_refused),
            ]
        )
    columns = [
        "group",
        "people",
        "pictures",
        "unreadable",
        "copies",
        "failure to acquire",
        "failure to enroll",
        "people without a template",
    ]
    parts = [
        table(
            "Of each picture the labeled face is looked for; 95 % intervals over people",
            columns,
            rows,
        )
    ]
    faults = [
        [
            escape(name),
            number(result.acquired[""].not_searched.get(name, 0)),
            number(result.acquired[""].not_enrolled.get(name, 0)),
        ]
        for name in {**result.acquired[""].not_enrolled, **result.acquired[""].not_searched}
    ]
    if faults:
        parts.append(
            table(
                "Faces that were found and refused, by what was wrong; a face may have several faults",
                ["fault", "searched for", "enrolled"],
                faults,
            )
        )
    if (seen := result.detected) is not None:
        parts.append(
            f"<p>The labels count faces in {number(seen.pictures)} pictures: of {number(seen.faces)} faces {number(seen.missed)} were "
            f"missed, {number(seen.extra)} were found beyond them, and {number(seen.empty_extra)} in {number(seen.empty_pictures)} "
            "pictures of no person.</p>"
        )
    return section("acquire", "Pictures and faces", *parts, failures_shown(result, portrait))


def one_to_one_shown(result: Evaluation) -> str:
    """Returns the error rates of comparisons, with DET curves and histogram."""
    threshold = result.thresholds.usual
    scopes = {name or "all": each for name, each in result.compared.scopes.items()}
    rows = [
        [escape(name), rate_cell(each.fmr), rate_cell(each.fnmr)] for name, each in scopes.items()
    ]
    pairs = (
        "each picture with each other" if result.labels.pairs is None else "the pairs of the table"
    )
    about = f"Compared were {pairs}, at the threshold {threshold:.3f}. Of a group are pairs whose two people are of it."
    curves = {
        name: curve for name, each in scopes.items() if (curve := det(each.mated, each.non_mated))
    }
    points = {
        name: (scopes[name].fmr.share, scopes[name].fnmr.share)  # type: ignore[union-attr]
        for name in curves
    }
    charts = ""
    if curves:
        whole = scopes["all"]
        charts = f'<div class="charts">{det_chart(curves, points, ("false match rate", "false non-match rate"))}{histogram_chart(whole.mated, whole.non_mated, (threshold, threshold))}</div>'
    return section(
        "one-to-one",
        "One against one",
        f"<p>{about}</p>",
        table(
            "Error rates of comparisons; 95 % intervals over people", ["group", "FMR", "FNMR"], rows
        ),
        charts,
    )


def one_to_many_shown(result: Evaluation) -> str:
    """Returns the error rates of searches, with DET curves and histogram."""
    if result.searched is None:
        why = (
            result.labels.remark
            or "at least four people are needed who can be enrolled, and fewer in a gallery than there are"
        )
        return section("one-to-many", "One against many", f"<p>Not measured: {escape(why)}.</p>")
    sizes = result.searched.gallery_sizes
    about = (
        f"{len(sizes)} galleries of {number(sizes[0])} people each were searched by the pictures of all people; threshold in force "
        f"{range_of(result.searched.thresholds)}. A stranger is anyone who is not in the gallery. "
        "Each picture is one look: a camera that looks again and again is wrong more often."
    )
    scopes = {name or "all": each for name, each in result.identified.items()}
    rows = [
        [escape(name), rate_cell(each.fpir), rate_cell(each.fnir)] for name, each in scopes.items()
    ]
    parts = [
        f"<p>{about}</p>",
        table(
            "Error rates before galleries of all people; 95 % intervals over people",
            ["group looked at", "FPIR", "FNIR"],
            rows,
        ),
    ]
    if result.own_identified:
        own = [
            [
                escape(name),
                number(result.own_searched[name].gallery_sizes[0]),
                range_of(result.own_searched[name].thresholds),
                rate_cell(each.fpir),
                rate_cell(each.fnir),
            ]
            for name, each in result.own_identified.items()
        ]
        parts.append(
            table(
                "Galleries of one group, before whom only this group is seen",
                ["group", "people", "threshold", "FPIR", "FNIR"],
                own,
            )
        )
    curves = {
        name: curve for name, each in scopes.items() if (curve := det(each.mated, each.non_mated))
    }
    if curves:
        points = {name: (scopes[name].fpir.share, scopes[name].fnir.share) for name in curves}
        whole = scopes["all"]
        parts.append(
            f'<div class="charts">{det_chart(curves, points, ("false positive identification rate", "false negative identification rate"))}'
            f'{histogram_chart(whole.mated, whole.non_mated, result.searched.thresholds)}</div><p class="soft">The histogram shows the most similar identity of each look.</p>'
        )
    return section("one-to-many", "One against many", *parts)
