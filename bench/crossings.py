"""People who cross, hide each other, or are cut to: whether a name is carried over to another face, at 30 to 1 frames/s.

Scenes of known truth are made of the faces of the lent clips, or of made-up people if these are not there (`--made-up`). The server's
tracker sees their boxes, and gets the embeddings that it asks for. A track has the name of the person of its first sure
embedding; a name is carried over where a sighting that the tracker is sure of shows another person. Beside it, in the same run, a
tracker by motion alone, which never doubts.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final

import numpy as np

from bench.clip_faces import see_clips
from bench.plain_tracker import PlainTracker
from bench.report import Report, parser, progress, run
from bench.track_scenes import Actor, Frame, Scene, actor_of, made_up, scenes
from facewire_server.streams.tracks import Tracker
from facewire_server.types import Faces
from harness import pictures

__all__: list[str] = []

_SEARCH_EVERY_S: Final = 0.5
_AIM_CALM: Final = 0.1
_AIM_OTHER: Final = 0.3
_LONGEST_S: Final = 30.0


class Tally:
    """What one tracker did in some scenes."""

    def __init__(self) -> None:
        self.frames = self.faces = self.embedded = self.held_back = 0
        self.carried_over = self.wrong_links = self.tracks = self.people = 0
        self.processor_s = 0.0
        self._last: dict[int, int] = {}
        self._names: dict[int, int] = {}

    def begin(self, people: int) -> None:
        """Starts another scene."""
        self.people += people
        self._last, self._names = {}, {}

    def see(self, track: int, person: int, *, is_sure: bool, is_named: bool) -> None:
        """Counts a sighting; `is_named`: the face was embedded, so that the track can have its name."""
        self.faces += 1
        self.tracks += track not in self._last
        self.wrong_links += self._last.get(track, person) != person
        self._last[track] = person
        self.held_back += not is_sure
        if is_sure and is_named:
            self._names.setdefault(track, person)
        self.carried_over += is_sure and self._names.get(track, person) != person

    @property
    def embedded_share(self) -> float:
        """Embeddings per face and frame."""
        return self.embedded / max(self.faces, 1)


def _times(rate: str, rng: np.random.Generator) -> list[float]:
    if rate == "30, a third dropped":
        return [at / 30 for at in range(int(30 * _LONGEST_S)) if rng.random() > 1 / 3]
    if rate == "~5":
        steps: list[float] = np.cumsum(rng.uniform(0.4, 1.6, int(5 * _LONGEST_S)) / 5).tolist()
        return steps
    return [at / float(rate) for at in range(int(float(rate) * _LONGEST_S))]


_RATES: Final = ("30", "30, a third dropped", "10", "5", "~5", "2", "1")


def _own(scene: Scene, frames: Sequence[Frame], tally: Tally, *, follows: bool) -> None:
    """Runs the server's tracker; with `follows`, a whole search is made twice a second, and after a loss."""
    ids = count(1)
    tracker = Tracker(lambda: next(ids))
    searched_s, must_search = -np.inf, True
    tally.begin(len(scene.actors))
    for frame in frames:
        if frame.is_cut:
            tracker.cut()
        is_search = (
            not follows or must_search or frame.is_cut or frame.at_s - searched_s >= _SEARCH_EVERY_S
        )
        if is_search:
            searched_s = frame.at_s
        else:
            frame = _followed(frame, tracker)
        faces = Faces(frame.boxes, frame.scores, np.zeros((len(frame.scores), 5, 2), np.float32))
        began_s = time.process_time()
        shown = set(tracker.windows(frame.at_s)[0].tolist())
        proposal = tracker.propose(frame.at_s, faces, is_search=is_search)
        asked = np.flatnonzero(proposal.ask & frame.is_good).tolist()
        seen = tracker.update(proposal, {row: frame.embeddings[row] for row in asked})
        tally.processor_s += time.process_time() - began_s
        must_search = bool(shown & set(seen.lost))
        tally.frames += 1
        tally.embedded += len(asked)
        for row, sighting in enumerate(seen.rows):
            tally.see(
                sighting.track_id,
                int(frame.people[row]),
                is_sure=sighting.is_sure,
                is_named=row in asked,
            )


def _followed(frame: Frame, tracker: Tracker) -> Frame:
    """Returns the faces that windows about the last ones show: the nearest within a width's 0.75."""
    _, windows = tracker.windows(frame.at_s)
    rows: set[int] = set()
    for window in windows:
        if len(frame.boxes):
            away = np.linalg.norm((frame.boxes - window).reshape(-1, 2, 2).mean(axis=1), axis=1)
            nearest = int(away.argmin())
            if away[nearest] <= 0.75 * (window[2] - window[0]):
                rows.add(nearest)
    kept = np.array(sorted(rows), np.intp)
    return frame._replace(
        boxes=frame.boxes[kept],
        scores=frame.scores[kept],
        embeddings=frame.embeddings[kept],
        is_good=frame.is_good[kept],
        people=frame.people[kept],
    )


def _plain(scene: Scene, frames: Sequence[Frame], tally: Tally) -> None:
    tracker = PlainTracker()
    tally.begin(len(scene.actors))
    for frame in frames:
        began_s = time.process_time()
        tracks = tracker.update(frame.at_s, frame.boxes)
        tally.processor_s += time.process_time() - began_s
        tally.frames += 1
        for track, person in zip(tracks, frame.people.tolist(), strict=True):
            tally.see(track, person, is_sure=True, is_named=True)


_TRACKERS: Final[dict[str, Callable[[Scene, Sequence[Frame], Tally], None]]] = {
    "searching": lambda scene, frames, tally: _own(scene, frames, tally, follows=False),
    "following": lambda scene, frames, tally: _own(scene, frames, tally, follows=True),
    "motion only": _plain,
}


def _casts(is_made_up: bool) -> list[list[Actor]]:
    """Returns who plays together: one clip of each signer and one more person, or people who do not exist."""
    if is_made_up:
        return [[made_up(4 * cast + each) for each in range(4)] for cast in range(4)]
    folder = pictures.folder("video")
    signers = [sorted(path.iterdir()) for path in sorted((folder / "asl").iterdir())]
    rounds = min(map(len, signers))
    woman = folder / "woman_720p.mp4"
    flat = [clips[index] for index in range(rounds) for clips in signers]
    seen = dict(zip([*flat, woman], see_clips([*flat, woman]), strict=True))
    casts = []
    for index in range(rounds):
        cast = [actor_of(seen[clips[index]]) for clips in signers] + [actor_of(seen[woman])]
        casts.append(cast[index % 4 :] + cast[: index % 4])
    return casts


def main() -> int:
    flags = parser("crossings", __doc__)
    flags.add_argument("--made-up", action="store_true", help="people who do not exist")
    flags.add_argument("--by-kind", action="store_true", help="a table for each kind of scene, too")
    arguments = flags.parse_args()
    report = Report("crossings", arguments)
    casts = _casts(arguments.made_up)
    tallies: dict[tuple[str, str, str], Tally] = defaultdict(Tally)
    played = [scene for seed, cast in enumerate(casts) for scene in scenes(cast, seed)]
    for number, scene in enumerate(progress(played, "scenes", len(played))):
        for rate in _RATES:
            frames = [*scene.frames(_times(rate, np.random.default_rng(number)))]
            for name, track in _TRACKERS.items():
                track(scene, frames, tallies[scene.kind, rate, name])
    _print(report, tallies, is_by_kind=arguments.by_kind)
    return report.finish()


def _print(report: Report, tallies: dict[tuple[str, str, str], Tally], *, is_by_kind: bool) -> None:
    columns = [
        "frames/s, tracker",
        "carried over",
        "wrong links",
        "tracks (people)",
        "held back",
        "embedded",
        "ms a frame",
    ]
    kinds = list(dict.fromkeys(kind for kind, _, _ in tallies))
    groups = {"calm": {"calm", "side by side"}}
    groups["all others"] = set(kinds) - groups["calm"]
    if is_by_kind:
        groups |= {kind: {kind} for kind in kinds}
    for title, members in groups.items():
        lines = []
        for rate in _RATES:
            for name in _TRACKERS:
                total = _sum([tallies[kind, rate, name] for kind in kinds if kind in members])
                lines.append(
                    (
                        f"{rate}, {name}",
                        str(total.carried_over),
                        str(total.wrong_links),
                        f"{total.tracks} ({total.people})",
                        f"{total.held_back / max(total.faces, 1):.1%}",
                        f"{total.embedded_share:.3f}",
                        f"{1e3 * total.processor_s / max(total.frames, 1):.3f}",
                    )
                )
                report.values[f"{title}, {rate}, {name}"] = {
                    key: value for key, value in vars(total).items() if not key.startswith("_")
                }
        report.table(title, columns, lines)
    own = [tally for (_, _, name), tally in tallies.items() if name != "motion only"]
    carried_over = sum(tally.carried_over for tally in own)
    report.aim("no name is carried over", str(carried_over), met=carried_over == 0)
    for title, aim in {"calm": _AIM_CALM, "all others": _AIM_OTHER}.items():
        share = max(
            _sum(
                [tallies[kind, rate, name] for kind in kinds if kind in groups[title]]
            ).embedded_share
            for rate in _RATES
            for name in _TRACKERS
            if rate.startswith(("30", "10"))
        )
        report.aim(
            f"embeddings per face and frame, {title}, 10 frames/s and more ≤ {aim}",
            f"{share:.3f}",
            met=share <= aim,
        )


def _sum(tallies: Sequence[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        for key, value in vars(tally).items():
            if not key.startswith("_"):
                setattr(total, key, getattr(total, key) + value)
    return total


if __name__ == "__main__":
    run(main)
