"""Compares the people of a gallery with one another: all of them, or a sample of a large gallery.

A sample costs the same at every write. Whoever is in it stays: it is taken by the numbers of identities, which never change.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, groupby, islice
from typing import Final

import numpy as np

from facewire_server.backends.lmdb_gallery.block_editor import BlockEditor
from facewire_server.backends.lmdb_gallery.blocks import row_owner
from facewire_server.backends.lmdb_gallery.means import is_oldest_of_mean
from facewire_server.backends.lmdb_gallery.records_pb2 import Template
from facewire_server.backends.lmdb_storage.tables import Table, number_key
from facewire_server.galleries.embeddings import are_unit
from facewire_server.galleries.pairs import gallery_pairs
from facewire_server.thresholds import GalleryPairs

__all__ = ["is_sampled", "number_span", "sampled_pairs"]

_MOST_PEOPLE: Final = 512
"""People that are compared, as a rule; of a larger gallery every second, fourth and so on, by their numbers."""

_MOST_SAMPLED: Final = 2 * _MOST_PEOPLE
"""People that are compared, at most: the oldest, of a gallery from which most were deleted, where each number has few neighbors."""

_MOST_TEMPLATES: Final = 8
"""Templates of one person that are compared: no person weighs as much as a crowd. Chosen, not measured."""


def sampled_pairs(
    templates: Table, vectors: BlockEditor, means: BlockEditor, *, people: int, numbers: int
) -> GalleryPairs:
    """Returns how much the people of a gallery resemble one another.

    Args:
        templates: their records.
        vectors, means: what they are searched by, with the changes of this transaction.
        people: identities of the gallery.
        numbers: see `number_span`.
    """
    step = _step(people, numbers)
    rows, row_owners, mean_rows, mean_owners = [], [], [], []
    for number, members in groupby(_members(templates, step), lambda one: row_owner(one[0])[0]):
        for key, record in islice(members, _MOST_TEMPLATES):
            rows.append(vectors.unchecked_row(record.row))
            row_owners.append(number)
            if is_oldest_of_mean(key, record):
                mean_rows.append(means.unchecked_row(record.mean_row))
                mean_owners.append(number)
    if not (rows and mean_rows):
        return GalleryPairs()
    compared, compared_means = np.stack(rows), np.stack(mean_rows)
    # A damaged vector says nothing; whoever reads it for its own sake finds the damage.
    sound, sound_means = are_unit(compared), are_unit(compared_means)
    return gallery_pairs(
        compared[sound],
        np.array(row_owners)[sound],
        compared_means[sound_means],
        np.array(mean_owners)[sound_means],
    )


def number_span(people: int, template_count: int, next_number: int) -> int:
    """Returns how many numbers identities and templates take, as if they followed one another with few gaps.

    Numbers may leap: a gallery that was emptied goes on where it was, and a restore goes above all numbers that anyone has seen. The
    sample's steps must not become as wide as such a leap, in which no one is.
    """
    return min(next_number, 2 * (people + template_count))


def is_sampled(templates: Table, changed: Iterable[int], *, people: int, numbers: int) -> bool:
    """Whether one of these identities is compared, or was before it lost its templates."""
    step = _step(people, numbers)
    for number in changed:
        first = next(templates.keys(after=number_key(number // step * step)), None)
        if step == 1 or first is None or row_owner(first).identity_number >= number:
            return True
    return False


def _step(people: int, numbers: int) -> int:
    """Returns the distance of numbers of which each has one sampled identity, the first at or above it."""
    step = 1
    while people > _MOST_PEOPLE and step * _MOST_PEOPLE < numbers:
        step *= 2
    return step


def _members(templates: Table, step: int) -> Iterator[tuple[bytes, Template]]:
    """Yields the templates of the sampled identities, without those that disagree: they are not the person's."""
    if step == 1:  # one scan of all is faster than one for each
        found = templates.scan()
    else:
        found = chain.from_iterable(
            templates.scan(number_key(number))
            for number in islice(_numbers(templates, step), _MOST_SAMPLED)
        )
    for key, value in found:
        record = Template.FromString(value)
        if record.mean_number:
            yield key, record


def _numbers(templates: Table, step: int) -> Iterator[int]:
    """Yields the number of the first identity with a template at or above each multiple of the step."""
    above = 0
    while (key := next(templates.keys(after=number_key(above)), None)) is not None:
        number = row_owner(key).identity_number
        yield number
        above = (number // step + 1) * step
