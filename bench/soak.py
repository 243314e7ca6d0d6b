"""Memory over many pictures of random sizes and formats, and streams in which good and bad frames are mixed.

First pictures, all good, each of another size and in a random format, in turn on a stream and as a single picture: memory is noted as
it goes and drawn, and its growth over the second half is bounded by the slope's interval. Then two streams with frames from 0 bytes
to over the limit among good ones, in random order: every frame must be accounted for, once and in order.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import grpc
import numpy as np
from numpy.typing import NDArray

from bench.drawing import draw_lines
from bench.intervals import theil_sen
from bench.mixed_frames import account, mix, stream
from bench.report import Report, parser, progress, run
from bench.varied_pictures import FORMATS, varied
from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from harness import pictures
from harness.running import Memory, RunningServer, running_server
from harness.streaming import OneInFlight

__all__: list[str] = []

_MB: Final = 1e6
_NOTES: Final = 200
"""Times that memory is noted: it moves by 50 MB up and down, since what a large canvas took is given back from time to time, and the
interval of a slope narrows with the number of notes."""

_SHOWN: Final = 20
"""Rows of the table."""

_TIMEOUT_S: Final = 60.0
AIM_GROWTH_MB: Final = 50.0
"""Most growth over the second half of the pictures, by the upper end of the slope's interval."""


def main() -> int:
    flags = parser("soak", __doc__)
    flags.add_argument("--pictures", type=int, default=10_000, help="varied pictures, >= 200")
    flags.add_argument("--mixed", type=int, default=600, help="frames of the mixed streams")
    flags.add_argument(
        "--seed", type=int, default=0, help="of sizes, formats and the mixed streams"
    )
    flags.add_argument("--draw", type=Path, metavar="FILE.svg", help="draw memory over pictures")
    arguments = flags.parse_args()
    good = _good_pictures()
    report = Report("soak", arguments)
    with running_server() as server:
        idle = server.memory()
        noted, late = _soak(server, max(200, arguments.pictures), arguments.seed)
        report.note(f"pictures that passed the server's deadline: {late}")
        report.values["late"] = late
        _print_memory(report, idle, noted)
        if arguments.draw:
            _draw(arguments.draw, idle, noted)
        _mixed(report, server, good, arguments.mixed, arguments.seed)
        after = server.memory()
        report.note(f"memory after the mixed streams: PSS {after.pss / _MB:.0f} MB")
        report.values["pss_after_mixed_mb"] = round(after.pss / _MB, 1)
    return report.finish()


def _good_pictures() -> list[bytes]:
    """Frames of a camera, and pictures that differ from it and from each other in size and faces."""
    camera = next((pictures.folder("video") / "asl").glob("*/*.mkv"))
    frames = pictures.evenly(list(pictures.video_frames(camera)), 24)
    ancestor = pictures.folder("ancestor")
    others = [pictures.as_jpeg(path) for path in sorted(ancestor.iterdir())]
    scenes = pictures.folder("scenes")
    others += [
        (scenes / name).read_bytes() for name in ("multi/198_011_3.jpg", "noface/297_limes.jpg")
    ]
    return frames + others


def _bases() -> list[NDArray[np.uint8]]:
    """Pictures with none, one and many faces, to be resized."""
    scenes = pictures.folder("scenes")
    paths = [*sorted((scenes / "multi").glob("*.jpg"))[:12], scenes / "noface/297_limes.jpg"]
    paths += sorted((pictures.folder("verify") / "lfw").glob("*/*.jpg"))[:12]
    return [np.asarray(cv2.imread(str(path)), np.uint8) for path in paths]


def _soak(server: RunningServer, count: int, seed: int) -> tuple[list[tuple[int, Memory]], int]:
    """The server's memory after every two-hundredth part of the pictures, and how many passed their deadline."""
    noted, late = [], 0
    every = count // _NOTES
    with server.channel() as channel, OneInFlight(channel) as stream:
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        for index, image in enumerate(
            progress(varied(_bases(), count, seed), "pictures", count), start=1
        ):
            if index % 2:
                answer = stream.send(image)
                if answer.reason not in (0, face_pb2.ERROR_REASON_TIMED_OUT):
                    raise RuntimeError(f"a good frame was not answered: {answer.detail}")
                late += bool(answer.reason)
            else:
                late += _is_late(stub, recognition_pb2.RecognizeRequest(image=image))
            if index % every == 0:
                noted.append((index, server.memory()))
    return noted, late


def _is_late(
    stub: recognition_pb2_grpc.RecognitionServiceStub, request: recognition_pb2.RecognizeRequest
) -> bool:
    """Sends one picture, and returns whether it passed the server's deadline, as one may on a busy machine."""
    try:
        stub.Recognize(request, timeout=_TIMEOUT_S)
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.DEADLINE_EXCEEDED:
            raise
        return True
    return False


def _draw(path: Path, idle: Memory, noted: list[tuple[int, Memory]]) -> None:
    kinds = {"RSS": "rss", "USS": "uss"}
    draw_lines(
        path,
        f"Memory of the server: {noted[-1][0]} pictures of random sizes in {len(FORMATS)} formats",
        [0, *(count for count, _ in noted)],
        {
            name: [getattr(memory, kind) / _MB for memory in (idle, *(each for _, each in noted))]
            for name, kind in kinds.items()
        },
        x_label="pictures",
        y_label="MB",
    )


def _print_memory(report: Report, idle: Memory, noted: list[tuple[int, Memory]]) -> None:
    # Not the proportional set size, which changes when another process maps the same libraries.
    uss = np.array([memory.uss for _, memory in noted]) / _MB
    at = np.array([count for count, _ in noted])
    half = len(noted) // 2
    slope, sure = theil_sen(at[half:] / 1000, uss[half:])
    over = (at[-1] - at[half]) / 1000
    report.table(
        "memory of the server, MB",
        ["pictures", "PSS", "USS", "RSS"],
        [
            (name, *(f"{getattr(memory, kind) / _MB:.1f}" for kind in ("pss", "uss", "rss")))
            for name, memory in [
                ("idle", idle),
                *(
                    (str(count), memory)
                    for count, memory in noted[_NOTES // _SHOWN - 1 :: _NOTES // _SHOWN]
                ),
            ]
        ],
    )
    report.note(
        f"slope of USS in the second half: {slope:+.3f} MB a thousand pictures ({sure:+.3f})\n"
    )
    report.values |= {
        "idle_mb": [round(value / _MB, 1) for value in idle],
        "uss_mb": uss.round(1).tolist(),
        "slope_mb_per_1000": slope,
        "slope_interval": sure,
    }
    growth = sure.high * over
    report.aim(
        f"memory flat: grows by ≤ {AIM_GROWTH_MB:g} MB over the last {over * 1000:.0f} pictures",
        f"at most {growth:.1f} MB (95 %)",
        met=growth <= AIM_GROWTH_MB,
    )


def _mixed(
    report: Report, server: RunningServer, good: Sequence[bytes], count: int, seed: int
) -> None:
    """One stream that must answer every frame, and one that may skip."""
    with server.channel() as channel:
        with OneInFlight(channel) as reference:
            limit, credit = reference.started.max_frame_bytes, reference.started.max_in_flight
            known = [(data, len(reference.send(data).faces)) for data in good]
        for policy, may_skip in (
            (recognition_pb2.FRAME_POLICY_EVERY_FRAME, False),
            (recognition_pb2.FRAME_POLICY_NEWEST_WINS, True),
        ):
            name = recognition_pb2.FramePolicy.Name(policy).removeprefix("FRAME_POLICY_")
            frames = mix(known, count, limit, seed)
            # Two frames more than the credit allows: the server must skip these, or leave them unread.
            answers = progress(stream(channel, frames, policy, credit + 2), name, count + 1)
            accounted = account(frames, answers, may_skip=may_skip)
            kinds = Counter(frame.kind for frame in frames)
            report.table(
                f"{name}: {count} frames of {min(len(f.data) for f in frames)} to "
                f"{max(len(f.data) for f in frames)} bytes (limit {limit}), seed {seed}",
                ["frames", "sent", "became"],
                [
                    (kind, str(sent), _became(accounted.outcomes, kind))
                    for kind, sent in sorted(kinds.items())
                ],
            )
            report.values[name] = {
                f"{kind}: {became}": times
                for (kind, became), times in sorted(accounted.outcomes.items())
            }
            for fault in accounted.faults[:10]:
                report.note(f"fault: {fault}")
            report.aim(
                f"{name}: every frame accounted for in order, as it must be",
                f"{count} frames, {len(accounted.faults)} faults",
                met=not accounted.faults,
            )


def _became(outcomes: Counter[tuple[str, str]], kind: str) -> str:
    return ", ".join(
        f"{times} {became}" for (of, became), times in outcomes.most_common() if of == kind
    )


if __name__ == "__main__":
    run(main)
