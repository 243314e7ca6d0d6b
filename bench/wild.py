"""Pictures as they are found in the wild: accepted or refused, why, with how much memory and time.

Each file is walked and decoded as the server does, in a process whose memory and processor time are limited. Without
`--pictures` these are the cases beside the lent pictures, the lent pictures, and what Pillow and scikit-image carry.
"""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from bench.report import Report, parser, progress, run
from facewire_server.types import Picture, PictureLimits
from harness import pictures
from harness.guarded import Guarded, Outcome
from harness.pictures import MissingPictures

__all__: list[str] = []

_MB: Final = 1e6
_NOT_PICTURES: Final = frozenset(
    [
        ".py",
        ".pyi",
        ".pyc",
        ".so",
        ".h",
        ".md",
        ".txt",
        ".csv",
        ".json",
        ".typed",
        ".sh",
        ".ini",
        ".xml",
        ".npy",
        ".npz",
    ]
)
_LIMITS: Final = PictureLimits(max_frame_bytes=64 << 20, max_pixels=50_000_000)
_MEMORY_BYTES: Final = 2 << 30
_CPU_S: Final = 60
"""The guard's own limits, far above the aims: what exceeds one ends the process, and is a fault."""

AIM_BYTES_A_PIXEL: Final = 20
AIM_BYTES_A_BYTE: Final = 4
AIM_ANYWAY_MB: Final = 12
"""Most memory for a picture: for each of its pixels, for each byte of its file, and anyway. A refused picture may take what
the most pixels that are decoded may."""

_SHOWN: Final = 12


class _Looked(NamedTuple):
    path: Path
    byte_count: int
    outcome: Outcome

    @property
    def excess_bytes(self) -> float:
        """Memory beyond what the aim allows."""
        outcome = self.outcome
        pixels = outcome.width_px * outcome.height_px
        if outcome.reason:
            pixels = _LIMITS.max_pixels
        due = AIM_ANYWAY_MB * _MB + AIM_BYTES_A_PIXEL * pixels + AIM_BYTES_A_BYTE * self.byte_count
        return outcome.peak_bytes - due


def main() -> int:
    flags = parser("wild", __doc__)
    flags.add_argument(
        "--pictures",
        type=Path,
        action="append",
        metavar="FOLDER",
        help="look at these files; may be repeated",
    )
    arguments = flags.parse_args()
    files = _distinct(arguments.pictures or _usual_folders())
    report = Report("wild", arguments)
    looked = []
    with Guarded(_LIMITS, memory_bytes=_MEMORY_BYTES, cpu_s=_CPU_S) as guarded:
        for path, data in progress(files.items(), "pictures", len(files)):
            looked.append(_Looked(path, len(data), guarded.decode(Picture(data))))
    _print(report, looked)
    return report.finish()


def _usual_folders() -> list[Path]:
    found = []
    for name in ("scenes", "ancestor", "groups"):
        with contextlib.suppress(MissingPictures):
            found.append(pictures.folder(name))
    found += [folder.parent.parent / "cases" for folder in found[:1]]
    for package in ("PIL", "skimage"):
        spec = find_spec(package)
        found += map(Path, (spec.submodule_search_locations or []) if spec else [])
    return [folder for folder in found if folder.is_dir()]


def _distinct(folders: Iterable[Path]) -> dict[Path, bytes]:
    """The files of the folders that may be pictures, each content once."""
    found: dict[bytes, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise MissingPictures(f"there is no folder {folder}")
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix.lower() not in _NOT_PICTURES:
                found.setdefault(path.read_bytes(), path)
    if not found:
        raise MissingPictures("the folders hold no picture")
    return {path: data for data, path in found.items()}


def _print(report: Report, looked: list[_Looked]) -> None:
    refused = [each for each in looked if each.outcome.reason]
    accepted = [each for each in looked if not each.outcome.reason]
    report.note(
        f"{len(looked)} different files: {len(accepted)} accepted, {len(refused)} refused\n"
    )
    by_text = Counter(f"{each.outcome.reason}: {each.outcome.refusal}" for each in refused)
    report.table(
        "refused, by text",
        ["text", "files"],
        [(text, str(count)) for text, count in by_text.most_common()],
    )
    _table(report, "most memory", sorted(looked, key=lambda each: -each.outcome.peak_bytes))
    _table(report, "most processor time", sorted(looked, key=lambda each: -each.outcome.cpu_s))
    by_suffix: dict[str, list[_Looked]] = defaultdict(list)
    for each in looked:
        by_suffix[each.path.suffix.lower()].append(each)
    report.table(
        "by suffix",
        ["suffix", "accepted", "refused", "lines of decoders", "peak MB", "CPU s"],
        [
            (
                suffix or "none",
                str(sum(not each.outcome.reason for each in of_suffix)),
                str(sum(bool(each.outcome.reason) for each in of_suffix)),
                str(sum(each.outcome.line_count for each in of_suffix)),
                f"{max(each.outcome.peak_bytes for each in of_suffix) / _MB:.1f}",
                f"{sum(each.outcome.cpu_s for each in of_suffix):.2f}",
            )
            for suffix, of_suffix in sorted(by_suffix.items())
        ],
    )
    died = [each for each in looked if each.outcome.reason == "died"]
    over = max(each.excess_bytes for each in looked)
    report.values |= {
        "accepted": len(accepted),
        "refused": dict(by_text.most_common()),
        "peak_mb": round(max(each.outcome.peak_bytes for each in looked) / _MB, 1),
        "cpu_s": round(sum(each.outcome.cpu_s for each in looked), 2),
    }
    report.aim(
        f"no picture takes over {_MEMORY_BYTES >> 30} GiB or {_CPU_S} s of processor",
        f"{len(died)} do: {', '.join(each.path.name for each in died[:5])}".rstrip(": "),
        met=not died,
    )
    report.aim(
        f"memory ≤ {AIM_ANYWAY_MB} MB + {AIM_BYTES_A_PIXEL} bytes a pixel + {AIM_BYTES_A_BYTE} a byte of the file",
        f"{max(0.0, over) / _MB:.1f} MB over",
        met=over <= 0,
    )


def _table(report: Report, title: str, looked: list[_Looked]) -> None:
    report.table(
        title,
        ["file", "bytes", "pixels", "peak MB", "CPU s"],
        [
            (
                each.path.name[:50],
                str(each.byte_count),
                f"{each.outcome.width_px}x{each.outcome.height_px}"
                if not each.outcome.reason
                else "refused",
                f"{each.outcome.peak_bytes / _MB:.1f}",
                f"{each.outcome.cpu_s:.3f}",
            )
            for each in looked[:_SHOWN]
        ],
    )


if __name__ == "__main__":
    run(main)
