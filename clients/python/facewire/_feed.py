"""The sending half of a stream: frames are drawn only when there is credit for them."""

import threading
from collections.abc import Iterator

from facewire._pictures import Frame, Picture, to_wire
from facewire._results import StreamLimits
from facewire.v1 import recognition_pb2

__all__ = ["Account", "Feed", "messages"]


class Account:
    """What is known of the frames of a stream.

    Attributes:
        in_flight: frames sent and not accounted for.
        exhausted: the frames have come to their end.
        error: what drawing a frame raised, which ended the sending.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.exhausted = False
        self.error: BaseException | None = None
        self._limit = 0  # nothing is sent before the server has named its limit
        self._max_frame_bytes = 0
        self._sequence = 0
        self._closed = False

    def message(self, frame: Picture | Frame) -> recognition_pb2.StreamRecognizeRequest:
        """The next frame's message.

        Raises:
            OSError, ValueError, TypeError: it is no picture (`to_wire`).
        """
        if not isinstance(frame, Frame):
            frame = Frame(frame)
        image = to_wire(frame.picture)
        if len(image.data) > self._max_frame_bytes:
            # Enough for the server to refuse it in its turn; all of it might exceed what
            # gRPC takes, which would end the stream.
            image.data = image.data[: self._max_frame_bytes + 1]
        self._sequence += 1
        return recognition_pb2.StreamRecognizeRequest(
            frame=recognition_pb2.Frame(
                sequence=self._sequence, captured_at_us=frame.captured_at_us, image=image
            )
        )

    def _begin(self, limits: StreamLimits) -> None:
        self._limit, self._max_frame_bytes = limits.max_in_flight, limits.max_frame_bytes


class Feed(Account):
    """An account that a sending and a reading thread share."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def start(self, limits: StreamLimits) -> None:
        """Lets the sending begin, at the server's terms."""
        with self._changed:
            self._begin(limits)
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
