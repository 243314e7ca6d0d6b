"""Clients that load a server, each over its own connection: cameras, well-behaved and not, and callers; and what each of them gets.

One process holds them all, and pictures are encoded beforehand, so that they leave the processors to the server.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Self

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from harness.accounts import Accounts
from harness.running import RunningServer
from harness.shares import Answer, Counted

__all__ = ["Load", "Pictures"]

_CREDIT: Final = 4
_TIMEOUT_S: Final = 2 * 3600.0
_CALL_TIMEOUT_S: Final = 60.0
_LARGEST_MESSAGE: Final = 64 << 20
_REOPEN_S: Final = 0.1
"""Seconds between the end of a stream and the next one. Chosen, not measured: ten a second are more than a camera opens."""

_PHASE: Final = 0.618
"""Part of a period between the first frames of two cameras: no two of many send at the same time (golden ratio)."""

_SMALL_WINDOW: Final = {"http2.bdp_probe": 0, "http2.lookahead_bytes": 1 << 14}
"""So that answers that are not read fill the connection soon."""

Pictures = Callable[[int], bytes]
"""Returns the encoded picture of a frame by its number from 0."""

_Request = recognition_pb2.StreamRecognizeRequest


class Load:
    """Threads that send until the block ends; every stream is then half-closed and read to its end."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def stream(
        self,
        pictures: bytes | Pictures,
        *,
        fps: float = 0.0,
        in_flight: int = _CREDIT,
        read_every_s: float = 0.0,
        config: recognition_pb2.StreamConfig | None = None,
    ) -> Counted:
        """Adds a camera, which opens another stream when one ends.

        Args:
            pictures: its frames, or one picture for all of them.
            fps: its pace; 0 = as fast as `in_flight` allows.
            in_flight: most frames unanswered, without a pace; 0 = as many as the transport takes.
            read_every_s: seconds between two messages that it reads; 0 = it reads at once.
            config: of its streams.
        """
        counted = Counted()
        picture = (lambda _: pictures) if isinstance(pictures, bytes) else pictures
        first_s = time.monotonic() + (len(self._threads) * _PHASE % 1) / fps if fps else 0.0
        opening = _Request(config=config or recognition_pb2.StreamConfig())

        def frames(accounts: Accounts) -> Iterator[_Request]:
            yield opening
            paced = (
                self._paced(first_s, fps, counted) if fps else self._unpaced(accounts, in_flight)
            )
            for number, at_s in enumerate(paced):
                if accounts.is_over:
                    return
                image = face_pb2.Image(data=picture(number))
                accounts.send(number + 1)
                yield _Request(
                    frame=recognition_pb2.Frame(
                        sequence=number + 1, captured_at_us=round(at_s * 1e6), image=image
                    )
                )

        window = _SMALL_WINDOW if read_every_s else {}
        self._add(lambda: self._stream(frames, counted, read_every_s, window))
        return counted

    def sleeper(self) -> Counted:
        """Adds a camera that opens a stream and sends no frame."""
        counted = Counted()

        def nothing(accounts: Accounts) -> Iterator[_Request]:
            yield _Request(config=recognition_pb2.StreamConfig())
            while not (accounts.is_over or self.stop.wait(_REOPEN_S)):
                pass

        self._add(lambda: self._stream(nothing, counted))
        return counted

    def opener(self, messages: Sequence[_Request]) -> Counted:
        """Adds a client that opens streams with these messages, one after the other."""
        counted = Counted()
        self._add(lambda: self._stream(lambda _: iter(messages), counted))
        return counted

    def caller(self, data: bytes) -> Counted:
        """Adds a caller of `Recognize`, one picture after the other."""
        counted = Counted()
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

    def _paced(self, first_s: float, fps: float, counted: Counted) -> Iterator[float]:
        """Yields when each frame is captured, at that time; frames whose time has passed are left out."""
        due_s = max(first_s, time.monotonic())
        while not self.stop.wait(max(0.0, due_s - time.monotonic())):
            yield due_s
            late = max(0, int((time.monotonic() - due_s) * fps))
            counted.late += late
            due_s += (1 + late) / fps

    def _unpaced(self, accounts: Accounts, in_flight: int) -> Iterator[float]:
        while not (self.stop.is_set() or accounts.is_over):
            if not in_flight or accounts.has_room(in_flight):
                yield time.monotonic()

    def _stream(
        self,
        requests: Callable[[Accounts], Iterable[_Request]],
        counted: Counted,
        read_every_s: float = 0.0,
        window: dict[str, int] | None = None,
    ) -> None:
        options = {"max_send_message_length": _LARGEST_MESSAGE, **(window or {})}
        while not self.stop.is_set():
            accounts = Accounts()
            counted.accounts.append(accounts)
            with self.server.channel(**options) as channel:
                stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
                try:
                    for answer in stub.StreamRecognize(
                        iter(requests(accounts)), timeout=_TIMEOUT_S
                    ):
                        accounts.take(answer)
                        if answer.HasField("frame"):
                            self._note(answer.frame, counted)
                        self.stop.wait(read_every_s)
                except grpc.RpcError as error:
                    ended = _reason(error)
                else:
                    ended = "OK"
                    if self.stop.is_set():
                        accounts.end()
                finally:
                    accounts.is_over = True
            if ended != "OK" or not self.stop.is_set():
                counted.ended.append(ended)
            self.stop.wait(_REOPEN_S)

    def _note(self, frame: recognition_pb2.FrameResult, counted: Counted) -> None:
        if self.stop.is_set():
            return
        if frame.reason:
            counted.refused.append(face_pb2.ErrorReason.Name(frame.reason)[13:])
        else:
            now_s = time.monotonic()
            age_s = now_s - frame.captured_at_us / 1e6
            counted.answers.append(Answer(now_s, age_s, frame.sequence))

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
                        now_s = time.monotonic()
                        counted.answers.append(Answer(now_s, now_s - began_s, 0))


def _reason(error: grpc.RpcError) -> str:
    """Returns the reason in an error's details, or its status code without one."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # what a stub raises is the call
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            return str(info.reason)
    return str(error.code().name)
