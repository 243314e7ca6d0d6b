"""How many pictures, threads, calls and connections a server takes, by its processors and open files."""

from dataclasses import dataclass
from typing import Final

from facewire_server.configuration.settings import Settings
from facewire_server.work.held_bytes import ByteBudget
from facewire_server.work.left_behind import LeftBehind
from facewire_server.work.slots import WorkSlots

__all__ = [
    "Work",
    "gallery_read_threads",
    "line_threads",
    "max_calls",
    "max_connections",
    "most_left_behind",
    "pictures_at_once",
    "processors_of",
    "work",
]

_SERVED_AT_ONCE: Final = 16
"""Further pictures in work if a model is elsewhere: they need no processor here while it works on them.
Chosen, not measured."""

_CALLS_BESIDE_STREAMS: Final = 64
"""Calls in progress besides `max_streams` streams: unary calls, imports, exports. Chosen, not measured."""

_OTHER_FILES: Final = 128
"""Open files of a server beside its connections: 20 were measured with both models inside; the others are for models
elsewhere, metrics, traces and handles of a moment."""


@dataclass(frozen=True, slots=True)
class Work:
    """What all streams and calls share.

    Attributes:
        slots: of the pictures in work.
        frame_bytes: of the frames that streams have sent.
        call_bytes: of the requests of calls.
        left_behind: pictures whose threads go on after their deadline.
    """

    slots: WorkSlots
    frame_bytes: ByteBudget
    call_bytes: ByteBudget
    left_behind: LeftBehind


def work(settings: Settings, processors: int, *, is_served: bool) -> Work:
    """Returns what streams and calls share; each has half of the bytes, so that neither keeps the other out."""
    at_once = pictures_at_once(settings, processors, is_served=is_served)
    return Work(
        WorkSlots(at_once, picture_timeout_s=settings.frame_timeout_s),
        ByteBudget(settings.max_held_bytes // 2),
        ByteBudget(settings.max_held_bytes // 2),
        LeftBehind(most_left_behind(processors)),
    )


def pictures_at_once(settings: Settings, processors: int, *, is_served: bool) -> int:
    """Returns the number of work slots.

    One more than processors, so that the next picture is read while all are busy; more if a model is
    elsewhere (`is_served`).
    """
    return settings.pictures_at_once or processors + 1 + (_SERVED_AT_ONCE if is_served else 0)


def processors_of(settings: Settings, usable: int) -> int:
    """Returns the processors of this process: its part of those that may be used, of several workers."""
    return max(1, (settings.threads or usable) // settings.workers)


def line_threads(processors: int) -> int:
    """Returns the number of threads that work on pixels.

    Two for each picture in work with embedded models (`pictures_at_once`): while a picture is decoded at full size
    it may also be decoded at a reduced one, for the detector. With models elsewhere more pictures are in work,
    but processors and not threads are what they wait for. Two more for each that is left behind. Chosen, not measured.
    """
    return 2 * (processors + 1 + most_left_behind(processors))


def most_left_behind(processors: int) -> int:
    """Returns the most pictures whose threads may go on after their deadline, without a slot.

    Half of the processors stay for the pictures that hold one. Chosen, not measured.
    """
    return max(1, processors // 2)


def gallery_read_threads(processors: int) -> int:
    """Returns the most searches and other reads of galleries at once.

    One for each processor, which a search keeps busy, and one more that runs while another waits for the disk.
    Chosen, not measured.
    """
    return processors + 1


def max_calls(settings: Settings) -> int:
    """Returns the most calls in progress, streams included and health not."""
    return settings.max_streams + _CALLS_BESIDE_STREAMS


def max_connections(settings: Settings, open_files: int) -> int:
    """Returns the most connections: the setting, or what the limit of open files leaves."""
    return max(1, min(settings.max_connections, open_files - _OTHER_FILES))
