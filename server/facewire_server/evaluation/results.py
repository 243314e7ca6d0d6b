"""All results of one evaluation, and the order in which they are computed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.acquisition import Acquisition, Detection, acquisition, detection
from facewire_server.evaluation.fairness import Judgment, judge
from facewire_server.evaluation.identification import (
    Gallery,
    OneToMany,
    Plan,
    identify,
)
from facewire_server.evaluation.intervals import Rate, drawn_people
from facewire_server.evaluation.labels import Labels
from facewire_server.evaluation.looks import Identification, rates
from facewire_server.evaluation.samples import Samples
from facewire_server.evaluation.suspicions import Suspicions, suspicions
from facewire_server.evaluation.verification import OneToOne, Thresholds, verify
from facewire_server.evaluation.wanted import Wanted

__all__ = ["Evaluation", "evaluated"]

_LEAST_OF_A_GROUP: Final = 5
"""People in a gallery of one group, at least; smaller groups get none. Chosen, not measured."""


@dataclass(slots=True, eq=False)
class Evaluation:
    """Everything that a report says. A scope is "" for all, or a group.

    Attributes:
        samples: the pictures.
        labels: what they show.
        model: the model contract, as the setting names it.
        configuration: settings and models in force, as texts.
        thresholds: of a comparison.
        wanted: the error rates that thresholds follow from.
        acquired: of each scope.
        detected: None if no label says how many faces there are.
        compared: one against one.
        suspected: probable errors of the labels.
        searched: before galleries of all people; None = too few people, or they are not known.
        identified: of each scope, from `searched`.
        own_searched, own_identified: before galleries of one group each, all of one size.
        max_ratio: allowed between two groups; 0 = not judged.
        judgments: of each measure.
    """

    samples: Samples
    labels: Labels
    model: str
    configuration: dict[str, str]
    thresholds: Thresholds
    wanted: Wanted
    acquired: dict[str, Acquisition]
    detected: Detection | None
    compared: OneToOne
    suspected: Suspicions
    searched: OneToMany | None = None
    identified: dict[str, Identification] = field(default_factory=dict)
    own_searched: dict[str, OneToMany] = field(default_factory=dict)
    own_identified: dict[str, Identification] = field(default_factory=dict)
    max_ratio: float = 0.0
    judgments: list[Judgment] = field(default_factory=list)


async def evaluated(
    samples: Samples,
    labels: Labels,
    *,
    model: str,
    configuration: dict[str, str],
    thresholds: Thresholds,
    wanted: Wanted,
    plan: Plan,
    max_ratio: float,
    new_gallery: Callable[[], Awaitable[Gallery]],
    progress: Callable[[float], None],
) -> Evaluation:
    """Computes all results.

    Args:
        samples: the pictures after the line.
        labels: what they show.
        model: the model contract, as the setting names it.
        configuration: to be reported.
        thresholds: of a comparison.
        wanted: the error rates that they and those of galleries follow from.
        plan: of the galleries.
        max_ratio: allowed between two groups; 0 = not judged.
        new_gallery: as in `identify`.
        progress: takes the share of the searches that is done.
    """
    draws = drawn_people(max(1, len(samples.people)), seed=plan.seed)
    scopes = ("", *samples.groups)
    result = Evaluation(
        samples,
        labels,
        model,
        configuration,
        thresholds,
        wanted,
        {scope: acquisition(samples, draws, scope) for scope in scopes},
        detection(samples),
        verify(samples, labels.pairs, thresholds, draws),
        suspicions(samples, thresholds.usual),
        max_ratio=max_ratio,
    )
    if labels.people_are_known:
        everyone = np.arange(len(samples.people))
        result.searched = await identify(samples, everyone, plan, new_gallery, progress)
        if result.searched is not None:
            looks = result.searched.looks
            result.identified = {scope: rates(samples, looks, draws, scope) for scope in scopes}
        await _own_galleries(result, plan, draws, new_gallery)
    if max_ratio and samples.groups:
        result.judgments = judge(_measures(result), max_ratio)
    return result


async def _own_galleries(
    result: Evaluation,
    plan: Plan,
    draws: NDArray[np.float32],
    new_gallery: Callable[[], Awaitable[Gallery]],
) -> None:
    """Searches galleries of one group each, all as large as half of the smallest group: more people mean more false names."""
    samples = result.samples
    able = samples.is_enrolled
    members = {
        name: np.unique(samples.person[able & (samples.group == place)])
        for place, name in enumerate(samples.groups)
    }
    large = {name: each for name, each in members.items() if len(each) >= 2 * _LEAST_OF_A_GROUP}
    if len(large) < 2:
        return
    size = min(len(each) // 2 for each in large.values())
    size = min(size, plan.enrolled or size)
    for name, people in large.items():
        own = plan._replace(enrolled=size)
        found = await identify(samples, people, own, new_gallery, lambda _: None)
        if found is not None:
            result.own_searched[name] = found
            result.own_identified[name] = rates(samples, found.looks, draws)


def _measures(result: Evaluation) -> dict[str, dict[str, Rate]]:
    """Returns the rates that the gate compares: of each measure that of each group."""
    compared = {
        name: each.fmr for name, each in result.compared.scopes.items() if name and each.fmr
    }
    groups = {name: each for name, each in result.identified.items() if name}
    measures = {
        "FMR": compared,
        "FPIR": {name: each.fpir for name, each in groups.items()},
        "FNIR": {name: each.fnir for name, each in groups.items()},
        "FPIR in galleries of one group": {
            name: each.fpir for name, each in result.own_identified.items()
        },
    }
    return {name: each for name, each in measures.items() if each}
