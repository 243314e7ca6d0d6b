"""Deleted people: how often their vectors, names and ids are found in the files of the data folder, before and after a purge.

People are enrolled, some are seen by a camera whose tracks and pictures the journal keeps, some are renamed, and all but every
tenth are deleted. Two processes use the gallery meanwhile. Every file in the folder is searched for what was theirs: LMDB's
files, lock files, pictures, temporary files and leftovers. Of those who stay everything must be found.
"""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import numpy as np

from bench.report import Report, parser, run
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.lmdb_journal import open_journal
from facewire_server.events import ignore
from facewire_server.galleries.records import (
    EnrollmentResult,
    NewIdentity,
    NewNegativeExample,
)
from facewire_server.streams.journal import Crop
from facewire_server.types import (
    Candidate,
    Decision,
    Outcome,
    Quality,
    TrackEvent,
    TrackReason,
    TrackState,
)
from harness.kept_unknown import UNKNOWN_KINDS, keep_and_part

__all__ = ["Found", "measure"]

_DIMENSION: Final = 128
_CONTRACT: Final = "c" * 64
_SEEN: Final = 100
"""People whom a camera sees: each record is several calls."""

_WINDOW_BYTES: Final = 8
"""Bytes of each secret that are looked for: random ones, so that chance finds none."""

_UNKNOWN: Final = 300
"""Unknown people, of whom a third is forgotten, and a third enrolled; at most as many as others."""

_BOX: Final = (1.0, 2.0, 30.0, 40.0)

_KINDS: Final = ("vectors", "names", "old names", "ids", "templates", "crops", "negative examples")

_OTHER: Final = """
import asyncio, sys
from pathlib import Path
from facewire_server.backends.exact_search import ExactSearch
from facewire_server.backends.lmdb_gallery import LmdbGallery
gallery = LmdbGallery(Path(sys.argv[1]), vector_search=ExactSearch(), model_contract_id="c" * 64, dimension=128)
print("opened", flush=True)
for _ in sys.stdin:
    asyncio.run(gallery.tidy())
    print("tidied", flush=True)
gallery.close()
"""


class _Person(NamedTuple):
    identity_id: str
    name: str
    old_name: str
    template_id: str
    crop: bytes
    negative: bytes

    def secrets(self, vector: bytes) -> dict[str, bytes]:
        found = (
            vector,
            self.name.encode(),
            self.old_name.encode(),
            self.identity_id.encode(),
            bytes.fromhex(self.template_id),
            self.crop,
            self.negative,
        )
        return dict(zip(_KINDS, found, strict=True))


class Found(NamedTuple):
    """How often something of the deleted is in the files, by kind, and of those who stay after the purge."""

    before: Counter[str]
    after: Counter[str]
    kept: Counter[str]
    pending_before: int
    pending_after: int


def main() -> int:
    flags = parser("erasure", __doc__)
    flags.add_argument("--people", type=int, default=1112, help="enrolled; 9 of 10 are deleted")
    arguments = flags.parse_args()
    report = Report("erasure", arguments)
    with TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), arguments.people))
    report.table(
        f"found in all files, of {arguments.people - -(-arguments.people // 10)} deleted people, "
        f"and of unknown people who were forgotten or enrolled",
        ["", "before the purge", "after it"],
        [
            (kind, str(found.before[kind]), str(found.after[kind]))
            for kind in (*_KINDS, *UNKNOWN_KINDS)
        ],
    )
    report.note(f"pending_purge_count: {found.pending_before} before, {found.pending_after} after")
    report.values |= {"before": dict(found.before), "after": dict(found.after)}
    report.aim("nothing after the purge", str(found.after.total()), met=not found.after.total())
    return report.finish()


async def measure(data: Path, count: int, *, is_purged: bool = True) -> Found:
    """Enrolls, deletes and purges.

    Args:
        data: an empty folder.
        count: people.
        is_purged: without it nothing is purged, so that `after` shows what stays.
    """
    random = np.random.default_rng(1)
    vectors = random.standard_normal((count, _DIMENSION)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    negatives = random.standard_normal((count, _DIMENSION)).astype(np.float32)
    negatives /= np.linalg.norm(negatives, axis=1, keepdims=True)
    people = [
        _Person(
            identity_id=os.urandom(16).hex(),
            name=os.urandom(16).hex(),
            old_name=os.urandom(16).hex(),
            template_id=os.urandom(16).hex(),
            crop=os.urandom(64),
            negative=negatives[number].tobytes(),
        )
        for number in range(count)
    ]
    deleted = [number for number in range(count) if number % 10]
    gallery = LmdbGallery(
        data / "gallery",
        vector_search=ExactSearch(),
        model_contract_id=_CONTRACT,
        dimension=_DIMENSION,
    )
    with closing(gallery), _another(data / "gallery") as tidy:
        journal = open_journal(
            data / "journal",
            gallery,
            keep_count=100_000,
            keep_s=86_400.0,
            keeps_crops=True,
            emit=ignore,
        ).journal
        with closing(journal):
            stream = await journal.open_stream("door", "default")
            for number, person in enumerate(people):
                who = NewIdentity(person.identity_id, create=True, display_name=person.old_name)
                result = EnrollmentResult(person.template_id)
                await gallery.enroll(
                    "default",
                    who,
                    [result],
                    vectors[number : number + 1],
                    request_id=person.identity_id,
                    fingerprint=b"f",
                )
                await gallery.update_identity("default", person.identity_id, person.name)
                face = NewNegativeExample(
                    os.urandom(16).hex(), person.identity_id, Quality(40.0, 50.0, 100.0), 0.9, _BOX
                )
                await gallery.add_negative_example("default", face, negatives[number])
                if number < _SEEN:
                    track_id = journal.new_track_id()
                    await journal.keep_crop(
                        track_id, Crop(person.crop, 9, Quality(40.0, 50.0, 100.0))
                    )
                    await stream.record([_event(track_id, person)])
            for number in deleted:
                await gallery.delete_identity("default", people[number].identity_id)
            unknown = await keep_and_part(
                data / "unknown", gallery, _DIMENSION, min(count, _UNKNOWN)
            )
            theirs = [people[number].secrets(vectors[number].tobytes()) for number in deleted]
            theirs += unknown.gone
            before = _count(data, theirs)
            pending_before = (await gallery.get_gallery("default")).pending_purge_count
            if is_purged:
                await journal.maintain()
                await gallery.erase_deleted()
                tidy()
                await gallery.tidy()
            pending_after = (await gallery.get_gallery("default")).pending_purge_count
            after = _count(data, theirs)
            stay = [
                people[number].secrets(vectors[number].tobytes()) for number in range(0, count, 10)
            ]
            kept = _count(data, stay + unknown.stay)
    return Found(before, after, kept, pending_before, pending_after)


def _event(track_id: int, person: _Person) -> TrackEvent:
    now_us = 1_800_000_000_000_000
    best = Candidate(person.identity_id, person.name, 0.75, person.template_id)
    return TrackEvent(
        camera_id="door",
        gallery_id="default",
        track_id=track_id,
        visit_id=track_id,
        state=TrackState.CONFIRMED,
        reason=TrackReason.EVIDENCE,
        decision=Decision(Outcome.KNOWN, best, 0.25, 0.5, 7, (best,), look_count=3),
        first_sequence=3,
        last_sequence=9,
        first_seen_us=now_us,
        last_seen_us=now_us,
        server_time_us=now_us,
    )


@contextmanager
def _another(folder: Path) -> "Iterator[_Tidy]":
    """A second process that has the gallery open."""
    with subprocess.Popen(
        [sys.executable, "-c", _OTHER, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            assert process.stdout.readline() == "opened\n"
            yield _Tidy(process)
        finally:
            process.stdin.close()  # type: ignore[union-attr]
            process.wait()


class _Tidy:
    """Has the second process look once, as each server does each second."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def __call__(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print("tidy", file=self._process.stdin, flush=True)
        assert self._process.stdout.readline() == "tidied\n"


def _count(folder: Path, secrets: list[dict[str, bytes]]) -> Counter[str]:
    """Counts the windows of all files that are the beginning of a secret."""
    of_kind: dict[str, list[bytes]] = {}
    for one in secrets:
        for kind, secret in one.items():
            of_kind.setdefault(kind, []).append(secret[:_WINDOW_BYTES])
    windows = {kind: np.frombuffer(b"".join(all_), np.uint64) for kind, all_ in of_kind.items()}
    found: Counter[str] = Counter()
    for path in (path for path in folder.rglob("*") if path.is_file()):
        # By another process: closing a file that LMDB has open here would drop its locks.
        data = subprocess.run(["cat", path], stdout=subprocess.PIPE, check=True).stdout
        for shift in range(_WINDOW_BYTES):
            whole = (len(data) - shift) // _WINDOW_BYTES
            if whole < 1:
                continue
            at = np.frombuffer(data, np.uint64, whole, shift)
            at = at[at != 0]  # most of a file's, and of no secret
            for kind, wanted in windows.items():
                found[kind] += int(np.isin(at, wanted).sum())
    return found


if __name__ == "__main__":
    run(main)
