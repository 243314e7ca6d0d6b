"""Reads a source in a thread of its own, so that closing it waits for no network."""

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from facewire._wire.backoff import Backoff
from facewire.video._settling import Settling
from facewire.video._slot import Slot
from facewire.video._source import Shot, Source, SourceError

__all__ = ["Reading"]

_log = logging.getLogger("facewire")

_LEFT_AFTER_S = 0.2
"""Seconds that closing waits for a running read. Chosen, not measured: a frame is decoded within, and Ctrl-C must end
a command within a second. A read of a dead address ends in the thread that is left, after the source's timeout."""

_USUAL_FPS = 25.0
"""Frames a second of a live source that states none, until its pace is known."""


class Reading:
    """The thread that opens, reads and closes one source, and what it has read.

    Args:
        open_source: opens the source; called again when a live one was lost.
        name: of the source, as logs may show it.
        may_be_left: as of `Source`.
        is_awaited: whether one that is absent now is waited for, as one that is lost later.

    Attributes:
        live: as of `Source`; True of one that is absent.
        frame_count: as of `Source`.
        fps: as of `Source`; 0 of one that is absent.
        closed: set by `close`.

    Raises:
        SourceError: as of `open_source`.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        *,
        name: str,
        may_be_left: bool,
        is_awaited: bool,
    ) -> None:
        self.closed = threading.Event()
        self._open = open_source
        self._name = name
        self._may_be_left = may_be_left
        self._every_frame = False
        self._begun = threading.Event()
        self._slot = Slot()
        self._is_awaited = is_awaited
        self._opened: Future[Source | None] = Future()
        self._last_s = 0.0
        self._backoff = Backoff()
        self._thread = threading.Thread(target=self._run, daemon=True, name="facewire-camera")
        self._thread.start()
        try:
            source = self._opened.result()
        except BaseException:  # of the opening, or of Ctrl-C while it lasts
            self.close()
            raise
        self.live = source is None or source.live
        self.frame_count = source.frame_count if source else None
        self.fps = source.fps if source else 0.0

    def begin(self, *, every_frame: bool) -> None:
        """Begins to hand on pictures; called once or more, in the same way."""
        self._every_frame = every_frame
        self._begun.set()

    def take(self) -> Shot | None:
        """Returns the next or the newest picture, its time from the opening of the source; None at the end.

        Raises:
            SourceError: the film cannot be read any further.
        """
        return self._slot.take()

    def close(self) -> None:
        """Ends the pictures and frees the source. May be called again, and from another thread."""
        self.closed.set()
        self._begun.set()
        self._slot.close()
        if threading.current_thread() is not self._thread:  # where the garbage collector may run
            self._thread.join(_LEFT_AFTER_S if self._may_be_left else None)

    def _run(self) -> None:
        try:
            if (source := self._first()) is None:
                return
            self._started_s = time.monotonic()
            if source.live:
                self._follow(source)
            else:
                self._play(source)
        # Also SystemExit, which a handler of the log may raise: whoever waits for this thread must not wait for ever.
        except BaseException as error:  # noqa: BLE001 raised by the constructor, or to the thread that pulls
            if self._opened.done():
                self._slot.end(error)
            else:
                self._opened.set_exception(error)
        else:
            self._slot.end()

    def _first(self) -> Source | None:
        """Opens the source, or waits for it; None once it is closed."""
        try:
            source = self._open()
        except SourceError as error:
            if not (self._is_awaited and error.temporary):
                raise
            return self._opened_later(str(error), was_there=False)
        self._opened.set_result(source)
        return source

    def _play(self, film: Source) -> None:
        """Hands on a film: every picture, or the newest at the pace of its time stamps."""
        try:
            self._begun.wait()
            started_s = time.monotonic()
            while not self.closed.is_set() and (shot := film.read()) is not None:
                if self._every_frame:
                    self._slot.put_after_last(shot)
                else:
                    self.closed.wait(shot.at_s - (time.monotonic() - started_s))
                    self._slot.put(shot)
        finally:
            film.close()

    def _follow(self, source: Source) -> None:
        """Hands on the pictures of a live source, and opens it again whenever it is lost."""
        opened: Source | None = source
        while opened is not None:
            try:
                lost = self._read_until_lost(opened)
            finally:
                opened.close()
            opened = self._opened_later(lost, was_there=True)

    def _read_until_lost(self, source: Source) -> str:
        """Returns why there are no more pictures."""
        settling = Settling(1 / (source.fps or _USUAL_FPS), time.monotonic())
        while not self.closed.is_set():
            try:
                shot = source.read()
            except SourceError as error:
                return str(error)
            if shot is None:
                break
            self._backoff.reset()  # not by opening it: some open, and send nothing
            now_s = time.monotonic()
            late_s = now_s - shot.at_s
            self._last_s = max(self._last_s, shot.at_s - self._started_s)
            shot = shot._replace(at_s=self._last_s)
            if self._every_frame:
                self._slot.put_after_last(shot)
            else:
                ready_s = settling.ready_s(now_s, shot.waited_s, late_s, has_clock=shot.has_clock)
                if ready_s < math.inf:
                    self._slot.put(shot, ready_s=ready_s)
        return f"{self._name}: it sends no more pictures."

    def _opened_later(self, lost: str, *, was_there: bool) -> Source | None:
        """Tries to open the source until it is there; returns None once it is closed.

        Raises:
            SourceError: it refuses the user; or it never was there, and the error is a lasting one.
        """
        while not self.closed.is_set():
            pause_s = self._backoff.next_s()
            _log.warning("%s Trying again in %.1f s.", lost, pause_s)
            if not self._opened.done():  # it was said why
                self._opened.set_result(None)
            if self.closed.wait(pause_s):
                break
            try:
                return self._open()
            except SourceError as error:
                if error.denied or not (error.temporary or was_there):
                    raise
                lost = str(error)
        return None
