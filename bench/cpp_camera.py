"""The C++ camera beside the Python SDK on one clip and one server: frames a second, ages, processor time; and over many restarts and cuts.

`--restarts N` and `--cuts N` kill the server, or cut the connection, that often under one stream of the C++ camera: frames that were accounted for
twice, pauses beyond the back-off, the time from a server that is there to the next result, and the memory that the camera has written (RssAnon). `--sanitize` does the same with AddressSanitizer and UndefinedBehaviorSanitizer
in our code (gRPC is Debian's).
"""

import contextlib
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import psutil

import facewire
from bench.camera_breaks import Break, judge_breaks
from bench.report import Report, parser, run
from harness import cpp_build
from harness.cpp_camera import CppCamera
from harness.film_scenes import steady
from harness.made_people import made_pair, portrait_of
from harness.model_servers import free_port
from harness.relay import relay_to
from harness.running import RunningServer, own_bytes, running_server

__all__: list[str] = []

_FPS: Final = 10.0
"""Frames a second of the live clip. Chosen, not measured: half of what the server keeps up with on two processors."""

_SETTLED: Final = 3
"""Results between two breaks. Chosen, not measured."""

_EDGE: Final = 5
"""Breaks at the start and at the end over which the memory is averaged. Chosen, not measured."""


class _Way(NamedTuple):
    """What one client got."""

    frames_per_s: float
    processor_ms: float
    ages_ms: Sequence[float]

    def line(self, name: str) -> list[object]:
        p50, p99 = np.percentile(self.ages_ms, [50, 99])
        return [name, self.frames_per_s, self.processor_ms, float(p50), float(p99)]


def main() -> int:
    flags = parser("cpp_camera", __doc__)
    flags.add_argument("--rounds", type=int, default=3, help="of both clients, in turns")
    flags.add_argument("--seconds", type=float, default=20.0, help="of the clip")
    flags.add_argument("--restarts", type=int, default=0, help="of the server (SIGKILL)")
    flags.add_argument("--cuts", type=int, default=0, help="of the connection")
    flags.add_argument("--sanitize", action="store_true", help="with ASan and UBSan")
    flags.add_argument("--build", action="store_true", help="measure a build from nothing, too")
    arguments = flags.parse_args()
    report = Report("cpp_camera", arguments)
    with tempfile.TemporaryDirectory(prefix="facewire-") as scratch, ExitStack() as stack:
        if arguments.build:
            _measure_build(report, Path(scratch) / "build")
        built = cpp_build.BUILD
        if arguments.sanitize:
            built = cpp_build.build(built.with_name("cpp-sanitized"), sanitize=cpp_build.SANITIZERS)
        else:
            built = cpp_build.build(built)
        film = _film(Path(scratch) / "film", arguments.seconds)
        places = _Places(built / "camera", film, Path(scratch) / "data", stack)
        if arguments.restarts or arguments.cuts:
            memory, errors = places.break_often(report, arguments.restarts, arguments.cuts)
            if arguments.sanitize:  # ASan keeps what is freed, to find its use: memory says nothing
                _judge_sanitizers(report, errors)
            else:
                _judge_memory(report, memory)
        else:
            places.compare(report, arguments.rounds)
    return report.finish()


def _measure_build(report: Report, folder: Path) -> None:
    before, started_s = _children_s(), time.monotonic()
    cpp_build.build(folder)
    seconds, processor_s = time.monotonic() - started_s, _children_s() - before
    report.table("a build from nothing", ["", "s"], [["time", seconds], ["processor", processor_s]])
    report.values["build"] = {"s": seconds, "processor_s": processor_s}


def _children_s() -> float:
    times = psutil.Process().cpu_times()
    return float(times.children_user + times.children_system)


def _edges(memory: Sequence[float]) -> tuple[float, float]:
    return float(np.mean(memory[:_EDGE])), float(np.mean(memory[-_EDGE:]))


def _judge_memory(report: Report, memory: Sequence[float]) -> None:
    if len(memory) < 2 * _EDGE:
        report.note(f"Fewer than {2 * _EDGE} breaks: the growth of memory is not judged.\n")
        return
    begin, end = _edges(memory)
    grown = end - begin
    report.aim("its own memory (RssAnon) grows by at most 2 MB", f"{grown:.2f}", met=grown <= 2)


def _judge_sanitizers(report: Report, errors: Sequence[str]) -> None:
    strange = [line for line in errors if "Sanitizer" in line or "runtime error" in line]
    report.aim("lines of a sanitizer", str(len(strange)), met=not strange)
    report.values["strange"] = strange


def _film(folder: Path, seconds: float) -> Path:
    folder.mkdir()
    made = steady(made_pair()[:1], until_s=seconds)
    for number, shot in enumerate(made.shots(made.times(_FPS))):
        (folder / f"{number:05}.jpg").write_bytes(shot.jpeg)
    return folder


class _Places:
    """The program, its film, and a server that can be started again."""

    def __init__(self, program: Path, film: Path, data: Path, stack: ExitStack) -> None:
        self._program = program
        self._film = film
        self._data = data
        self._stack = stack
        self._address = f"127.0.0.1:{free_port()}"
        self._server = self._start()
        person = made_pair()[0]
        with facewire.Client(self._address) as client:
            client.enroll(person.name, [portrait_of(person)])

    def _start(self) -> RunningServer:
        server = running_server(data=self._data, listen=self._address, frame_timeout_s=60)
        return self._stack.enter_context(server)

    def compare(self, report: Report, rounds: int) -> None:
        found: dict[str, list[_Way]] = {"C++": [], "Python": []}
        for number in range(rounds + 1):
            order = list(found) if number % 2 else list(reversed(found))
            for name in order:
                way = self._cpp() if name == "C++" else _python(self._address, self._film)
                if number:  # the first round warms up
                    found[name].append(way)
        columns = ["", "frames/s", "processor ms a frame", "age p50, ms", "age p99, ms"]
        lines = [_together(ways).line(name) for name, ways in found.items()]
        report.table(f"{rounds} rounds; ages at {_FPS:g} frames a second", columns, lines)
        report.values["ways"] = [dict(zip(columns, line, strict=True)) for line in lines]
        faster = [a.frames_per_s / b.frames_per_s for a, b in zip(*found.values(), strict=True)]
        ratio = float(np.median(faster))
        report.aim("frames/s of C++ over Python >= 0.95", f"{ratio:.3f}", met=ratio >= 0.95)

    def _cpp(self) -> _Way:
        before = _children_s()
        with CppCamera(self._program, self._film, self._address, "--every-frame") as fast:
            fast.until_results(1)
            started_s = time.monotonic()
            fast.wait()
            seconds = time.monotonic() - started_s
        count = fast.result_count
        processor_ms = 1000 * (_children_s() - before) / count
        with CppCamera(self._program, self._film, self._address, f"--fps={_FPS}") as live:
            live.wait()
        ages = [line.age_ms for line in live.accounted if line.status == "OK"]
        return _Way((count - 1) / seconds, processor_ms, ages)

    def break_often(
        self, report: Report, restarts: int, cuts: int
    ) -> tuple[Sequence[float], Sequence[str]]:
        """Breaks one stream; returns the memory of the camera before each break, MB, and what else it wrote to its standard error."""
        relay = self._stack.enter_context(relay_to(int(self._address.rpartition(":")[2])))
        address = f"127.0.0.1:{relay.port}"
        memory: list[float] = []
        breaks: list[Break] = []
        with CppCamera(self._program, self._film, address, "--repeat", f"--fps={_FPS}") as camera:
            for number in range(cuts + restarts):
                camera.until_results(_SETTLED)
                memory.append(own_bytes(camera.pid) / 1e6)
                is_restart = number >= cuts
                breaks.append(
                    self._broken(camera, is_restart, self._restart if is_restart else relay.cut)
                )
            camera.until_results(_SETTLED)
            status = camera.end()
        self._report_breaks(report, camera, memory, status, breaks)
        return memory, camera.errors

    def _restart(self) -> None:
        self._server.kill()
        self._server = self._start()

    @staticmethod
    def _broken(camera: CppCamera, is_restart: bool, harm: Callable[[], None]) -> Break:
        """Breaks the stream, and waits for the next result; `harm` returns when the server is there."""
        before = len(camera.reopened)
        harm()
        there_s = time.monotonic()
        camera.until_reopened(before)
        camera.until_results(1)
        back_s = time.monotonic() - there_s
        return Break(is_restart, [each.pause_s for each in camera.reopened[before:]], back_s)

    @staticmethod
    def _report_breaks(
        report: Report,
        camera: CppCamera,
        memory: Sequence[float],
        status: int,
        breaks: Sequence[Break],
    ) -> None:
        lost = sum(
            line.frame_count for line in camera.accounted if line.status == "CONNECTION_LOST"
        )
        twice = not camera.is_in_order()
        report.table(
            "all breaks under one stream",
            ["frames", "results", "lost", "own MB before", "after"],
            [[camera.accounted[-1].last, camera.result_count, lost, *_edges(memory)]],
        )
        report.aim("exit status", str(status), met=status == 0)
        report.aim("a frame twice or never", str(twice), met=not twice)
        judge_breaks(report, breaks)
        report.values["breaks"] = {
            "memory_mb": list(memory), "lost": lost, "results": camera.result_count,
        }  # fmt: skip


def _together(ways: Sequence[_Way]) -> _Way:
    return _Way(
        float(np.median([way.frames_per_s for way in ways])),
        float(np.median([way.processor_ms for way in ways])),
        [age for way in ways for age in way.ages_ms],
    )


def _python(address: str, film: Path) -> _Way:
    """The same by the Python client, in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_python_ways, args=(theirs, address, film))
    process.start()
    way: _Way = ours.recv()
    process.join()
    return way


def _python_ways(end: Any, address: str, film: Path) -> None:
    paths = sorted(film.iterdir())
    with facewire.Client(address) as client:
        before = time.process_time()
        policy = facewire.FramePolicy.EVERY_FRAME
        frames = [facewire.Frame(path, captured_at_us=1 + round(n * 1e6 / _FPS)) for n, path in enumerate(paths)]  # fmt: skip
        started_s, count = 0.0, 0
        for result in client.stream(frames, policy=policy):
            if isinstance(result, facewire.FrameResult):
                started_s, count = started_s or time.monotonic(), count + 1
        seconds = time.monotonic() - started_s
        processor_ms = 1000 * (time.process_time() - before) / count
        ages = [
            (time.monotonic() - result.captured_at_us / 1e6) * 1000
            for result in client.stream(_paced(paths))
            if isinstance(result, facewire.FrameResult)
        ]
    end.send(_Way((count - 1) / seconds, processor_ms, ages))


def _paced(paths: Sequence[Path]) -> Iterator[facewire.Frame]:
    due_s = time.monotonic()
    for path in paths:
        with contextlib.suppress(ValueError):
            time.sleep(due_s - time.monotonic())
        yield facewire.Frame(path.read_bytes(), captured_at_us=round(time.monotonic() * 1e6))
        due_s += 1 / _FPS


if __name__ == "__main__":
    run(main)
