"""Verification (1:1) on pairs of LFW: accuracy at the shipped threshold.

Each pair goes through the running server's `Compare`, MOST_CENTRAL. A picture in which no face is found
makes its pair an error, mated or not; so does a face that is TOO_POOR.
"""

import numpy as np

from bench.comparing import NO_FACE_SIMILARITY, Pair, compare_pairs, similarities
from bench.report import Report, parser, run
from facewire_server.evaluation.intervals import wilson
from harness import pictures
from harness.running import running_server

__all__: list[str] = []

AIM_ACCURACY = 0.988
_SCAN = np.arange(0.30, 0.5401, 0.02)


def main() -> int:
    flags = parser("verify", __doc__)
    flags.add_argument("--limit", type=int, default=0, help="compare this many pairs only")
    arguments = flags.parse_args()
    folder = pictures.folder("verify")
    rows = pictures.evenly(pictures.rows(folder / "pairs.csv"), arguments.limit)
    pairs = [Pair(folder / r["path_a"], folder / r["path_b"], r["same"] == "1") for r in rows]
    with running_server() as server, server.channel() as channel:
        compared, faceless = compare_pairs(channel, pairs, "pairs")

    mated = np.array([pair.mated for pair in pairs])
    scores = similarities(compared)
    failed = scores == NO_FACE_SIMILARITY
    poor = np.array([answer.too_poor for answer in compared])
    right = (np.array([answer.same for answer in compared]) == mated) & ~failed & ~poor
    threshold = max(answer.threshold for answer in compared)
    accuracy, sure = float(right.mean()), wilson(int(right.sum()), len(right))

    report = Report("verify", arguments)
    report.values |= {
        "pairs": len(pairs),
        "threshold": threshold,
        "accuracy": accuracy,
        "accuracy_interval": sure,
        "pairs_without_face": int(failed.sum()),
        "pictures_without_face": len(faceless),
        "too_poor": int(poor.sum()),
        "false_matches": int((~right & ~mated & ~failed).sum()),
        "false_non_matches": int((~right & mated & ~failed).sum()),
    }
    report.table(
        f"{len(pairs)} pairs of LFW, threshold {threshold:.3f} (shipped)",
        ["", "pairs", "right", "no face", "wrong", "mean similarity"],
        [
            (
                name,
                str(kind.sum()),
                str((kind & right).sum()),
                str((kind & failed).sum()),
                str((kind & ~right & ~failed).sum()),
                f"{scores[kind & ~failed].mean():.3f}",
            )
            for name, kind in (("mated", mated), ("non-mated", ~mated))
        ],
    )
    scan = [(at, float((((scores >= at) == mated) & ~failed).mean())) for at in _SCAN]
    report.table(
        "accuracy at other thresholds",
        [f"{at:.2f}" for at, _ in scan],
        [[f"{value * 100:.2f}" for _, value in scan]],
    )
    report.aim(
        f"accuracy ≥ {AIM_ACCURACY:.1%}",
        f"{accuracy:.2%} ({sure:.2%})",
        met=accuracy >= AIM_ACCURACY,
    )
    return report.finish()


if __name__ == "__main__":
    run(main)
