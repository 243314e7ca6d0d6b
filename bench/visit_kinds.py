"""Visits of strangers and of enrolled people before galleries that are drawn: all pictures of a person, two minutes of them, clips."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from bench.line_embeddings import Shot
from bench.visit_counts import Visits
from bench.visit_judged import Gallery, visit
from bench.visit_looks import LEAST_SHOTS, Clip, Seen, Sitter
from facewire_server.types import DecisionPolicy

__all__ = ["SIZES", "Kind", "clips", "pictures", "two_minutes"]

SIZES: Final = (100, 300, 1000)
_LEAST: Final = 50
"""Strangers of whom there are visits, on average of all galleries. Chosen, not measured."""

_PICTURE_S: Final = 1.0
_LONG_SHOTS: Final = 6
"""Pictures of a person of whom a long visit is made."""

_LONG_LOOKS: Final = 60
_LONG_S: Final = 2.0


class Kind(NamedTuple):
    """One kind of visits, by the gallery's size: whoever is in none of `Visits` is a stranger.

    Attributes:
        title: of its tables.
        sizes: of galleries that there are people enough for.
        strangers, mates: the visits before galleries of a size, with a policy.
    """

    title: str
    sizes: tuple[int, ...]
    strangers: Callable[[int, DecisionPolicy], Visits]
    mates: Callable[[int, DecisionPolicy], Visits]


def pictures(looks: Seen, draws: int, enrolled: int = 1) -> Kind:
    """Returns visits of all pictures of one person, in random order, one a second.

    Args:
        looks: at all people.
        draws: galleries of each size.
        enrolled: pictures of each person in a gallery.
    """

    def shuffled(shots: list[Shot], random: np.random.Generator) -> list[Shot]:
        is_enough = len(shots) >= LEAST_SHOTS
        return [shots[row] for row in random.permutation(len(shots))] if is_enough else []

    title = "pictures" if enrolled == 1 else f"pictures, {enrolled} of each enrolled"
    return _ofpictures(title, looks, draws, shuffled, _PICTURE_S, enrolled)


def two_minutes(looks: Seen, draws: int) -> Kind:
    """Returns visits of two minutes of pictures that are shown again and again, one each two seconds."""

    def drawn(shots: list[Shot], random: np.random.Generator) -> list[Shot]:
        if len(shots) < _LONG_SHOTS:
            return []
        # In rounds, so that no look is that of the same picture as the one before.
        rounds = [random.permutation(len(shots)) for _ in range(_LONG_LOOKS // len(shots) + 1)]
        return [shots[row] for row in np.concatenate(rounds)[:_LONG_LOOKS]]

    return _ofpictures("two minutes of pictures", looks, draws, drawn, _LONG_S)


def _ofpictures(
    title: str,
    looks: Seen,
    draws: int,
    order: Callable[[list[Shot], np.random.Generator], list[Shot]],
    interval_s: float,
    enrolled: int = 1,
) -> Kind:
    enrollable = [one for one in looks.sitters if len(one.templates) >= enrolled]
    sitting = [one for one in looks.sitters if one.shots]
    sizes = tuple(size for size in SIZES if _strangers(sitting, enrollable, size) >= _LEAST)

    def visits(size: int, policy: DecisionPolicy, *, is_enrolled: bool) -> Visits:
        random = np.random.default_rng(size)
        for _ in range(draws):
            chosen = random.choice(len(enrollable), size, replace=False)
            people = [
                (enrollable[row].name, enrollable[row].templates[:enrolled]) for row in chosen
            ]
            names = {name for name, _ in people}
            gallery = Gallery(people, policy)
            for one in (one for one in looks.sitters if (one.name in names) == is_enrolled):
                # A mate is shown without the pictures that are enrolled.
                hidden = one.enrolled[:enrolled] if is_enrolled else ()
                shots = [shot for row, shot in enumerate(one.shots) if shot and row not in hidden]
                if shown := order(shots, random) if shots else []:
                    yield one.name, visit(shown, interval_s, gallery)

    return Kind(
        title,
        sizes,
        lambda size, policy: visits(size, policy, is_enrolled=False),
        lambda size, policy: visits(size, policy, is_enrolled=True),
    )


def _strangers(sitting: Sequence[Sitter], enrollable: Sequence[Sitter], size: int) -> float:
    """Returns how many of those of whom there are visits are not enrolled, on average."""
    if size > len(enrollable):
        return 0.0
    able = {one.name for one in enrollable}
    return sum(1 - size / len(able) if one.name in able else 1 for one in sitting)


def clips(looks: Seen, draws: int) -> Kind:
    """Returns visits that are clips, frame by frame."""
    others = [one for one in looks.sitters if len(one.templates)]
    enrollable = {clip.name for clip in looks.clips if len(_of(looks, clip.name)) > 1}

    def drawn(size: int, policy: DecisionPolicy, mates: Sequence[Clip]) -> Iterator[Gallery]:
        random = np.random.default_rng(size)
        for _ in range(draws):
            chosen = random.choice(len(others), size - len(mates), replace=False)
            people = [(others[row].name, others[row].templates[:1]) for row in chosen]
            yield Gallery([*people, *((mate.name, mate.templates) for mate in mates)], policy)

    def strangers(size: int, policy: DecisionPolicy) -> Visits:
        for gallery in drawn(size, policy, ()):
            for clip in looks.clips:
                yield clip.name, visit(clip.shots, 1 / clip.fps, gallery)

    def mates(size: int, policy: DecisionPolicy) -> Visits:
        signers = [_of(looks, name) for name in sorted(enrollable)]
        for gallery in drawn(size, policy, [clips[0] for clips in signers]):
            for clip in (clip for clips in signers for clip in clips[1:]):
                yield clip.name, visit(clip.shots, 1 / clip.fps, gallery)

    return Kind("clips", SIZES, strangers, mates)


def _of(looks: Seen, name: str) -> list[Clip]:
    return [clip for clip in looks.clips if clip.name == name]
