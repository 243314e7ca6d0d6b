"""The sending half of a stream: frames are pulled only when there is credit for them."""

import threading
from collections.abc import Iterator
from contextlib import suppress

from facewire._values.pictures import Frame, Picture
from facewire._values.results import FramesSkipped, StreamLimits
from facewire._wire.ledger import Ledger, Turn
from facewire.v1 import recognition_pb2

__all__ = ["Feed", "messages"]


class Feed(Ledger):
    """A ledger that a sending and a reading thread share.

    The sending thread of a call that broke may still wait for a frame when the next call begins: that
    frame is then the next call's. So no two threads pull at a time, and no frame is lost between them.
    """

    def __init__(self, frames: Iterator[Picture | Frame], *, resends: bool = False) -> None:
        super().__init__(resends=resends)
        self._frames = frames
        self._pulling = False
        self._changed = threading.Condition()

    def start(self, turn: Turn, limits: StreamLimits) -> FramesSkipped | None:
        """Lets a call send, within the server's limits; returns the frames whose results were lost with the call before."""
        with self._changed:
            lost = self._begin(turn, limits)
            self._changed.notify_all()
            return lost

    def end(self, turn: Turn) -> None:
        """Ends a call's sending, also of a thread that waits for credit."""
        with self._changed:
            turn.ended = True
            self._changed.notify_all()

    def next_message(self, turn: Turn) -> recognition_pb2.StreamRecognizeRequest | None:
        """Blocks until a frame may be sent, and pulls it; None if the sending has ended."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._may_act(turn, is_pulling=self._pulling))
                if turn.ended:
                    return None
                message = self._next()
                if message is not None or self._ended:
                    return message
                self._pulling = True
            self._pull()

    def wait_for_frame(self, closed: threading.Event) -> None:
        """Blocks until there is a frame to send, the frames have ended, or `closed` is set and `wake` called."""
        with self._changed:
            if not (self._pulled or self._pulling or self._ended):
                self._pulling = True
                threading.Thread(target=self._pull, daemon=True, name="facewire-frames").start()
            self._changed.wait_for(lambda: closed.is_set() or not self._pulling)

    def wake(self) -> None:
        """Lets `wait_for_frame` look again."""
        with self._changed:
            self._changed.notify_all()

    def give_back(self, frame_count: int) -> None:
        """Counts frames as accounted for."""
        with self._changed:
            self._account(frame_count)
            self._changed.notify_all()

    def break_off(self) -> FramesSkipped | None:
        """Ends the turn, and returns the frames that are lost with it."""
        with self._changed:
            lost = self._break_off()
            self._changed.notify_all()
            return lost

    def _pull(self) -> None:
        message = None
        try:
            with suppress(StopIteration):
                message = self._message(next(self._frames))
        except BaseException as error:  # noqa: BLE001 the caller's own, raised in its thread
            self.error = error
        with self._changed:
            if message is not None:
                self._pulled.append(message)
            else:
                self.exhausted = self.error is None
            self._pulling = False
            self._changed.notify_all()


def messages(
    config: recognition_pb2.StreamConfig, feed: Feed, turn: Turn
) -> Iterator[recognition_pb2.StreamRecognizeRequest]:
    """Yields what a call sends. Runs in a thread of gRPC."""
    yield recognition_pb2.StreamRecognizeRequest(config=config)
    while (message := feed.next_message(turn)) is not None:
        yield message
