"""The cost of the SDK: frames a second of `client.stream`, compared with raw stubs.

Three ways to send the same frames, in turns, round after round: generated stubs with a queue, as little as
can be written by hand; `facewire.Client`; `facewire.AsyncClient`. First with the real server, whose line
takes most of the time; then with a servicer in another process that answers at once with one face, so
that only the two sides of gRPC are measured.
"""

import argparse
import asyncio
import json
import multiprocessing
import queue
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc

import facewire
from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from harness.running import running_server

_AIM: Final = 0.95
_CREDIT: Final = 4
Way = Callable[[str, bytes, int], float]


def _stubs(address: str, data: bytes, count: int) -> float:
    """Returns the seconds that the frames take through the generated stubs."""
    sent: queue.SimpleQueue[Any] = queue.SimpleQueue()
    config = recognition_pb2.StreamConfig(frame_policy=recognition_pb2.FRAME_POLICY_EVERY_FRAME)
    sent.put(recognition_pb2.StreamRecognizeRequest(config=config))
    numbers = iter(range(1, count + 1))

    def send_next() -> None:
        number = next(numbers, None)
        if number is None:
            sent.put(None)
            return
        frame = recognition_pb2.Frame(sequence=number, image=face_pb2.Image(data=data))
        sent.put(recognition_pb2.StreamRecognizeRequest(frame=frame))

    with grpc.insecure_channel(address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        answers = stub.StreamRecognize(iter(sent.get, None))
        credit = next(answers).started.max_in_flight
        started_s = time.perf_counter()
        for _ in range(credit):
            send_next()
        for answer in answers:
            if answer.HasField("frame"):
                send_next()
        return time.perf_counter() - started_s


def _client(address: str, data: bytes, count: int) -> float:
    """The same through `Client`."""
    policy = facewire.FramePolicy.EVERY_FRAME
    with (
        facewire.Client(address) as client,
        client.stream([data] * count, policy=policy) as stream,
    ):
        started_s = time.perf_counter()
        for _ in stream:
            pass
        return time.perf_counter() - started_s


def _async_client(address: str, data: bytes, count: int) -> float:
    """The same through `AsyncClient`."""

    async def frames() -> Any:
        for _ in range(count):
            yield data

    async def run() -> float:
        policy = facewire.FramePolicy.EVERY_FRAME
        async with (
            facewire.AsyncClient(address) as client,
            client.stream(frames(), policy=policy) as stream,
        ):
            started_s = time.perf_counter()
            async for _ in stream:
                pass
            return time.perf_counter() - started_s

    return asyncio.run(run())


_WAYS: Final[dict[str, Way]] = {"stubs": _stubs, "client": _client, "async": _async_client}


class _Echo(recognition_pb2_grpc.RecognitionServiceServicer):
    """Returns the same known face for each frame, without decoding it."""

    def StreamRecognize(self, requests: Any, context: Any) -> Iterator[Any]:
        next(requests)
        started = recognition_pb2.StreamStarted(max_in_flight=_CREDIT, max_frame_bytes=1 << 24)
        yield recognition_pb2.StreamRecognizeResponse(started=started)
        face = face_pb2.Face(detection_score=0.9)
        face.decision.outcome = face_pb2.OUTCOME_KNOWN
        face.decision.identity_id = face.decision.display_name = "ada"
        for request in requests:
            result = recognition_pb2.FrameResult(
                sequence=request.frame.sequence,
                status=recognition_pb2.FRAME_STATUS_OK,
                faces=[face],
            )
            yield recognition_pb2.StreamRecognizeResponse(frame=result)


def _serve_echo(end: Any) -> None:
    server = grpc.server(ThreadPoolExecutor(4))
    recognition_pb2_grpc.add_RecognitionServiceServicer_to_server(_Echo(), server)
    end.send(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    end.recv()
    server.stop(0).wait()


def _measure(address: str, data: bytes, *, count: int, rounds: int) -> dict[str, Any]:
    """Frames a second of each way, and the median of the ratios to the stubs, round by round."""
    rates: dict[str, list[float]] = {way: [] for way in _WAYS}
    for number in range(rounds + 1):
        order = list(_WAYS) if number % 2 else list(reversed(_WAYS))
        for way in order:
            rate = count / _WAYS[way](address, data, count)
            if number:  # the first round warms up
                rates[way].append(rate)
    ratios = {
        way: statistics.median(
            mine / stubs for mine, stubs in zip(rates[way], rates["stubs"], strict=True)
        )
        for way in _WAYS
    }
    return {
        "frames_per_s": {way: round(statistics.median(each), 1) for way, each in rates.items()},
        "ratio_to_stubs": {way: round(ratio, 3) for way, ratio in ratios.items()},
    }


def _astronaut_jpeg() -> bytes:
    """A 512×512 JPEG: Eileen Collins, NASA, in the public domain; one large face."""
    import cv2
    from skimage import data

    encoded: bytes = cv2.imencode(".jpg", data.astronaut()[:, :, ::-1])[1].tobytes()
    return encoded


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--frames", type=int, default=150, help="a round, before the real server")
    parser.add_argument("--echo-frames", type=int, default=2000, help="a round, before the other")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--gate", action="store_true", help="exit with 1 if the aim is missed")
    given = parser.parse_args()
    data = _astronaut_jpeg()
    found = {}
    with running_server() as server:
        found["server"] = _measure(server.address, data, count=given.frames, rounds=given.rounds)
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    echo = spawn.Process(target=_serve_echo, args=(theirs,))
    echo.start()
    address = f"127.0.0.1:{ours.recv()}"
    found["echo"] = _measure(address, data, count=given.echo_frames, rounds=given.rounds)
    ours.send(None)
    echo.join()
    if given.json:
        print(json.dumps(found))
    else:
        for name, measured in found.items():
            print(f"before the {name}:")
            for way, rate in measured["frames_per_s"].items():
                ratio = measured["ratio_to_stubs"][way]
                print(f"  {way:8}{rate:9.1f} frames/s   {ratio:.3f} of the stubs'")
        print(f"aim: client before the server >= {_AIM} of the stubs'")
    missed = found["server"]["ratio_to_stubs"]["client"] < _AIM
    return 1 if given.gate and missed else 0


if __name__ == "__main__":
    raise SystemExit(_main())
