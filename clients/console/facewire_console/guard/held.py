"""The memory for what was received and is being worked on: bodies of requests, and frames of WebSockets."""

from typing import Final

__all__ = ["HeldBytes"]

_PICTURES: Final = 16
"""Pictures of the largest size that may be held together, whatever the number of clients: 256 MiB by default. Chosen, not measured."""


class HeldBytes:
    """A budget of bytes. For one event loop."""

    def __init__(self, max_image_bytes: int) -> None:
        self._left_bytes = _PICTURES * max_image_bytes

    def take(self, size_bytes: int) -> bool:
        """Takes room, if there is some, and returns whether there was."""
        if size_bytes > self._left_bytes:
            return False
        self._left_bytes -= size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        """Returns room that was taken."""
        self._left_bytes += size_bytes
