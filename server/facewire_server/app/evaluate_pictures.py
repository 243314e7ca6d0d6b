"""Takes the pictures of an evaluation through the line, several at a time, each once."""

import asyncio
import hashlib
from collections.abc import Callable

from facewire_server.errors import InvalidImage, OutOfMemory
from facewire_server.evaluation.cache import FaceCache
from facewire_server.evaluation.labels import LabeledPicture, LabelError
from facewire_server.evaluation.samples import Failure, Gates, Sample, examined
from facewire_server.pipeline.acquire import Acquirer
from facewire_server.types import DetectionOptions, FaceSelection, Picture

__all__ = ["take_pictures"]


async def take_pictures(
    pictures: tuple[LabeledPicture, ...],
    acquirer: Acquirer,
    cache: FaceCache,
    gates: Gates,
    selection: FaceSelection,
    detection: DetectionOptions,
    *,
    at_once: int,
    progress: Callable[[float], None],
) -> list[Sample]:
    """Reads every picture, embeds what the cache lacks, and keeps it there.

    A picture that is missing or cannot be read is a `Failure`, and so is one that a person has twice, byte by byte: it would
    resemble itself.

    Raises:
        LabelError: not one of the files is there.
        ModelUnavailable, TimedOut: what was embedded is in the cache.
    """
    if not any(picture.path.is_file() for picture in pictures):
        raise LabelError(
            f"none of the {len(pictures)} pictures is there, {pictures[0].path} first: paths are relative to the file that names them"
        )
    taken: dict[int, tuple[Sample, str]] = {}
    places = iter(range(len(pictures)))

    async def take(picture: LabeledPicture) -> tuple[Sample, str]:
        try:
            data = await asyncio.to_thread(picture.path.read_bytes)
        except OSError as error:
            is_missing = isinstance(error, FileNotFoundError)
            failure = Failure.MISSING if is_missing else Failure.UNREADABLE
            return Sample(picture, None, failure, error.strerror or str(error)), ""
        digest = hashlib.sha256(data).hexdigest()
        answer = cache.find(digest)
        if answer is None:
            try:
                answer = await acquirer.acquire(Picture(data), selection, detection)
            except (InvalidImage, OutOfMemory) as error:
                return Sample(picture, None, Failure.UNREADABLE, str(error)), digest
            cache.keep(digest, answer)
        return examined(picture, answer, gates), digest

    async def worker() -> None:
        for place in places:
            taken[place] = await take(pictures[place])
            progress(len(taken) / len(pictures))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(worker())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None  # one model that is away fails all of them
    return _without_copies([taken[place] for place in range(len(pictures))])


def _without_copies(taken: list[tuple[Sample, str]]) -> list[Sample]:
    seen: set[tuple[str, str]] = set()
    samples = []
    for sample, digest in taken:
        key = sample.picture.person, digest
        if digest and key in seen:
            sample = Sample(sample.picture, None, Failure.REPEATED, Failure.REPEATED.value)
        seen.add(key)
        samples.append(sample)
    return samples
