"""The sending half of a stream: frames are pulled only when there is credit for them."""

import threading
from collections.abc import Iterator

from facewire._values.pictures import Frame, Picture
from facewire._values.results import StreamLimits
from facewire._wire.ledger import Ledger
from facewire.v1 import recognition_pb2

__all__ = ["Feed", "messages"]


class Feed(Ledger):
    """A ledger that a sending and a reading thread share."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def start(self, limits: StreamLimits) -> None:
        """Lets the sending begin, within the server's limits."""
        with self._changed:
            self._begin(limits)
            self._changed.notify()

    def wait_for_credit(self) -> bool:
        """Blocks until a frame may be sent; False if the sending has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self.in_flight < self._credit)
            return not self._closed

    def spend(self) -> None:
        """Counts a frame as sent."""
        with self._changed:
            self.in_flight += 1

    def give_back(self, frame_count: int) -> None:
        """Counts frames as accounted for."""
        with self._changed:
            self.in_flight -= frame_count
            self._changed.notify()

    def close(self) -> None:
        """Ends the sending, also of a thread that waits for credit."""
        with self._changed:
            self._closed = True
            self._changed.notify()


def messages(
    config: recognition_pb2.StreamConfig, frames: Iterator[Picture | Frame], feed: Feed
) -> Iterator[recognition_pb2.StreamRecognizeRequest]:
    """Pulls a frame when there is credit for it. Runs in a thread of gRPC."""
    yield recognition_pb2.StreamRecognizeRequest(config=config)
    while feed.wait_for_credit():
        try:
            message = feed.message(next(frames))
        except StopIteration:
            feed.exhausted = True
            return
        except BaseException as error:  # noqa: BLE001 the caller's own, raised in its thread
            feed.error = error
            return
        feed.spend()
        yield message
