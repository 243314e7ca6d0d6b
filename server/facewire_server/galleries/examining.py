"""Examines galleries of a server that recognizes meanwhile: one at a time, none that is too large, not for a caller who has left."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from facewire_server.errors import GalleryTooLarge
from facewire_server.galleries.examined import Examined, Standards
from facewire_server.galleries.ports import EnrolledReader
from facewire_server.work.threads import run_in_thread

__all__ = ["MOST_COMPARED", "Examiner"]

MOST_COMPARED: Final = 10_000
"""Templates, and identities, of a gallery that is examined. All pairs of people are compared: twice as many take four times as long. Measured:
10,000 people of 512 numbers take .65 s of processor time, of 128 numbers .28 s; the gate takes .1 s more for 10,000 templates."""


class _Left(Exception):
    """The caller has left."""


class Examiner:
    """Examines galleries, one at a time."""

    def __init__(self, galleries: EnrolledReader, standards: Standards) -> None:
        """Takes the galleries, and what they are held to."""
        self._galleries = galleries
        self._standards = standards
        self._one = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "examiner")

    async def examine(self, gallery_id: str, limit: int) -> Examined:
        """Returns what is wrong in a gallery; a cancelled caller waits for the block of people that is compared then.

        Args:
            gallery_id: the gallery.
            limit: most findings of a kind that are listed, 1 or more.

        Raises:
            GalleryNotFound: no such gallery.
            GalleryTooLarge: it has more than `MOST_COMPARED` templates or identities.
        """
        caller = asyncio.current_task()

        def progress(_: float) -> None:
            if caller is not None and caller.cancelling():
                raise _Left

        async with self._one:
            info, people = await self._galleries.enrolled_people(gallery_id, MOST_COMPARED)
            if people is None:
                raise GalleryTooLarge(
                    f"the gallery has {info.template_count} templates of {info.identity_count} people, and at most {MOST_COMPARED} are "
                    "compared in a call: run `facewire-server gallery doctor` beside the server"
                )
            step = partial(self._standards.examine, info, people, limit, progress)
            return await run_in_thread(self._thread, step)
