"""Shows how far a copy is, by the size of the file that is written."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

__all__ = ["Progress", "shown_growth", "unshown"]

Progress: TypeAlias = Callable[[float], None]
"""Takes the share that is done, 0 to 1; called by any thread."""

_LOOK_S: Final = 0.2
"""Seconds between two looks at how far a copy is. Chosen, not measured."""


def unshown(share: float) -> None:
    """Shows nothing."""


@contextmanager
def shown_growth(file: Path, most_bytes: int, progress: Progress) -> Iterator[None]:
    """Shows the size of a file while the block runs, and that all is done if it ends without an error.

    Args:
        file: which need not exist yet, or any longer.
        most_bytes: about as large as it becomes.
        progress: takes the share.
    """
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_LOOK_S):
            try:
                share = file.stat().st_size / max(1, most_bytes)
            except FileNotFoundError:
                continue
            progress(min(0.99, share))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    progress(1.0)
