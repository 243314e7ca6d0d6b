"""What a negative example changes: how often a stranger who once got a person's name gets it again, and what it costs the person.

Galleries are drawn from all lent people; who is not drawn is a stranger. Of each stranger and each name that one of their pictures gets, one
such picture becomes a negative example of the person, chosen at random; the stranger's other pictures, and the person's pictures that are not
enrolled, are looked at before and after. The example is embedded as an enrolled picture is, the others as in a stream. *Look-alikes* are strangers of whom at least half of the other pictures get the same
name. Pictures go through the server's own line once. Intervals are bootstrapped over people: over strangers, and over the people who are enrolled.
"""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.lent_samples import lent_samples
from bench.open_set_galleries import (
    ALL,
    Case,
    Gallery,
    able,
    drawn_gallery,
    populations,
)
from bench.report import Report, parser, progress, run
from facewire_server.evaluation.intervals import OfPeople, Rate, drawn_people, rate
from facewire_server.evaluation.samples import Samples
from facewire_server.thresholds import gallery_rule

__all__: list[str] = []

_WANTED: Final = 0.01
_FIXED: Final = 0.42
_POLICIES: Final = (f"rule {_WANTED:.0%}", f"fixed {_FIXED}")
_PICTURES: Final = (1, 3)


class _Event(NamedTuple):
    """A stranger's picture that got a name: whose the picture is, the person named, and each other picture before and after.

    Attributes:
        stranger, person: places in `Samples.people`.
        before, after: of the stranger's other pictures, which get the name.
        own_before, own_after: of the person's pictures that are not enrolled.
    """

    stranger: int
    person: int
    before: NDArray[np.bool_]
    after: NDArray[np.bool_]
    own_before: NDArray[np.bool_]
    own_after: NDArray[np.bool_]

    @property
    def is_look_alike(self) -> bool:
        """Whether at least half of the stranger's other pictures get the name, too."""
        return len(self.before) > 0 and bool(self.before.mean() >= 0.5)


def main() -> int:
    flags = parser("negative_examples", __doc__)
    flags.add_argument("--draws", type=int, default=20, help="galleries drawn of each kind")
    flags.add_argument("--size", type=int, default=100, help="people of a gallery")
    flags.add_argument("--people", type=int, default=0, help="use this many people only")
    flags.add_argument("--embeddings", type=Path, help="folder that keeps faces: biometric data")
    arguments = flags.parse_args()
    samples, contract = lent_samples(arguments.embeddings, arguments.people)
    report = Report("negative_examples", arguments)
    report.note(f"{len(samples.people)} people, {int(samples.is_usable.sum())} pictures\n")
    draws = drawn_people(len(samples.people), 2000)
    generator = np.random.default_rng(70)
    members = populations(samples)[ALL]
    events: dict[str, list[_Event]] = {}
    for count in _PICTURES:
        # Of whom half at most is enrolled, so that there are strangers.
        size = min(arguments.size, len(able(samples, members, count)) // 2)
        case = Case("", size, count)
        for _ in progress(range(arguments.draws), f"{count} pictures", arguments.draws):
            gallery = drawn_gallery(samples, members, case, generator)
            assert contract.calibration is not None
            rule = gallery_rule(
                contract.calibration, _WANTED, len(gallery.enrolled), gallery.held.pairs
            )
            for name, threshold in zip(_POLICIES, (rule.threshold, _FIXED), strict=True):
                found = events.setdefault(f"{name}, {size} people, {count}", [])
                found += _events(samples, members, gallery, threshold, generator)
    _table(report, samples, events, draws)
    return report.finish()


def _events(
    samples: Samples,
    members: NDArray[np.intp],
    gallery: Gallery,
    threshold: float,
    generator: np.random.Generator,
) -> list[_Event]:
    takes_part = samples.is_searched & np.isin(samples.person, members)
    takes_part[gallery.used] = False
    rows = np.flatnonzero(takes_part)
    person = samples.person[rows]
    to_mean = samples.probes[rows] @ gallery.held.means.T
    best = gallery.enrolled[gallery.held.owners[to_mean.argmax(axis=1)]]
    gets_name = to_mean.max(axis=1) >= threshold
    is_stranger = ~np.isin(person, gallery.enrolled)
    events = []
    wrong = np.flatnonzero(is_stranger & gets_name)
    for stranger, named in sorted({(int(person[one]), int(best[one])) for one in wrong}):
        hits = [one for one in wrong if (person[one], best[one]) == (stranger, named)]
        chosen = int(generator.choice(hits))
        example = samples.templates[rows[chosen]]
        own = to_mean[:, gallery.enrolled[gallery.held.owners] == named].max(axis=1)
        is_named = gets_name & (best == named)
        is_kept = is_named & (own >= samples.probes[rows] @ example)
        others = np.flatnonzero(person == stranger)
        others = others[others != chosen]
        mates = np.flatnonzero(person == named)
        events.append(
            _Event(
                stranger, named, is_named[others], is_kept[others], is_named[mates], is_kept[mates]
            )
        )
    return events


def _table(
    report: Report, samples: Samples, found: dict[str, list[_Event]], draws: NDArray[np.float32]
) -> None:
    count = len(samples.people)
    lines = []
    for name, events in found.items():
        for kind, those in (
            ("all", events),
            ("look-alikes", [one for one in events if one.is_look_alike]),
        ):
            looks = _of(count, [(one.stranger, len(one.before)) for one in those])
            before = _of(count, [(one.stranger, int(one.before.sum())) for one in those])
            after = _of(count, [(one.stranger, int(one.after.sum())) for one in those])
            mates = _of(count, [(one.person, len(one.own_before)) for one in those])
            missed = _of(count, [(one.person, int((~one.own_before).sum())) for one in those])
            lost = _of(count, [(one.person, int((~one.own_after).sum())) for one in those])
            rates = (
                rate(before, looks, draws),
                rate(after, looks, draws),
                rate(missed, mates, draws),
                rate(lost, mates, draws),
            )
            lines.append((f"{name}, {kind}", len(those), looks.total(), *map(_cell, rates)))
    report.table(
        "in %, 95 % intervals over people: other pictures of the stranger that get the name again; the person's own pictures without it",
        ["policy, pictures", "wrong names", "other pictures", "again", "after", "FNIR", "after"],
        lines,
    )


def _of(count: int, hits: list[tuple[int, int]]) -> OfPeople:
    counts = np.zeros(count, np.int64)
    for person, number in hits:
        counts[person] += number
    return OfPeople(counts)


def _cell(one: Rate) -> str:
    low, high = one.interval()
    return f"{one.share:.1%} ({low:.1%}–{high:.1%})"


if __name__ == "__main__":
    run(main)
