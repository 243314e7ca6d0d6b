"""Good and bad frames in random order, and a check of a stream's answers to them."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import grpc
import numpy as np

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc

__all__ = ["Accounted", "MixedFrame", "account", "mix", "stream"]

_TIMEOUT_S: Final = 1800.0
_BEYOND_LIMIT: Final = 1 << 20
_ENVELOPE: Final = 1 << 10
_GOOD_SHARE: Final = 0.5

OK: Final = "OK"


class MixedFrame(NamedTuple):
    """A frame, and the outcome that it must have.

    Attributes:
        sequence: strictly increasing, with gaps.
        kind: a word for reports.
        data: its bytes.
        reason: name of the `ErrorReason` it must get, or "OK".
        faces: the number of faces that it must get.
    """

    sequence: int
    kind: str
    data: bytes
    reason: str
    faces: int


class Accounted(NamedTuple):
    """The answers of a stream, counted and checked.

    Attributes:
        outcomes: number of frames by kind and outcome.
        faults: deviations from the required outcomes, in words.
    """

    outcomes: Counter[tuple[str, str]]
    faults: list[str]


def mix(
    good: Sequence[tuple[bytes, int]], count: int, max_frame_bytes: int, seed: int
) -> list[MixedFrame]:
    """Returns frames in random order, one half good, from 0 bytes to over the limit.

    Args:
        good: pictures with their numbers of faces.
        count: of frames.
        max_frame_bytes: the server's limit.
        seed: of the random order and bytes.
    """
    random = np.random.default_rng(seed)
    bad = _bad_kinds([data for data, _ in good], max_frame_bytes, random)
    frames = []
    sequence = 0
    for index in range(count):
        sequence += int(random.integers(1, 4))
        # The last frame is good: it must get a result, whether or not the stream skips frames.
        if random.random() < _GOOD_SHARE or index == count - 1:
            data, faces = good[int(random.integers(len(good)))]
            frames.append(MixedFrame(sequence, "good", data, OK, faces))
        else:
            kind = list(bad)[int(random.integers(len(bad)))]
            data, reason = bad[kind]()
            frames.append(MixedFrame(sequence, kind, data, reason, 0))
    return frames


def _bad_kinds(
    good: Sequence[bytes], limit: int, random: np.random.Generator
) -> dict[str, Callable[[], tuple[bytes, str]]]:
    """Returns functions that make bad frames, each with the reason that it must get."""

    def noise() -> tuple[bytes, str]:
        return random.bytes(int(np.exp(random.uniform(0, np.log(limit))))), "IMAGE_UNDECODABLE"

    def cut_short() -> tuple[bytes, str]:
        data = good[int(random.integers(len(good)))]
        # A JPEG that lacks its last sixteenth is shown.
        return data[: random.integers(4, len(data) * 3 // 4)], "IMAGE_UNDECODABLE"

    def too_many_bytes() -> tuple[bytes, str]:
        data = good[int(random.integers(len(good)))]
        size = limit + random.integers(1, _BEYOND_LIMIT - _ENVELOPE)
        return data.ljust(int(size), b"\0"), "IMAGE_TOO_MANY_BYTES"

    def bomb() -> tuple[bytes, str]:
        size = int(random.integers(20_000, 1 << 31)).to_bytes(4, "big")
        header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + size * 2 + b"\x08\x02\0\0\0"
        return header + random.bytes(64), "IMAGE_TOO_MANY_PIXELS"

    return {
        "empty": lambda: (b"", "IMAGE_EMPTY"),
        "text": lambda: (b"not a picture " * int(random.integers(1, 100)), "IMAGE_UNDECODABLE"),
        "noise": noise,
        "cut short": cut_short,
        "over the limit": too_many_bytes,
        "bomb": bomb,
    }


def stream(
    channel: grpc.Channel,
    frames: Sequence[MixedFrame],
    policy: recognition_pb2.FramePolicy,
    in_flight: int,
) -> Iterator[recognition_pb2.StreamRecognizeResponse]:
    """Sends the frames with at most `in_flight` not accounted for; yields the answers."""
    room = threading.Semaphore(in_flight)

    def requests() -> Iterator[recognition_pb2.StreamRecognizeRequest]:
        config = recognition_pb2.StreamConfig(frame_policy=policy)
        yield recognition_pb2.StreamRecognizeRequest(config=config)
        for frame in frames:
            room.acquire()
            yield recognition_pb2.StreamRecognizeRequest(
                frame=recognition_pb2.Frame(
                    sequence=frame.sequence, image=face_pb2.Image(data=frame.data)
                )
            )

    stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
    try:
        for answer in stub.StreamRecognize(requests(), timeout=_TIMEOUT_S):
            accounted = answer.skipped.frame_count if answer.HasField("skipped") else 0
            for _ in range(accounted or int(answer.HasField("frame"))):
                room.release()
            yield answer
    finally:
        for _ in frames:  # so that the sender does not wait forever if the stream broke
            room.release()


def account(
    frames: Sequence[MixedFrame],
    answers: Iterator[recognition_pb2.StreamRecognizeResponse],
    *,
    may_skip: bool,
) -> Accounted:
    """Checks that every frame is accounted for once, in order, and with its outcome."""
    outcomes: Counter[tuple[str, str]] = Counter()
    faults: list[str] = []
    at = 0
    for answer in answers:
        if answer.HasField("skipped"):
            skipped = answer.skipped
            taken = frames[at : at + skipped.frame_count]
            ends = (taken[0].sequence, taken[-1].sequence) if taken else (0, 0)
            if ends != (skipped.first_sequence, skipped.last_sequence) or not may_skip:
                faults.append(f"frames {ends} were due; {_range(skipped)} were skipped")
            outcomes.update((frame.kind, "skipped") for frame in taken)
            at += skipped.frame_count
        elif answer.HasField("frame"):
            if at >= len(frames) or answer.frame.sequence != frames[at].sequence:
                faults.append(f"frame {answer.frame.sequence} was answered out of turn")
                break
            outcomes[frames[at].kind, _judged(frames[at], answer.frame, faults)] += 1
            at += 1
    if at != len(frames):
        faults.append(f"{at} of {len(frames)} frames were accounted for")
    return Accounted(outcomes, faults)


def _judged(frame: MixedFrame, result: recognition_pb2.FrameResult, faults: list[str]) -> str:
    """Returns the name of a frame's outcome; adds a fault if it is not the required one."""
    became = OK
    if result.status != recognition_pb2.FRAME_STATUS_OK:
        became = face_pb2.ErrorReason.Name(result.reason).removeprefix("ERROR_REASON_")
    if became != frame.reason:
        faults.append(f"{frame.kind}, {len(frame.data)} bytes: {became}, not {frame.reason}")
    elif len(result.faces) != frame.faces:
        faults.append(f"{frame.kind}: {len(result.faces)} faces, not {frame.faces}")
    return became


def _range(skipped: recognition_pb2.FramesSkipped) -> tuple[int, int]:
    return skipped.first_sequence, skipped.last_sequence
