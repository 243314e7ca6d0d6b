"""Latency of one picture over gRPC, beside OpenCV's YuNet + SFace in the same run.

The ancestor's pictures, re-encoded as JPEG of quality 90, one at a time over the loopback: through
`StreamRecognize` (EVERY_FRAME, one in flight) and `Recognize`. A frame has one processor, and the stream soon only follows the faces, so
the aims are `Recognize`'s. After each the peer does the same picture (decode, detect,
align, embed) in another process, with its default threads; the ratio is taken pair by pair, so that
other load of the machine affects both. Two people are enrolled, so that there is a gallery to search.
"""

import multiprocessing
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

import grpc

from bench.opencv_peer import OpenCvPipeline
from bench.report import Report, parser, progress, run
from facewire.v1 import (
    face_pb2,
    gallery_pb2,
    gallery_pb2_grpc,
    recognition_pb2,
    recognition_pb2_grpc,
)
from harness import pictures
from harness.running import running_server
from harness.streaming import OneInFlight

__all__: list[str] = []

_PEER_CANVAS_PX: Final = 640
_WARM_UP: Final = 5
_TIMEOUT_S: Final = 60.0
_STAGES: Final = ("queue", "decode", "detect", "align", "embed", "match", "total")


class _Case(NamedTuple):
    """A picture, the smallest face wanted, and the times to compare with.

    Attributes:
        aim: most of the peer's time that the call may take; 0 = no aim.
        ancestor_ms: as the authors of sanus-solutions-server published it, for a GTX 1080 and
            pixels as base64 over HTTP; 0 = not published.
    """

    picture: str
    min_face_px: int
    aim: float
    ancestor_ms: float


CASES: Final = (
    _Case("klaus.png", 0, 0.9, 3950),
    _Case("rupert.png", 0, 0, 0),
    _Case("11faces.jpg", 0, 0.6, 480),
    _Case("104faces.jpg", 0, 0, 830),
    _Case("104faces.jpg", 14, 0.6, 830),
)
"""The last one is asked for as many faces as the peer finds: the work of the aim."""


class _Times(NamedTuple):
    """The times of one case: milliseconds by way, faces by way, and the server's own stages."""

    ms: dict[str, list[float]]
    faces: dict[str, int]
    stages_ms: dict[str, float]

    def ratio(self, way: str) -> float:
        """Median of the pairwise ratios to the peer."""
        pairs = zip(self.ms[way], self.ms["peer"], strict=True)
        return statistics.median(ours / peers for ours, peers in pairs)


def main() -> int:
    flags = parser("latency", __doc__)
    flags.add_argument("--frames", type=int, default=40, help="measured of each picture, >= 10")
    arguments = flags.parse_args()
    folder = pictures.folder("ancestor")
    encoded = {case.picture: pictures.as_jpeg(folder / case.picture) for case in CASES}
    report = Report("latency", arguments)
    with running_server() as server, server.channel() as channel, _Peer() as peer:
        _enroll(channel, {name: encoded[name] for name in ("klaus.png", "rupert.png")})
        measured = [
            (case, _measure(channel, peer, case, encoded[case.picture], max(10, arguments.frames)))
            for case in CASES
        ]
    _print(report, measured)
    return report.finish()


def _enroll(channel: grpc.Channel, people: dict[str, bytes]) -> None:
    stub = gallery_pb2_grpc.GalleryServiceStub(channel)
    for name, data in people.items():
        request = gallery_pb2.EnrollTemplatesRequest(
            identity_id=name,
            images=[face_pb2.Image(data=data)],
            selection=face_pb2.FACE_SELECTION_LARGEST,
            create_identity=True,
        )
        answer = stub.EnrollTemplates(request, timeout=_TIMEOUT_S)
        if not answer.results[0].template_id:
            raise RuntimeError(f"{name} was refused: {answer.results[0].detail}")


def _measure(channel: grpc.Channel, peer: "_Peer", case: _Case, data: bytes, frames: int) -> _Times:
    stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
    request = recognition_pb2.RecognizeRequest(
        image=face_pb2.Image(data=data),
        # The stream's default, so that both ways do the same work.
        detection=face_pb2.DetectionOptions(min_face_px=case.min_face_px or _stream_default(data)),
    )
    stages: defaultdict[str, list[float]] = defaultdict(list)
    ms: defaultdict[str, list[float]] = defaultdict(list)
    faces: dict[str, int] = {}
    with OneInFlight(channel, min_face_px=case.min_face_px) as stream:

        def streamed() -> int:
            answer = stream.send(data)
            for stage in _STAGES:
                stages[stage].append(getattr(answer.timings, f"{stage}_us") / 1e3)
            return len(answer.faces)

        ways: dict[str, Callable[[], int]] = {
            "stream": streamed,
            "unary": lambda: len(stub.Recognize(request, timeout=_TIMEOUT_S).faces),
            "peer": lambda: peer.recognize(data, _PEER_CANVAS_PX),
            "peer full size": lambda: peer.recognize(data, 0),
        }
        rounds = range(_WARM_UP + frames)
        for index in progress(rounds, f"{case.picture} {case.min_face_px or ''}", len(rounds)):
            if index == _WARM_UP:
                ms.clear()
                stages.clear()
            for way, call in ways.items():
                started = time.perf_counter()
                faces[way] = call()
                ms[way].append((time.perf_counter() - started) * 1e3)
    return _Times(ms, faces, {name: statistics.median(times) for name, times in stages.items()})


def _stream_default(data: bytes) -> int:
    """The shorter side / 16, as a stream has it."""
    height, width = pictures.size_of(data)
    return round(min(height, width) / 16)


def _print(report: Report, measured: list[tuple[_Case, _Times]]) -> None:
    lines, stage_lines = [], []
    for case, times in measured:
        name = case.picture + (f", {case.min_face_px} px" if case.min_face_px else "")
        ways = {
            way: {
                "median_ms": round(statistics.median(ms), 2),
                "p90_ms": round(statistics.quantiles(ms, n=10)[-1], 2),
                "faces": times.faces[way],
            }
            for way, ms in times.ms.items()
        }
        ratios = {way: round(times.ratio(way), 3) for way in ("stream", "unary")}
        report.values[name] = {
            **ways,
            "ratio": ratios,
            "stages_ms": {stage: round(ms, 2) for stage, ms in times.stages_ms.items()},
        }
        for way, numbers in ways.items():
            lines.append(
                (
                    name if way == "stream" else "",
                    way,
                    str(numbers["faces"]),
                    f"{numbers['median_ms']:.1f}",
                    f"{numbers['p90_ms']:.1f}",
                    f"{ratios[way]:.2f}" if way in ratios else "",
                    f"{case.ancestor_ms:.0f}" if case.ancestor_ms and way == "stream" else "",
                )
            )
        stage_lines.append((name, *(f"{times.stages_ms[stage]:.1f}" for stage in _STAGES)))
        if case.aim:
            report.aim(
                f"{name}: one call ≤ {case.aim:g} × peer",
                f"{ratios['unary']:.2f} ×",
                met=ratios["unary"] <= case.aim,
            )
    report.table(
        f"milliseconds a picture (peer: YuNet + SFace, canvas {_PEER_CANVAS_PX} px)",
        ["picture", "way", "faces", "median", "p90", "× peer", "ancestor"],
        lines,
    )
    report.table(
        "the stream's own stages, median ms (they overlap)", ["picture", *_STAGES], stage_lines
    )


class _Peer:
    """The peer, in another process."""

    def __enter__(self) -> "_Peer":
        context = multiprocessing.get_context("spawn")
        self._end, theirs = context.Pipe()
        self._process = context.Process(target=_serve_peer, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        return self

    def recognize(self, data: bytes, longest_side_px: int) -> int:
        """Lets the peer recognize a picture; returns the number of faces."""
        self._end.send((data, longest_side_px))
        faces: int = self._end.recv()
        return faces

    def __exit__(self, *_: Any) -> None:
        self._end.close()
        self._process.join(10)
        self._process.kill()


def _serve_peer(end: Connection) -> None:
    pipeline = OpenCvPipeline()
    while True:
        try:
            data, longest_side_px = end.recv()
        except EOFError:
            return
        end.send(pipeline.recognize(data, longest_side_px))


if __name__ == "__main__":
    run(main)
