"""Frames through a running server's `StreamRecognize`, one at a time."""

import queue
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Final, Self

import grpc

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc

__all__ = ["OneInFlight"]

_TIMEOUT_S: Final = 6 * 3600.0
"""Seconds: 10,000 pictures take more than an hour where other programs run, too."""


class OneInFlight:
    """A stream with EVERY_FRAME on which the next frame is sent after the last was answered."""

    def __init__(self, channel: grpc.Channel, gallery_id: str = "", min_face_px: int = 0) -> None:
        config = recognition_pb2.StreamConfig(
            gallery_id=gallery_id,
            frame_policy=recognition_pb2.FRAME_POLICY_EVERY_FRAME,
            detection=face_pb2.DetectionOptions(min_face_px=min_face_px),
        )
        self._sequence = 0
        self._sent: queue.SimpleQueue[recognition_pb2.StreamRecognizeRequest | None] = (
            queue.SimpleQueue()
        )
        self._sent.put(recognition_pb2.StreamRecognizeRequest(config=config))
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        self._answers = stub.StreamRecognize(iter(self._sent.get, None), timeout=_TIMEOUT_S)
        self.started = next(self._answers).started

    def send(self, picture: bytes | face_pb2.Image) -> recognition_pb2.FrameResult:
        """Sends one picture, by its file's bytes or as a message, and waits for its answer."""
        self._sequence += 1
        image = face_pb2.Image(data=picture) if isinstance(picture, bytes) else picture
        frame = recognition_pb2.Frame(sequence=self._sequence, image=image)
        self._sent.put(recognition_pb2.StreamRecognizeRequest(frame=frame))
        for answer in self._answers:
            if answer.HasField("frame"):
                if answer.frame.sequence != self._sequence:
                    raise RuntimeError("a frame was answered out of turn")
                result: recognition_pb2.FrameResult = answer.frame
                return result
        raise RuntimeError("the stream ended before the frame was answered")

    def send_all(self, pictures: Iterable[bytes]) -> Iterator[recognition_pb2.FrameResult]:
        """Sends pictures one after the other."""
        return map(self.send, pictures)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sent.put(None)
        if error is not None:
            self._answers.cancel()
        else:
            for _ in self._answers:  # read to its end, so that the status is known
                pass
