"""What a source of pictures promises: a film, a network camera or a device, open and read by one thread."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray

__all__ = ["Shot", "Source", "SourceError"]


class SourceError(OSError):
    """A film, a camera or a device that cannot be opened or read; its text names the cause and the next step.

    No user, password or query of an address is in the text.

    Attributes:
        temporary: whether the same source may be there later: a camera that is off, a network that is down, a path
            that is not served yet. A wrong password, an unknown scheme and a damaged film stay as they are.
        denied: whether it refuses the user or the password: cameras lock out who tries too often.
    """

    def __init__(self, text: str, *, temporary: bool = False, denied: bool = False) -> None:
        super().__init__(text)
        self.temporary = temporary
        self.denied = denied


class Shot(NamedTuple):
    """One picture of a source, and its time.

    Attributes:
        bgr: makes the picture, (height, width, 3) uint8 BGR, upright as the film states it; each shot has its own
            size. Called in any thread, and only for shots that are used, since it copies the picture.
        at_s: of a film, seconds since its first picture; of a live source, when the picture was taken, by
            `time.monotonic`.
        waited_s: how long the source waited for it; about 0 if it was there already.
        has_clock: whether `at_s` is by the source's time stamps, and not when the picture arrived.
    """

    bgr: Callable[[], NDArray[Any]]
    at_s: float
    waited_s: float = 0.0
    has_clock: bool = True


class Source(Protocol):
    """An open source. One thread reads and closes it.

    Attributes:
        live: whether the source runs on without being read.
        frame_count: of a film, as its header says, estimated from its duration if the header has no number; None
            if that is not known.
        fps: frames a second, as the source says; 0 if it does not.
        may_be_left: whether a thread that is in `read` may be left behind when the process ends. Otherwise the
            process would crash, and closing must wait for it.
    """

    live: bool
    frame_count: int | None
    fps: float
    may_be_left: bool

    def read(self) -> Shot | None:
        """Returns the next picture; None at the end of a film, and if a live source has ended.

        Raises:
            SourceError: it cannot be read any further, or a film had fewer pictures than its header promises.
        """

    def close(self) -> None:
        """Frees the source. May be called again."""
