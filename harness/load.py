"""Cameras and callers that send as fast as they may, and what each of them gets."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, Self

import grpc

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from harness.running import RunningServer

__all__ = ["Counted", "Load"]

_CREDIT: Final = 4
_TIMEOUT_S: Final = 600.0
_CALL_TIMEOUT_S: Final = 60.0
_LARGEST_MESSAGE: Final = 64 << 20

_Request = recognition_pb2.StreamRecognizeRequest


class Counted(NamedTuple):
    """What a party got: answers, and the ages of a stream's in seconds."""

    answers: list[float]
    refused: list[str]


class Load:
    """Threads that send until the block ends."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def stream(self, data: bytes, *, fps: float = 0.0, in_flight: int = _CREDIT) -> Counted:
        """Adds a stream that sends the picture at a pace, or with `in_flight` frames unanswered; 0 = as many as the transport takes."""
        counted = Counted([], [])
        self._add(lambda: self._stream(data, fps, in_flight, counted))
        return counted

    def caller(self, data: bytes) -> Counted:
        """Adds a caller of `Recognize`, one picture after the other."""
        counted = Counted([], [])
        self._add(lambda: self._call(data, counted))
        return counted

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join(_TIMEOUT_S)

    def _add(self, work: Callable[[], None]) -> None:
        self._threads.append(threading.Thread(target=work, daemon=True))
        self._threads[-1].start()

    def _stream(self, data: bytes, fps: float, in_flight: int, counted: Counted) -> None:
        room = threading.Semaphore(in_flight)

        def requests() -> Iterator[_Request]:
            yield _Request(config=recognition_pb2.StreamConfig())
            sequence, due_s = 0, time.monotonic()
            while not self.stop.is_set():
                if fps:
                    due_s = max(due_s + 1 / fps, time.monotonic())
                    self.stop.wait(due_s - time.monotonic())
                elif in_flight and not room.acquire(timeout=0.2):
                    continue
                sequence += 1
                at_us = time.monotonic_ns() // 1000
                image = face_pb2.Image(data=data)
                frame = recognition_pb2.Frame(sequence=sequence, captured_at_us=at_us, image=image)
                yield _Request(frame=frame)

        with self.server.channel(max_send_message_length=_LARGEST_MESSAGE) as channel:
            stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
            with contextlib.suppress(grpc.RpcError):
                for answer in stub.StreamRecognize(requests(), timeout=_TIMEOUT_S):
                    accounted = answer.skipped.frame_count if answer.HasField("skipped") else 0
                    for _ in range(accounted or int(answer.HasField("frame"))):
                        room.release()
                    if answer.HasField("frame"):
                        self._note(answer.frame, counted)

    def _note(self, frame: recognition_pb2.FrameResult, counted: Counted) -> None:
        if self.stop.is_set():
            return
        if frame.reason:
            counted.refused.append(face_pb2.ErrorReason.Name(frame.reason)[13:])
        else:
            counted.answers.append(time.monotonic() - frame.captured_at_us / 1e6)

    def _call(self, data: bytes, counted: Counted) -> None:
        request = recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=data))
        with self.server.channel(max_send_message_length=_LARGEST_MESSAGE) as channel:
            stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
            while not self.stop.is_set():
                began_s = time.monotonic()
                try:
                    stub.Recognize(request, timeout=_CALL_TIMEOUT_S)
                except grpc.RpcError as error:
                    counted.refused.append(error.code().name)
                    self.stop.wait(0.1)
                else:
                    if not self.stop.is_set():
                        counted.answers.append(time.monotonic() - began_s)
