"""Examines galleries of a server that recognizes meanwhile: one at a time, none that is too large, not for a caller who has left."""

import asyncio
import threading
from functools import partial
from typing import Final

from facewire_server.errors import TimedOut
from facewire_server.galleries.examined import Examined, Standards
from facewire_server.galleries.ports import EnrolledReader

__all__ = ["MOST_TEMPLATES", "Examiner"]

MOST_TEMPLATES: Final = 10_000
"""Templates of a gallery that is examined. All pairs of people are compared: twice as many take four times as long. Measured:
10,000 people of 512 numbers take .65 s of processor time, of 128 numbers .28 s."""


class _Left(Exception):
    """The caller has left."""


class Examiner:
    """Examines galleries, one at a time."""

    def __init__(self, galleries: EnrolledReader, standards: Standards) -> None:
        """Takes the galleries, and what they are held to."""
        self._galleries = galleries
        self._standards = standards
        self._one = asyncio.Lock()

    async def examine(self, gallery_id: str, limit: int) -> Examined:
        """Returns what is wrong in a gallery.

        Args:
            gallery_id: the gallery.
            limit: most findings of a kind that are listed, 1 or more.

        Raises:
            GalleryNotFound: no such gallery.
            TimedOut: it has more than `MOST_TEMPLATES`.
        """
        async with self._one:
            info, people = await self._galleries.enrolled_people(gallery_id, MOST_TEMPLATES)
            if people is None:
                raise TimedOut(
                    f"the gallery has {info.template_count} templates, and at most {MOST_TEMPLATES} are compared in a call: run "
                    "`facewire-server gallery doctor` beside the server"
                )
            has_left = threading.Event()

            def progress(_: float) -> None:
                if has_left.is_set():
                    raise _Left

            try:
                return await asyncio.to_thread(
                    partial(self._standards.examine, info, people, limit, progress)
                )
            finally:
                has_left.set()  # if the caller was cancelled, the thread ends with its next block
