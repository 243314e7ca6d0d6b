"""Has the gallery's file rewritten: when what was deleted has been in it for long enough, and at once by request."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

from facewire_server.access.audit_lines import AuditLineError
from facewire_server.access.caller import caller_name
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.backends.lmdb_gallery.erasure_notes import Keep
from facewire_server.backends.new_vectors import erase_interrupted
from facewire_server.errors import ServerError, StorageBusy
from facewire_server.events import AuditFailed, DeletedErased, Emit, ErasureFailed

__all__ = ["Erasing"]

_LOOK_EVERY_S: Final = 1.0
"""Seconds between two looks at what is to be erased. Chosen, not measured: a look takes less than 1 ms."""

_RETRY_S: Final = 60.0
"""Seconds after a failure until the next try: a full disk stays full for a while. Chosen, not measured."""


class Erasing:
    """Erases what was deleted; one rewriting at a time in this process, and one among all."""

    def __init__(
        self,
        gallery: LmdbGallery,
        data: Path,
        append: Callable[[Mapping[str, Any]], object],
        emit: Emit,
    ) -> None:
        """Takes what it erases from.

        Args:
            gallery: whose file.
            data: folder of all that the server keeps.
            append: appends a line to the audit log (`AuditLog.append`), in any thread.
            emit: takes that it was done, or failed.
        """
        self._gallery = gallery
        self._data = data
        self._append = append
        self._emit = emit
        self._is_rewriting = False

    async def in_time(self, erase_within_s: float) -> NoReturn:
        """Rewrites the file `erase_within_s` after a deletion, and erases what other processes left. Never returns.

        Args:
            erase_within_s: seconds from the first deletion that is pending.
        """
        not_before_s = 0.0
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                pending_s = await self._gallery.tidy()
                began_s = time.monotonic()
                if began_s < not_before_s or pending_s is None:
                    continue
                if pending_s >= erase_within_s:
                    with self._alone():
                        count = await self._gallery.erase_deleted(self._keep({"who": "server"}))
                        await asyncio.to_thread(erase_interrupted, self._data)
                    self._emit(DeletedErased(count, time.monotonic() - began_s))
            except StorageBusy:  # it is rewritten already, or written to
                continue
            except (ServerError, OSError) as error:
                if time.monotonic() >= not_before_s:  # what was not tidied is tried each second
                    self._emit(ErasureFailed(str(error)))
                    not_before_s = time.monotonic() + _RETRY_S

    async def at_once(self, peer: str) -> int:
        """Returns when nothing that was deleted before the call is in any file. A caller who is cancelled waits, too.

        Args:
            peer: the caller's address.

        Returns:
            The deletions that were erased, of all galleries.

        Raises:
            StorageBusy: the file is rewritten already, a process still uses the old one, or it cannot be rewritten.
            GalleryFull: the disk has no room for a second copy.
            StorageDamaged: the file was cut short.
        """
        began_s = time.monotonic()
        with self._alone():
            try:
                count = await self._gallery.purge(self._keep({"who": caller_name(), "peer": peer}))
                await asyncio.to_thread(erase_interrupted, self._data)
            except OSError as error:
                self._emit(ErasureFailed(str(error)))  # its text is not for clients: it names files
                raise StorageBusy(
                    "the storage cannot be rewritten now: the server's log says why (erasure_failed)"
                ) from error
        if count:
            self._emit(DeletedErased(count, time.monotonic() - began_s))
        return count

    def _keep(self, who: Mapping[str, str]) -> Keep:
        """Returns what keeps a purge by someone in the audit log."""

        def keep(begins: bool, fields: Mapping[str, Any]) -> None:
            try:
                self._append({**who, "what": "purge_begins" if begins else "purge", **fields})
            except (OSError, AuditLineError) as error:
                self._emit(AuditFailed(type(error), str(error)))

        return keep

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if self._is_rewriting:
            raise StorageBusy("the storage is rewritten already; call again when that is done")
        self._is_rewriting = True
        try:
            yield
        finally:
            self._is_rewriting = False
