"""The mean embedding of upside-down faces, against the one in the model contract.

A face that stands on its head is found in three pictures of ten, with its landmarks the right way up. The mean embedding
of such faces, of all pictures of LFW and the groups, is `upside_down` in the model contract. Runs the line in this process.
"""

from pathlib import Path

import numpy as np

from bench.faces_seen import CACHE, Look, see
from bench.refused import pictures_of_groups
from bench.report import Report, parser, run
from facewire_server.app.values import read_model_contract
from harness import pictures

__all__: list[str] = []


def main() -> int:
    flags = parser("upside_down", __doc__)
    flags.add_argument("--limit", type=int, default=0, help="pictures of each set; 0 = all")
    flags.add_argument("--cache", type=Path, default=CACHE, help="folder of what was seen before")
    arguments = flags.parse_args()
    lfw = [
        Look(path, path.parent.name, "lfw", "clean")
        for path in sorted((pictures.folder("verify") / "lfw").rglob("*.jpg"))
    ]
    looks = [*pictures.evenly(lfw, arguments.limit), *pictures_of_groups(arguments.limit)]
    seen = see(
        [look._replace(kind="upside down") for look in looks], arguments.cache, "upside down"
    )
    mean = seen.plain.mean(axis=0)
    mean /= np.linalg.norm(mean)
    shipped = read_model_contract("sface").upside_down
    assert shipped is not None
    cosine = float(mean @ shipped)
    report = Report("upside_down", arguments)
    report.note(
        f"found in {len(seen.looks)} of {len(looks)} pictures that were turned by 180 degrees"
    )
    report.values |= {
        "faces": len(seen.looks),
        "pictures": len(looks),
        "upside_down": [float(f"{number:.4g}") for number in mean],
    }
    report.values["cosine"] = cosine
    if not arguments.limit:  # the mean of a few faces is another one
        report.aim("cosine to the model contract's ≥ 0.98", f"{cosine:.4f}", met=cosine >= 0.98)
    return report.finish()


if __name__ == "__main__":
    run(main)
