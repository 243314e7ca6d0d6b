"""Processor time of a frame of steady video: this server, the same before a change, and OpenCV's YuNet + SFace on every frame.

Clips with one to three faces, at 720p and 1080p, come at the times of a camera of 30, 15 and 5 frames a second, as fast as the
server takes them (EVERY_FRAME, JPEGs of quality 90 that were encoded before). The processor time is that of the server's process with all
its threads; the peer is a process of one thread. They take turns, and the ratios are taken turn by turn. `--checkout` is the server before:

    git worktree add ../before d547e07  # with models of its own: `facewire-models --out models`
    python -m bench.video_cost --checkout ../before
"""

import statistics
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from bench.intervals import median_of
from bench.report import Report, parser, progress, run
from bench.steady_clips import Clip, drawn_clips, lent_clips
from bench.video_parties import STAGES, Party, Peer, Server, Turn
from facewire_server.evaluation.intervals import Interval
from harness import REPOSITORY

__all__: list[str] = []

RATES: Final = (30, 15, 5)
"""Frames a second of a camera."""

AIMS: Final = {30: 5.0, 15: 5.0, 5: 3.0}
"""At each rate: least ratio to the server before and to the peer."""

AIM_EMBEDDINGS: Final = 0.1
"""Most embeddings per face and frame, at 15 frames a second and more."""

_FRAMES: Final = 90
"""Of a turn of this server. Chosen, not measured: about a second of processor time, which the kernel counts in hundredths."""

_OTHER_FRAMES: Final = 30
"""Of a turn of the others, which do every frame alone."""

_WARM_UP: Final = 15
"""Frames before the first turn; this server gets two seconds more, until the first verdict."""


def main() -> int:
    flags = parser("video_cost", __doc__)
    flags.add_argument("--checkout", type=Path, help="folder of the server before the change")
    flags.add_argument("--turns", type=int, default=8, help="of each clip and rate, >= 6")
    flags.add_argument("--drawn", action="store_true", help="drawn clips in place of the lent ones")
    flags.add_argument("--clips", default="", help="only those whose names contain this")
    flags.add_argument("--rates", type=int, nargs="*", default=RATES)
    arguments = flags.parse_args()
    clips = drawn_clips() if arguments.drawn else lent_clips()
    clips = [clip for clip in clips if arguments.clips in clip.name]
    report = Report("video_cost", arguments)
    with ExitStack() as stack:
        parties: dict[str, Party] = {
            "now": stack.enter_context(Server(REPOSITORY, clips)),
            "peer": stack.enter_context(Peer()),
        }
        if arguments.checkout:
            parties["before"] = stack.enter_context(Server(arguments.checkout.resolve(), clips))
        cases = [(clip, rate) for clip in clips for rate in arguments.rates]
        for clip, rate in progress(cases, "clips and rates", len(cases)):
            turns = _measured(parties, clip, rate, max(6, arguments.turns))
            _note(report, clip, rate, turns)
    _show(report)
    return report.finish()


def _measured(
    parties: dict[str, Party], clip: Clip, rate: int, count: int
) -> dict[str, list[Turn]]:
    found: dict[str, list[Turn]] = {name: [] for name in parties}
    with ExitStack() as stack:
        plays = {
            name: stack.enter_context(party.playing(clip, rate)) for name, party in parties.items()
        }
        for name, play in plays.items():
            play.turn(_WARM_UP if name != "now" else 2 * rate + _WARM_UP)
        for turn in range(count):
            for name in list(plays)[:: -1 if turn % 2 else 1]:
                found[name].append(plays[name].turn(_FRAMES if name == "now" else _OTHER_FRAMES))
    return found


def _note(report: Report, clip: Clip, rate: int, turns: dict[str, list[Turn]]) -> None:
    now = turns["now"]
    ratios: dict[str, tuple[float, Interval]] = {
        name: median_of([one.ms / ours.ms for one, ours in zip(turns[name], now, strict=True)])
        for name in turns
        if name != "now"
    }
    frames = sum(turn.frames for turn in now)
    faces = sum(turn.faces for turn in now)
    embedded = sum(turn.embedded for turn in now) / faces if faces else float("nan")
    report.values.setdefault("cases", []).append(
        {
            "clip": clip.name,
            "fps": rate,
            "ms": {
                name: statistics.median(turn.ms for turn in found) for name, found in turns.items()
            },
            "ratio": {name: [ratio, *sure] for name, (ratio, sure) in ratios.items()},
            "faces_a_frame": {
                name: sum(turn.faces for turn in found) / sum(turn.frames for turn in found)
                for name, found in turns.items()
            },
            "embeddings_a_face_and_frame": embedded,
            "searched": sum(turn.searched for turn in now) / frames,
            "stages_ms": {
                stage: sum(turn.stages_ms.get(stage, 0.0) for turn in now) / frames
                for stage in STAGES
            },
        }
    )
    said = (f"{name} ÷ now {ratio:.2f} ({sure:.2f})" for name, (ratio, sure) in ratios.items())
    report.note(f"{clip.name}, {rate} frames/s: {', '.join(said)}")
    if not clip.has_aim:
        return
    for name, (ratio, sure) in ratios.items():
        if (aim := AIMS.get(rate)) is not None:
            what = f"{clip.name}, {rate} frames/s: {name} ÷ now ≥ {aim:g}"
            report.aim(what, f"{ratio:.2f} ({sure:.2f})", met=ratio >= aim)
    if rate >= 15:
        what = f"{clip.name}, {rate} frames/s: embeddings per face and frame ≤ {AIM_EMBEDDINGS:g}"
        report.aim(what, f"{embedded:.3f}", met=embedded <= AIM_EMBEDDINGS)


def _show(report: Report) -> None:
    cases: list[dict[str, Any]] = report.values["cases"]
    others = [name for name in ("before", "peer") if name in cases[0]["ms"]]
    report.table(
        "processor time of a frame, ms, and its ratios with their intervals",
        ["clip", "fps", "now", "frames/s a core", *(f"{n}, ms" for n in others)]
        + [f"{n} ÷ now" for n in others]
        + ["searched", "embeddings"],
        [
            [case["clip"], case["fps"], case["ms"]["now"], 1e3 / case["ms"]["now"]]
            + [case["ms"][name] for name in others]
            + ["{:.2f} ({:.2f}–{:.2f})".format(*case["ratio"][name]) for name in others]
            + [case["searched"], case["embeddings_a_face_and_frame"]]
            for case in cases
        ],
    )
    report.table(
        "where the time goes: mean ms of a frame by stage (calls included), beside the processor time",
        ["clip", "fps", *STAGES, "processor"],
        [
            [case["clip"], case["fps"], *case["stages_ms"].values(), case["ms"]["now"]]
            for case in cases
        ],
    )
    report.table(
        "faces a frame",
        ["clip", "fps", "now", *others],
        [
            [case["clip"], case["fps"], *(case["faces_a_frame"][n] for n in ("now", *others))]
            for case in cases
        ],
    )


if __name__ == "__main__":
    run(main)
