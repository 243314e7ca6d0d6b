"""One against many, open set: strangers who get a name and people who do not get theirs, before galleries of known size."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.looks import Look, Looks
from facewire_server.evaluation.samples import Samples
from facewire_server.types import Decision, Outcome

__all__ = ["Gallery", "OneToMany", "Plan", "identify"]

_PROBES: Final = 256
"""Faces that are searched for at a time. Chosen, not measured."""


class Plan(NamedTuple):
    """How galleries are drawn.

    Attributes:
        enrolled: people in a gallery; 0 = half of all.
        templates: most templates of a person, of the first pictures that an enrollment accepts; one picture is left to search for.
        galleries: most that are searched.
        seed: of the draw.
    """

    enrolled: int = 0
    templates: int = 1
    galleries: int = 10
    seed: int = 0


class Gallery(NamedTuple):
    """The running configuration's gallery: what `identify` asks for, in this order.

    Attributes:
        enroll: takes a person's place, and (k, d) the templates.
        decide: takes (n, d) probes, n >= 1; returns a decision about each, whose identity ids are places of people.
    """

    enroll: Callable[[int, NDArray[np.float32]], Awaitable[None]]
    decide: Callable[[NDArray[np.float32]], Awaitable[Sequence[Decision]]]


class OneToMany(NamedTuple):
    """All looks, and how they came about.

    Attributes:
        looks: in all galleries.
        gallery_sizes: people in each.
        thresholds: lowest and highest that were in force.
    """

    looks: Looks
    gallery_sizes: list[int]
    thresholds: tuple[float, float]


async def identify(
    samples: Samples,
    people: NDArray[np.intp],
    plan: Plan,
    new_gallery: Callable[[], Awaitable[Gallery]],
    progress: Callable[[float], None],
) -> OneToMany | None:
    """Divides people into galleries by chance, and shows everyone's pictures to each.

    Of each person in a gallery some pictures are enrolled and the others are searched for; everyone else is a stranger.

    Args:
        samples: all of them.
        people: places of those who take part.
        plan: how.
        new_gallery: returns an empty gallery.
        progress: takes the share that is done.

    Returns:
        None if there are fewer than four people who can be enrolled.
    """
    templates = {int(each): _templates(samples, int(each), plan.templates) for each in people}
    able = np.array([person for person, rows in templates.items() if len(rows)], np.intp)
    size = plan.enrolled or len(able) // 2
    if len(able) < 4 or size >= len(able):
        return None
    order = np.random.default_rng(plan.seed).permutation(able)
    blocks = [order[start : start + size] for start in range(0, len(order) - size + 1, size)]
    takes_part = np.isin(samples.person, people) & samples.is_usable
    looks: Looks = []
    for number, enrolled in enumerate(blocks[: plan.galleries]):
        gallery = await new_gallery()
        for person in enrolled.tolist():
            await gallery.enroll(person, samples.templates[templates[person]])
        taken = np.concatenate([templates[person] for person in enrolled.tolist()])
        rows = np.setdiff1d(np.flatnonzero(takes_part), taken)
        looks += await _looked(samples, gallery, rows, set(enrolled.tolist()))
        progress((number + 1) / min(len(blocks), plan.galleries))
    in_force = [look.threshold for look in looks if look.threshold]
    bounds = (min(in_force), max(in_force)) if in_force else (0.0, 0.0)
    return OneToMany(looks, [size] * min(len(blocks), plan.galleries), bounds)


def _templates(samples: Samples, person: int, most: int) -> NDArray[np.intp]:
    rows = np.flatnonzero((samples.person == person) & samples.is_enrolled)
    usable = int(((samples.person == person) & samples.is_usable).sum())
    return rows[: max(1, min(most, usable - 1))]


async def _looked(
    samples: Samples, gallery: Gallery, rows: NDArray[np.intp], enrolled: set[int]
) -> Looks:
    is_searched = samples.is_searched[rows]
    looks = [
        Look(int(row), -1.0, -1, is_named=False, is_enrolled=True, threshold=0.0)
        for row in rows[~is_searched]
        if int(samples.person[row]) in enrolled
    ]
    probed = rows[is_searched]
    for start in range(0, len(probed), _PROBES):
        part = probed[start : start + _PROBES]
        for row, decision in zip(part, await gallery.decide(samples.probes[part]), strict=True):
            best = decision.best
            looks.append(
                Look(
                    int(row),
                    -1.0 if best is None else best.similarity,
                    -1 if best is None else int(best.identity_id),
                    decision.outcome is Outcome.KNOWN,
                    int(samples.person[row]) in enrolled,
                    decision.threshold,
                )
            )
    return looks
