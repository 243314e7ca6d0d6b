"""The ledger of a stream's sending half: frames become messages, and their credit is counted."""

from facewire._values.pictures import Frame, Picture
from facewire._values.results import StreamLimits
from facewire._wire.write import image_message
from facewire.v1 import recognition_pb2

__all__ = ["Ledger"]


class Ledger:
    """The state of a stream's frames.

    Attributes:
        in_flight: frames sent and not accounted for.
        exhausted: the frames have come to their end.
        error: the error that pulling a frame raised, which ended the sending.
    """

    def __init__(self) -> None:
        self.in_flight = 0
        self.exhausted = False
        self.error: BaseException | None = None
        self._credit = 0  # nothing is sent before the server has named it
        self._max_frame_bytes = 0
        self._sequence = 0
        self._closed = False

    def message(self, frame: Picture | Frame) -> recognition_pb2.StreamRecognizeRequest:
        """Returns the next frame's message; a path is read here.

        Raises:
            OSError, ValueError, TypeError: it is not a picture (`image_message`).
        """
        if not isinstance(frame, Frame):
            frame = Frame(frame)
        image = image_message(frame.picture)
        if len(image.data) > self._max_frame_bytes:
            # Enough bytes for the server to refuse the frame; all of them might exceed gRPC's limit of
            # a message, which would end the stream.
            image.data = image.data[: self._max_frame_bytes + 1]
        self._sequence += 1
        return recognition_pb2.StreamRecognizeRequest(
            frame=recognition_pb2.Frame(
                sequence=self._sequence, captured_at_us=frame.captured_at_us, image=image
            )
        )

    def _begin(self, limits: StreamLimits) -> None:
        self._credit, self._max_frame_bytes = limits.max_in_flight, limits.max_frame_bytes
