"""Galleries of the measurement `open_set`: drawn of the people at hand, with doubles or wrong pictures if the case has them."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.labels import LabeledPicture
from facewire_server.evaluation.samples import Samples
from facewire_server.galleries.fusion import fuse
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.thresholds import GalleryPairs
from harness import pictures

__all__ = [
    "ALL",
    "ONE_GROUP",
    "Case",
    "Gallery",
    "able",
    "drawn_gallery",
    "lent_people",
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
    """Rows of vectors, whose they are, and who enrolled them under another name; `agrees` are the templates that are in a mean."""

    templates: NDArray[np.float32]
    owners: NDArray[np.intp]
    agrees: NDArray[np.bool_]
    names: int
    means: NDArray[np.float32]
    mean_owners: NDArray[np.intp]
    enrolled: NDArray[np.intp]
    used: NDArray[np.intp]

    def pairs(self) -> GalleryPairs:
        """Returns what the server stores of how much these people resemble one another; it compares a sample of more than 512."""
        return gallery_pairs(
            self.templates[self.agrees], self.owners[self.agrees], self.means, self.mean_owners
        )


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
    for person in enrolled.tolist():
        own = np.flatnonzero((samples.person == person) & samples.is_enrolled)
        own = generator.permutation(own)[: case.pictures]
        if case.one_wrong:
            other = np.flatnonzero(samples.is_enrolled & np.isin(samples.person, strangers))
            own = np.append(own[:-1], generator.choice(other))
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
    fused = [fuse(samples.templates[own]) for own in rows]
    agreeing = [
        np.isin(np.arange(len(own)), [row for one in each for row in one.rows])
        for own, each in zip(rows, fused, strict=True)
    ]
    names = np.arange(len(rows))
    owner = np.array(whose, np.intp)
    name_of_row = np.repeat(names, [len(own) for own in rows])
    name_of_mean = np.repeat(names, [len(each) for each in fused])
    return Gallery(
        samples.templates[np.concatenate(rows)],
        name_of_row,
        np.concatenate(agreeing),
        len(rows),
        np.stack([one.mean for each in fused for one in each]),
        name_of_mean,
        owner,
        np.concatenate(rows),
    )


def lent_people(count: int) -> tuple[LabeledPicture, ...]:
    """Returns all lent pictures of people; a person of LFW who is in both sets is one."""
    found: dict[str, list[LabeledPicture]] = {}
    groups = pictures.folder("groups")
    for row in pictures.rows(groups / "images.csv"):
        person = row["identity"].removeprefix("lfw_")
        one = LabeledPicture(groups / row["path"], row["path"], person, row["group"], None)
        found.setdefault(person, []).append(one)
    for folder in sorted((pictures.folder("verify") / "lfw").iterdir()):
        group = found[folder.name][0].group if folder.name in found else ""
        for path in sorted(folder.glob("*.jpg")):
            one = LabeledPicture(path, path.name, folder.name, group, None)
            found.setdefault(folder.name, []).append(one)
    return tuple(one for name in pictures.evenly(sorted(found), count) for one in found[name])


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
