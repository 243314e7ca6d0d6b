"""Lists people with too few good pictures.

python tidy_gallery.py [SERVER]
"""

import sys
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import facewire

T = TypeVar("T")
ENOUGH = 3
GOOD_INTER_EYE_PX = 40


def main(server: str = "127.0.0.1:50051") -> None:
    """Prints id, name, and how many good pictures there are."""
    with facewire.Client(server) as client:
        for person in patiently(client.identities):
            templates = patiently(client.templates, person.identity_id)
            good = sum(each.quality.inter_eye_px >= GOOD_INTER_EYE_PX for each in templates)
            if good < ENOUGH:
                print(f"{person.identity_id}\t{person.display_name}\t{good} of {ENOUGH}")


def patiently(read: Callable[..., Iterator[T]], *arguments: str) -> list[T]:
    """Reads all; waits while the server has no room."""
    while True:
        try:
            return list(read(*arguments))
        except facewire.LimitError as error:
            if not error.retryable:
                raise
            time.sleep(error.retry_after_s or 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
