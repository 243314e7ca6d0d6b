"""The ledger of a stream's sending half: frames become messages, and every frame is accounted for once.

A stream that is opened again has several calls, one after the other, and one ledger: frames are
numbered on, and what a call left without an answer is sent again, or reported as lost. A server that resumes the stream
says which frames it has accounted for: these are not sent again.
"""

from collections import deque

from facewire._values.enums import SkipReason
from facewire._values.pictures import Frame, Picture
from facewire._values.results import FramesSkipped, StreamLimits
from facewire._wire.write import image_message
from facewire.v1 import recognition_pb2

__all__ = ["Ledger", "Turn"]


class Turn:
    """A call's right to send frames, from the server's `started` to the end of the call."""

    def __init__(self) -> None:
        self.started = False
        self.ended = False


class Ledger:
    """The state of a stream's frames.

    Attributes:
        exhausted: the frames have come to their end.
        error: the error that pulling a frame raised, which ended the sending.
    """

    def __init__(self, *, resends: bool) -> None:
        """Starts an empty ledger.

        Args:
            resends: send the frames that a call left without an answer again on the next one; else they are lost.
        """
        self.exhausted = False
        self.error: BaseException | None = None
        self._resends = resends
        self._turn = Turn()
        self._pulled: deque[recognition_pb2.StreamRecognizeRequest] = deque()
        self._sent: deque[recognition_pb2.StreamRecognizeRequest] = deque()
        self._credit = 0  # nothing is sent before the server has named it
        self._max_frame_bytes = 0
        self._sequence = 0

    @property
    def in_flight(self) -> int:
        """Frames sent and not accounted for."""
        return len(self._sent)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to send or to receive."""
        return self._ended and not self._pulled and not self._sent

    @property
    def _ended(self) -> bool:
        """Whether no further frame can be pulled."""
        return self.exhausted or self.error is not None

    def _message(self, frame: Picture | Frame) -> recognition_pb2.StreamRecognizeRequest:
        """Returns the next frame's message; a path is read here.

        Raises:
            OSError, ValueError, TypeError: it is not a picture (`image_message`).
        """
        if not isinstance(frame, Frame):
            frame = Frame(frame)
        image = image_message(frame.picture)
        self._sequence += 1
        return recognition_pb2.StreamRecognizeRequest(
            frame=recognition_pb2.Frame(
                sequence=self._sequence, captured_at_us=frame.captured_at_us, image=image
            )
        )

    def _may_act(self, turn: Turn, *, is_pulling: bool) -> bool:
        """Whether a call's sender has something to do: send a frame, pull one, or end."""
        if turn.ended:
            return True
        if not turn.started or self.in_flight >= self._credit:
            return False
        return bool(self._pulled) or not is_pulling

    def _next(self) -> recognition_pb2.StreamRecognizeRequest | None:
        """Returns the oldest frame that was pulled, as sent from now on; None if there is none."""
        if not self._pulled:
            return None
        message = self._pulled.popleft()
        image = message.frame.image
        if len(image.data) > self._max_frame_bytes:
            # Enough bytes for the server to refuse the frame; all of them might exceed gRPC's limit of
            # a message, which would end the stream.
            image.data = image.data[: self._max_frame_bytes + 1]
        kept = message
        if not self._resends:  # its number is enough
            frame = recognition_pb2.Frame(sequence=message.frame.sequence)
            kept = recognition_pb2.StreamRecognizeRequest(frame=frame)
        self._sent.append(kept)
        return message

    def _begin(self, turn: Turn, limits: StreamLimits) -> FramesSkipped | None:
        """Begins a call, and returns the frames that are not sent again: their results were lost with the call before."""
        self._turn = turn
        self._credit, self._max_frame_bytes = limits.max_in_flight, limits.max_frame_bytes
        turn.started = True
        accounted = []
        while self._pulled and self._pulled[0].frame.sequence <= limits.resume_after_sequence:
            accounted.append(self._pulled.popleft())
        return _lost(accounted)

    def _account(self, frame_count: int) -> None:
        for _ in range(min(frame_count, len(self._sent))):
            self._sent.popleft()

    def _break_off(self) -> FramesSkipped | None:
        """Ends the turn, and returns the frames that are lost with it.

        Frames that were pulled and not sent are among them: of a live camera they are old when the next call is open.
        """
        self._turn.ended = True
        left = [*self._sent, *self._pulled]
        self._sent.clear()
        self._pulled.clear()
        if self._resends:
            self._pulled.extend(left)
            return None
        return _lost(left)


def _lost(messages: list[recognition_pb2.StreamRecognizeRequest]) -> FramesSkipped | None:
    """Returns the range of frames that have no result; None if there are none."""
    if not messages:
        return None
    first, last = messages[0].frame.sequence, messages[-1].frame.sequence
    return FramesSkipped(first, last, SkipReason.CONNECTION_LOST, len(messages))
