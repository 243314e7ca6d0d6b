"""The report as one page that an operator can read: what happens, to whom, how certain it is, and the worst errors."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from facewire_server.evaluation.beside_shown import beside_shown
from facewire_server.evaluation.elements import (
    facts,
    interval_of,
    number,
    percent,
    ratio_of,
    section,
    table,
    words,
)
from facewire_server.evaluation.errors_shown import errors_shown, labels_shown
from facewire_server.evaluation.fairness import Judgment
from facewire_server.evaluation.findings import findings, gate_sentence
from facewire_server.evaluation.intervals import Rate
from facewire_server.evaluation.rates_shown import (
    acquired_shown,
    one_to_many_shown,
    one_to_one_shown,
)
from facewire_server.evaluation.results import Evaluation
from facewire_server.evaluation.samples import Sample
from facewire_server.evaluation.style import STYLE
from facewire_server.evaluation.wanted import against, at_most

__all__ = ["page"]

_POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

_CONTENTS: Final = (
    ("acquire", "Pictures and faces"),
    ("one-to-one", "One against one"),
    ("one-to-many", "One against many"),
    ("groups", "Between groups"),
    ("beside", "Models side by side"),
    ("labels", "Probable label errors"),
    ("errors", "Worst errors"),
    ("configuration", "Configuration and method"),
)


def page(
    result: Evaluation,
    portrait: Callable[[Sample], str],
    kept_in: str,
    beside: Sequence[Evaluation] = (),
) -> str:
    """Returns the report as HTML that asks nothing of any other place.

    Args:
        result: of the evaluation.
        portrait: returns a picture as a `data:` address.
        kept_in: what is to be deleted with the report, as a command of the shell.
        beside: under other models.
    """
    links = "".join(
        f'<li><a href="#{anchor}">{title}</a></li>'
        for anchor, title in _CONTENTS
        if beside or anchor != "beside"
    )
    models = beside_shown([result, *beside]) if beside else ""
    everyone = result.acquired[""]
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>facewire: evaluation</title><style>{STYLE}</style></head><body><header>"
        f"<h1>How often facewire is wrong about these people</h1><p class='soft'>{number(everyone.pictures)} pictures of "
        f"{number(everyone.people)} people; the settings and models that the server would run with.</p>"
        '<div class="warning" role="note"><p><strong>This file holds faces and names: biometric data.</strong> '
        "Keep it on this machine, show it to those who may see these people, and delete it when it has been read: "
        f"<code>{escape(kept_in)}</code></p></div></header>"
        f'<nav aria-label="Contents"><ul>{links}</ul></nav><main>{_findings(result)}{facts(_first_facts(result))}'
        f"{acquired_shown(result, portrait)}{one_to_one_shown(result)}{one_to_many_shown(result)}{_groups(result)}{models}"
        f"{labels_shown(result, portrait)}{errors_shown(result, portrait)}{_method(result)}</main></body></html>\n"
    )
    return text.replace(" %", "\u00a0%")  # no line begins with the sign


def _findings(result: Evaluation) -> str:
    items = "".join(
        f'<li><a href="#{each.anchor}">{escape(each.text)}</a></li>' for each in findings(result)
    )
    return f'<ul class="findings">{items}</ul>' if items else ""


def _first_facts(result: Evaluation) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []

    def add(what: str, rate: Rate | None, meaning: str, wanted: float | None = None) -> None:
        if rate is not None and rate.looks:
            text = f"{meaning} 95 %: {interval_of(rate)}."
            if wanted is not None:
                text += f" Wanted: {at_most(wanted)}, {against(rate, wanted).value}."
            found.append((what, percent(rate.share), text))

    if result.searched is not None:
        people = number(result.searched.gallery_sizes[0])
        add(
            "Strangers who get a name (FPIR)",
            result.identified[""].fpir,
            f"Of looks, before a gallery of {people} people.",
            result.wanted.fpir,
        )
        add(
            "People who do not get theirs (FNIR)",
            result.identified[""].fnir,
            "Of looks, poor pictures included.",
        )
    scope = result.compared.scopes[""]
    add(
        "Two people taken for one (FMR)",
        scope.fmr,
        "Of comparisons, one against one.",
        result.wanted.fmr,
    )
    add("One person taken for two (FNMR)", scope.fnmr, "Of pairs, poor pictures included.")
    add(
        "Pictures without a usable face",
        result.acquired[""].to_acquire,
        "Not found, or too poor to be searched for.",
    )
    add(
        "Pictures refused for enrollment",
        result.acquired[""].to_enroll,
        "By the quality gate, or without a face.",
    )
    return found


def _groups(result: Evaluation) -> str:
    if not result.judgments:
        why = (
            "the gate is off"
            if result.samples.groups
            else "the labels name no groups: add a column named group"
        )
        return section("groups", "Between groups", f"<p>Not judged: {escape(why)}.</p>")
    worst, sentence = gate_sentence(result)
    rows = [[escape(each.measure), *_judged(each)] for each in result.judgments]
    return section(
        "groups",
        "Between groups",
        f'<p class="{worst.value}">{escape(sentence)}</p><p>Allowed is a ratio of {result.max_ratio:g} between the worst and the best '
        "group. The intervals hold together with 95 %; only one that lies wholly above the ratio fails.</p>",
        table(
            "By each error rate, the two groups of whose difference most is certain",
            ["error rate", "worse", "better", "ratio", "interval", "verdict"],
            rows,
        ),
    )


def _judged(one: Judgment) -> list[str]:
    if not one.worse:
        return ["–", "–", "–", "–", one.verdict.value]
    return [
        escape(one.worse),
        escape(one.better),
        ratio_of(one.ratio),
        f"{ratio_of(one.interval.low)} to {ratio_of(one.interval.high)}",
        f'<span class="{one.verdict.value}">{one.verdict.value}</span>',
    ]


def _method(result: Evaluation) -> str:
    remark = f"<p>Who is who: {escape(result.labels.remark)}.</p>" if result.labels.remark else ""
    return section(
        "configuration",
        "Configuration and method",
        "<p>Pictures went through the server's own line once: detection, alignment, embedding, gates of quality. Galleries are real ones, in "
        "a temporary folder that is deleted; searches and decisions are the server's. Rates follow ISO/IEC 19795-1: what could not be "
        "compared counts as a miss, and never as a correct rejection. Files that are missing or unreadable say nothing about "
        "the system and are left out. Intervals are bootstrapped over people, since two pictures of one person are no independent "
        "evidence; where no error was seen the bound is Wilson's.</p>",
        remark,
        words("In force", result.configuration),
    )
