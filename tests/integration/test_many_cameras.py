"""64 cameras at once, a third of them hostile: each is accounted for, and the others have their share. A real server, real models, counts only."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np
import psutil
import pytest

from facewire.v1 import face_pb2, recognition_pb2
from harness.load import Load
from harness.running import RunningServer, running_server
from harness.shares import Counted, jain_index

NEWEST_WINS, EVERY_FRAME = (
    recognition_pb2.StreamConfig(
        frame_policy=policy,
        search_interval_ms=1,
        detection=face_pb2.DetectionOptions(min_face_px=60),
    )
    for policy in (
        recognition_pb2.FRAME_POLICY_NEWEST_WINS,
        recognition_pb2.FRAME_POLICY_EVERY_FRAME,
    )
)
"""Each frame is searched, so that all of them take the same work."""

Request = recognition_pb2.StreamRecognizeRequest
PATIENCE_S = 100.0
CAMERAS = 36
FPS = 10.0
ROUNDS = 9
"""Answers that each camera gets, in the mean."""

MOST_FRAME_BYTES = 1 << 20
MOST_HELD_BYTES = 32 << 20
GIANT = bytes(MOST_FRAME_BYTES + (1 << 19))
BOMB = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\1\0\0\0\1\0\0\x08\x02\0\0\0" + bytes(64)
BAD = {
    b"": "IMAGE_EMPTY",
    b"not a picture": "IMAGE_UNDECODABLE",
    BOMB: "IMAGE_TOO_MANY_PIXELS",
    GIANT: "IMAGE_TOO_MANY_BYTES",
}
GARBAGE = {
    "GALLERY_NOT_FOUND": [Request(config=recognition_pb2.StreamConfig(gallery_id="absent"))],
    "FIELD_INVALID": [Request(config=recognition_pb2.StreamConfig(rotation_degrees=45))],
    "OUT_OF_ORDER": [Request()],
}


def picture() -> bytes:
    small = np.random.default_rng(0).integers(0, 256, (9, 16, 3), np.uint8)
    scene = cv2.resize(small, (320, 180), interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", scene)[1].tobytes()


FRAME = picture()
PADDED = FRAME + bytes(MOST_FRAME_BYTES - len(FRAME))
"""The same picture in as many bytes as a frame may have."""


class Seen(NamedTuple):
    """What happened from when each camera had an answer until they had `ROUNDS` more in the mean.

    Attributes:
        had: answers of each camera.
        others: answers of the others together.
        spent_s: processor time of the server.
        peak: its most memory, bytes.
    """

    had: list[int]
    others: int
    spent_s: float
    peak: int


def answers(parties: list[Counted]) -> int:
    return sum(len(one.answers) for one in parties)


def wait_until(holds: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s
        time.sleep(0.01)


def watched(server: RunningServer, cameras: list[Counted], others: list[Counted]) -> Seen:
    process = psutil.Process(server.pid)
    peak = 0

    def spent_s() -> float:
        times = process.cpu_times()
        return times.user + times.system

    def enough() -> bool:
        nonlocal peak
        peak = max(peak, server.memory().uss)
        return answers(cameras) >= sum(before) + ROUNDS * len(cameras)

    wait_until(lambda: all(one.answers for one in cameras))
    before, before_others, began_s = (
        [len(one.answers) for one in cameras],
        answers(others),
        spent_s(),
    )
    wait_until(enough)
    had = [len(one.answers) - count for one, count in zip(cameras, before, strict=True)]
    return Seen(had, answers(others) - before_others, spent_s() - began_s, peak)


@pytest.fixture(scope="module")
def server(models) -> Iterator[RunningServer]:
    with running_server(
        max_streams=72,
        max_frame_bytes=MOST_FRAME_BYTES,
        max_held_bytes=MOST_HELD_BYTES,
        slow_reader_timeout_s=1,
        frame_timeout_s=60,
    ) as running:
        yield running


@pytest.mark.timeout(300)
def test_cameras_beside_hostile_ones_have_their_share_and_each_is_accounted_for(
    server: RunningServer,
) -> None:
    with Load(server) as load:
        alone = [load.stream(FRAME, fps=FPS, config=NEWEST_WINS) for _ in range(CAMERAS)]
        without = watched(server, alone, [])
    with Load(server) as load:
        cameras = [load.stream(FRAME, fps=FPS, config=NEWEST_WINS) for _ in range(CAMERAS)]
        flooders = [
            load.stream(data, in_flight=0, config=config)
            for data, config in (
                *[(FRAME, NEWEST_WINS)] * 5,
                *[(PADDED, NEWEST_WINS)] * 1,
                *[(PADDED, EVERY_FRAME)] * 2,
            )
        ]
        sleepers = [load.sleeper() for _ in range(4)]
        deaf = [
            load.stream(b"text", fps=100, read_every_s=PATIENCE_S, config=EVERY_FRAME)
            for _ in range(4)
        ]
        kinds = list(BAD)
        bad = [load.stream(lambda n: kinds[n % len(kinds)], fps=FPS) for _ in range(9)]
        garbage = {reason: load.opener(messages) for reason, messages in GARBAGE.items()}
        beside = watched(server, cameras, flooders)
        wait_until(lambda: all(one.ended for one in garbage.values()))
        wait_until(lambda: all(len(one.refused) >= len(kinds) for one in bad))
        wait_until(lambda: server.log().count("SlowReader") >= len(deaf))
    parties = [*alone, *cameras, *flooders, *sleepers, *deaf, *bad, *garbage.values()]
    assert [fault for one in parties for fault in one.faults] == []
    assert jain_index(without.had) >= 0.95
    assert jain_index(beside.had) >= 0.95
    share = sum(beside.had) / (sum(beside.had) + beside.others)
    assert share >= 0.8 * CAMERAS / (CAMERAS + len(flooders))
    assert beside.peak - without.peak <= MOST_HELD_BYTES + 64 * 3 * len(GIANT), "see running.md"
    for one in (*alone, *cameras, *sleepers):
        assert (one.refused, one.ended) == ([], [])
    for one in bad:
        assert not one.ended, "a bad frame ends no stream"
        assert set(one.refused) == set(BAD.values())
    for reason, one in garbage.items():
        assert set(one.ended) == {reason}
    for one in deaf:
        assert one.ended[0] == "SLOW_READER"
