"""The sending half of a stream: frames are drawn only when there is credit for them."""

import threading
from collections.abc import Iterator

from facewire._pictures import Frame, Picture, to_wire
from facewire._results import StreamLimits
from facewire.v1 import recognition_pb2

__all__ = ["Feed", "messages"]


class Feed:
    """What the sending and the reading thread share: credit, and how sending ended.

    Attributes:
        in_flight: frames sent and not accounted for.
        exhausted: the frames have come to their end.
        error: what drawing a frame raised, which ended the sending.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._limit = 0  # nothing is sent before the server has named its limit
        self._closed = False
        self.in_flight = 0
        self.max_frame_bytes = 0
        self.exhausted = False
        self.error: BaseException | None = None

    def start(self, limits: StreamLimits) -> None:
        """Lets the sending begin, at the server's terms."""
        with self._changed:
            self._limit, self.max_frame_bytes = limits.max_in_flight, limits.max_frame_bytes
            self._changed.notify()

    def wait_for_credit(self) -> bool:
        """Blocks until a frame may be sent; False when none is wanted any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self.in_flight < self._limit)
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
    """Draws a frame when there is credit for it. Runs in a thread of gRPC."""
    yield recognition_pb2.StreamRecognizeRequest(config=config)
    sequence = 0
    while feed.wait_for_credit():
        try:
            frame = next(frames)
            if not isinstance(frame, Frame):
                frame = Frame(frame)
            image = to_wire(frame.picture)
        except StopIteration:
            feed.exhausted = True
            return
        except BaseException as error:  # noqa: BLE001 the caller's own, raised in its thread
            feed.error = error
            return
        if len(image.data) > feed.max_frame_bytes:
            # Enough for the server to refuse it in its turn; all of it might exceed what
            # gRPC takes, which would end the stream.
            image.data = image.data[: feed.max_frame_bytes + 1]
        sequence += 1
        feed.spend()
        yield recognition_pb2.StreamRecognizeRequest(
            frame=recognition_pb2.Frame(
                sequence=sequence, captured_at_us=frame.captured_at_us, image=image
            )
        )
