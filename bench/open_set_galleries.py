"""Galleries of the measurement `open_set`: drawn of the people at hand, with doubles or wrong pictures if the case has them."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.held_gallery import HeldPeople, held
from facewire_server.evaluation.samples import Samples
from harness import pictures

__all__ = [
    "ALL",
    "ONE_GROUP",
    "Case",
    "Gallery",
    "able",
    "drawn_gallery",
    "populations",
]

ALL: Final = "mixed"
ONE_GROUP: Final = ("asian", "black", "white")


class Case(NamedTuple):
    """What a gallery is made of."""

    name: str
    size: int
    pictures: int
    doubles: float = 0.0
    one_wrong: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """n names, each a person.

    Attributes:
        templates, owners: (t, d) float32 and the name of each.
        held: what the server holds of them.
        enrolled: (n,) the person of each name.
        intruders: (n,) the other person, of whom the name has a picture; -1 = there is none.
        used: pictures that are enrolled, places in the samples.
    """

    templates: NDArray[np.float32]
    owners: NDArray[np.intp]
    held: HeldPeople
    enrolled: NDArray[np.intp]
    intruders: NDArray[np.intp]
    used: NDArray[np.intp]


def able(samples: Samples, members: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Returns who has `count` pictures that can be enrolled; for three and more, and another one to look at."""
    enrollable = np.bincount(samples.person[samples.is_enrolled], minlength=len(samples.people))
    usable = np.bincount(samples.person[samples.is_usable], minlength=len(samples.people))
    return members[
        (enrollable[members] >= count) & (usable[members] >= (count + 1 if count > 1 else 1))
    ]


def drawn_gallery(
    samples: Samples, members: NDArray[np.intp], case: Case, generator: np.random.Generator
) -> Gallery:
    those = able(samples, members, case.pictures)
    enrolled = generator.choice(those, case.size, replace=False)
    strangers = np.setdiff1d(members, enrolled)
    rows: list[NDArray[np.intp]] = []
    whose: list[int] = []
    intruders = np.full(case.size, -1, np.intp)
    for person in enrolled.tolist():
        own = np.flatnonzero((samples.person == person) & samples.is_enrolled)
        own = generator.permutation(own)[: case.pictures]
        if case.one_wrong:
            other = np.flatnonzero(samples.is_enrolled & np.isin(samples.person, strangers))
            own = np.append(own[:-1], generator.choice(other))
            intruders[len(rows)] = samples.person[own[-1]]
        rows.append(own)
        whose.append(person)
    several = [
        place
        for place, person in enumerate(whose)
        if (samples.is_enrolled & (samples.person == person)).sum() > len(rows[place])
    ]
    for place in generator.permutation(several)[: round(case.doubles * case.size)]:
        free = np.setdiff1d(
            np.flatnonzero((samples.person == whose[place]) & samples.is_enrolled), rows[place]
        )
        rows.append(generator.choice(free, 1))
        whose.append(whose[place])
    doubles = np.full(len(rows) - case.size, -1, np.intp)
    return Gallery(
        samples.templates[np.concatenate(rows)],
        np.repeat(np.arange(len(rows)), [len(own) for own in rows]),
        held([samples.templates[own] for own in rows]),
        np.array(whose, np.intp),
        np.append(intruders, doubles),
        np.concatenate(rows),
    )


def populations(samples: Samples) -> dict[str, NDArray[np.intp]]:
    """Returns all people, those of LFW, and those of each group."""
    table = pictures.rows(pictures.folder("groups") / "images.csv")
    of_the_web = {row["identity"] for row in table if not row["identity"].startswith("lfw_")}
    everyone = np.arange(len(samples.people))
    found = {
        ALL: everyone,
        "LFW": everyone[[name not in of_the_web for name in samples.people]],
    }
    for name in (each for each in ONE_GROUP if each in samples.groups):
        found[name] = np.unique(samples.person[samples.group == samples.groups.index(name)])
    return found
