"""Unknown people who are kept in a data folder: some are forgotten by a call, some enrolled, and some stay."""

import asyncio
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.unknown_files import UnknownFiles
from facewire_server.events import ignore
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.streams.journal import Crop
from facewire_server.streams.unknown import UnknownKeeper, UnknownVisit
from facewire_server.types import DecisionPolicy, Quality

__all__ = ["UNKNOWN_KINDS", "UnknownSecrets", "keep_and_part"]

UNKNOWN_KINDS: Final = ("unknown embeddings", "unknown pictures")
"""What there is of an unknown person."""

_LOOKS_LENGTH: Final = 0.9
"""Length of the mean of a visit's looks, so that its bytes are not those of the template of who is enrolled. Chosen, not measured."""

_POLICY: Final = DecisionPolicy(0.5, 0.0, 0.0)
"""A threshold that no two random vectors reach."""


class UnknownSecrets(NamedTuple):
    """What there is of people, by `UNKNOWN_KINDS`.

    Attributes:
        gone: of those who were forgotten or enrolled, one dictionary each.
        stay: of the others.
    """

    gone: list[dict[str, bytes]]
    stay: list[dict[str, bytes]]


async def keep_and_part(
    folder: Path, gallery: LmdbGallery, dimension: int, count: int
) -> UnknownSecrets:
    """Has people seen whom the gallery does not know; then a third is forgotten, a third enrolled, and a third stays.

    Args:
        folder: of the unknown people.
        gallery: in which they are enrolled.
        dimension: of the gallery's embeddings.
        count: people, as many as three or more.
    """
    store = UnknownFiles(folder, keep_s=3600.0, keys=None, model_contract_id="c" * 64)
    keeper = UnknownKeeper(store, gallery, _POLICY, ignore)
    running = asyncio.create_task(keeper.run())
    random = np.random.default_rng(2)
    visits = [_visit(random, dimension, number + 1) for number in range(count)]
    try:
        for visit in visits:
            keeper.saw(visit)
        await keeper.settled()
        kept = await keeper.of_gallery("default")
        assert [one.unknown_id for one in kept] == [one.track_id for one in visits]
        for visit in visits[::3]:
            await keeper.forget("default", visit.track_id)
        for visit in visits[1::3]:
            await _enroll(gallery, visit)
        await keeper.forget_enrolled()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        keeper.close()
    secrets = [_secrets(visit) for visit in visits]
    return UnknownSecrets(secrets[::3] + secrets[1::3], secrets[2::3])


def _visit(random: np.random.Generator, dimension: int, track_id: int) -> UnknownVisit:
    looks = random.standard_normal(dimension)
    looks *= _LOOKS_LENGTH / np.linalg.norm(looks)
    now_us = time.time_ns() // 1000
    picture = Crop(os.urandom(64), 1, Quality(40.0, 50.0, 100.0))
    mean = np.asarray(looks, np.float32)
    return UnknownVisit("default", "door", track_id, track_id, now_us, now_us, mean, picture)


def _secrets(visit: UnknownVisit) -> dict[str, bytes]:
    assert visit.picture is not None
    found = (visit.looks_mean.tobytes(), visit.picture.jpeg)
    return dict(zip(UNKNOWN_KINDS, found, strict=True))


async def _enroll(gallery: LmdbGallery, visit: UnknownVisit) -> None:
    who = NewIdentity(f"unknown-{visit.track_id}", create=True, display_name="")
    await gallery.enroll(
        "default",
        who,
        [EnrollmentResult(os.urandom(16).hex())],
        (visit.looks_mean / np.linalg.norm(visit.looks_mean))[None, :],
        request_id=who.identity_id,
        fingerprint=b"f",
    )
