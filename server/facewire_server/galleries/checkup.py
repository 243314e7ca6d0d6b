"""What in a gallery harms its own recognition: people who are there twice, who look alike, or whose pictures are wrong or poor."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from heapq import nsmallest
from itertools import count
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facewire_server.galleries.similar_pairs import Band, Pair, Pairs, similar_pairs
from facewire_server.galleries.single_picture import SinglePictureLimits
from facewire_server.types import Quality, QualityFault

__all__ = [
    "EnrolledPeople",
    "Finding",
    "FindingKind",
    "Findings",
    "StoredFaults",
    "StoredTemplate",
    "checkup",
]


class FindingKind(Enum):
    """What is wrong; the words are those of the command's JSON."""

    PROBABLE_DOUBLE = "probable_double"
    """Two identities that are probably one person."""
    CONFUSABLE = "confusable"
    """Two people of whom a picture of one can be taken for the other, or lie between them."""
    LEFT_OUT = "left_out"
    """A template that resembles its person's others too little, and is not searched."""
    DISAGREEING = "disagreeing"
    """Two templates of a person that disagree: each is searched alone, since either may be wrong."""
    POOR_PICTURE = "poor_picture"
    """A person's only picture, which is a poor one, though enrollment accepts it."""
    REFUSED_TEMPLATE = "refused_template"
    """A template that enrollment would refuse as too poor."""


StoredFaults = Callable[[Quality, NDArray[np.float32]], tuple[QualityFault, ...]]
"""Returns why enrollment would refuse a template of this quality and embedding, (d,); nothing if it would not."""


class StoredTemplate(NamedTuple):
    """A template: whose it is, its id, its quality, and whether it is in a mean."""

    person: int
    template_id: str
    quality: Quality
    is_searched: bool


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledPeople:
    """The people of a gallery who can be found.

    Attributes:
        identity_ids, display_names: of each of n people, who are known by their places here.
        starts: (n + 1,) the first row of each person's means, and m.
        means: (m, d) float32 of unit length: what people are searched by, person by person; one has two whose templates disagree.
        template_ids: (m) of the oldest template of each mean.
        templates: all k of them.
        embeddings: (k, d) float32 of unit length: of the templates.
    """

    identity_ids: tuple[str, ...]
    display_names: tuple[str, ...]
    starts: NDArray[np.int64]
    means: NDArray[np.float32]
    template_ids: tuple[str, ...]
    templates: tuple[StoredTemplate, ...]
    embeddings: NDArray[np.float32]

    def rows(self, person: int) -> range:
        """Returns the rows of a person's means."""
        return range(int(self.starts[person]), int(self.starts[person + 1]))


class Finding(NamedTuple):
    """Something that is wrong.

    Attributes:
        people: places of the people, the one enrolled first first.
        template_ids: of the templates that were compared, or are poor.
        value: a cosine; of POOR_PICTURE the share of the limit that is reached (`single_picture.Standing`).
        faults: of POOR_PICTURE and REFUSED_TEMPLATE.
        resembled: of LEFT_OUT: place of the other person whom the template resembles most; None if it resembles no other.
        resembled_similarity: the cosine to that person's mean; 0 without one.
    """

    people: tuple[int, ...]
    template_ids: tuple[str, ...]
    value: float
    faults: tuple[QualityFault, ...] = ()
    resembled: int | None = None
    resembled_similarity: float = 0.0


class Findings(NamedTuple):
    """What was found of a kind: the number of all, and the worst ones, worst first."""

    total: int
    listed: tuple[Finding, ...]


def checkup(
    people: EnrolledPeople,
    *,
    least_double: float,
    least_confusable: float,
    limits: SinglePictureLimits,
    stored_faults: StoredFaults,
    limit: int,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[FindingKind, Findings]:
    """Returns what is wrong in a gallery, of each kind.

    Args:
        people: of the gallery.
        least_double: cosine of two means from which on their people are probably one (`thresholds.doubles`).
        least_confusable: cosine from which on they are confusable; at or above `least_double` no pair is.
        limits: what the only picture of a person must reach.
        stored_faults: says which templates enrollment would refuse.
        limit: most findings of a kind that are listed, 1 or more.
        progress: takes the share of the pairs that were compared, 0 to 1, if there are many.
    """
    least = min(least_confusable, least_double)
    bands = (Band(least_double, np.inf), Band(least, least_double))
    doubles, confusable = similar_pairs(
        people.means, people.starts, bands, limit=limit, progress=progress
    )
    refused = list(_refused(people, stored_faults))
    left_out = _worst(_left_out(people), limit)
    return {
        FindingKind.PROBABLE_DOUBLE: _of_pairs(people, doubles),
        FindingKind.CONFUSABLE: _of_pairs(people, confusable),
        FindingKind.LEFT_OUT: Findings(
            left_out.total,
            tuple(_with_resembled(people, one, least_confusable) for one in left_out.listed),
        ),
        FindingKind.DISAGREEING: _worst(_disagreeing(people), limit),
        FindingKind.POOR_PICTURE: _worst(_poor(people, limits, refused), limit),
        FindingKind.REFUSED_TEMPLATE: _worst(refused, limit),
    }


def _of_pairs(people: EnrolledPeople, pairs: Pairs) -> Findings:
    return Findings(pairs.total, tuple(_of_pair(people, one) for one in pairs.listed))


def _of_pair(people: EnrolledPeople, pair: Pair) -> Finding:
    rows = [(a, b) for a in people.rows(pair.first) for b in people.rows(pair.second)]
    nearest = max(rows, key=lambda one: float(people.means[one[0]] @ people.means[one[1]]))
    template_ids = tuple(people.template_ids[row] for row in nearest)
    return Finding((pair.first, pair.second), template_ids, pair.similarity)


def _left_out(people: EnrolledPeople) -> Iterable[Finding]:
    for template, embedding in zip(people.templates, people.embeddings, strict=True):
        if not template.is_searched:
            yield _of_template(people, template, embedding)


def _of_template(
    people: EnrolledPeople,
    template: StoredTemplate,
    embedding: NDArray[np.float32],
    faults: tuple[QualityFault, ...] = (),
) -> Finding:
    rows = people.rows(template.person)
    similarity = (people.means[rows.start : rows.stop] @ embedding).max()
    return Finding((template.person,), (template.template_id,), float(similarity), faults)


def _with_resembled(people: EnrolledPeople, finding: Finding, least: float) -> Finding:
    """Adds whom a template resembles most, its own person left aside, if it is someone by this cosine or more."""
    (person,), (template_id,) = finding.people, finding.template_ids
    row = next(row for row, one in enumerate(people.templates) if one.template_id == template_id)
    similarities = people.means @ people.embeddings[row]
    own = people.rows(person)
    similarities[own.start : own.stop] = -1.0
    nearest = int(similarities.argmax())
    similarity = float(similarities[nearest])
    if similarity < least or nearest in own:
        return finding
    resembled = int(np.searchsorted(people.starts, nearest, side="right")) - 1
    return finding._replace(resembled=resembled, resembled_similarity=similarity)


def _disagreeing(people: EnrolledPeople) -> Iterable[Finding]:
    for person in np.flatnonzero(np.diff(people.starts) > 1).tolist():
        first, second = people.rows(person)
        value = float(people.means[first] @ people.means[second])
        yield Finding((person,), (people.template_ids[first], people.template_ids[second]), value)


def _poor(
    people: EnrolledPeople, limits: SinglePictureLimits, refused: Iterable[Finding]
) -> Iterable[Finding]:
    """Yields the only pictures that are poor; those that enrollment would refuse are found as such."""
    counts = np.bincount([one.person for one in people.templates], minlength=1)
    found_already = {finding.template_ids for finding in refused}
    for one in people.templates:
        if counts[one.person] > 1 or (one.template_id,) in found_already:
            continue
        standing = limits.standing(one.quality)
        if standing.faults:
            yield Finding((one.person,), (one.template_id,), standing.share, standing.faults)


def _refused(people: EnrolledPeople, stored_faults: StoredFaults) -> Iterable[Finding]:
    for template, embedding in zip(people.templates, people.embeddings, strict=True):
        if faults := stored_faults(template.quality, embedding):
            yield _of_template(people, template, embedding, faults)


def _worst(found: Iterable[Finding], limit: int) -> Findings:
    """Counts findings and lists those with the lowest numbers, without keeping all."""
    counter = count()
    # `zip` asks the counter first, so it is one ahead when the findings end.
    numbered = (one for _, one in zip(counter, found, strict=False))
    listed = nsmallest(limit, numbered, key=lambda one: (one.value, one.people))
    return Findings(next(counter) - 1, tuple(listed))
