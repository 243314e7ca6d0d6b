"""The cost of models in other processes: latency, throughput, bytes on the wire.

Two servers take turns on the same picture: one runs the models itself, the other asks two processes of the local model
server, which run the same engine (OpenVINO), so that only the wire differs. The bytes are counted by a
forwarder between a third server and the models.
"""

import socket
import statistics
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Final

from bench.report import Report, parser, progress, run
from facewire.v1 import recognition_pb2
from harness import pictures
from harness.model_servers import ModelServer, free_port, model_servers
from harness.running import RunningServer, running_server
from harness.streaming import OneInFlight

__all__: list[str] = []

_WARM_UP: Final = 5
_STREAMS: Final = 4
_COUNTED: Final = 20
_CHUNK: Final = 1 << 16
_FLAGS: Final = ("--engine=openvino",)
_READY_WITHIN_S: Final = 60.0


def main() -> int:
    flags = parser("served_overhead", __doc__)
    flags.add_argument("--frames", type=int, default=40, help="measured one by one, >= 10")
    flags.add_argument("--seconds", type=float, default=8.0, help="of each turn of the streams")
    flags.add_argument("--turns", type=int, default=3, help="of the streams, of each server")
    arguments = flags.parse_args()
    data = pictures.as_jpeg(pictures.folder("ancestor") / "klaus.png")
    report = Report("served_overhead", arguments)
    with ExitStack() as stack:
        models = stack.enter_context(model_servers("mtcnn", "embedding", flags=_FLAGS))
        servers = {
            "embedded": stack.enter_context(running_server()),
            "served": stack.enter_context(_served(models)),
        }
        for server in servers.values():
            _answers(server, data)
        _latency(report, servers, data, max(10, arguments.frames))
        _throughput(report, servers, data, arguments.seconds, arguments.turns)
        _bytes(report, models, data)
    return report.finish()


def _served(
    models: "Sequence[ModelServer] | Sequence[_Forwarder]",
) -> AbstractContextManager[RunningServer]:
    mtcnn, embedding = models
    return running_server(detector_address=mtcnn.address, embedder_address=embedding.address)


def _answers(server: RunningServer, data: bytes) -> None:
    """Waits until a server recognizes a picture."""
    give_up_at_s = time.monotonic() + _READY_WITHIN_S
    with server.channel() as channel, OneInFlight(channel) as stream:
        while stream.send(data).status != recognition_pb2.FRAME_STATUS_OK:
            if time.monotonic() > give_up_at_s:
                raise RuntimeError("the models do not answer")


def _latency(report: Report, servers: dict[str, RunningServer], data: bytes, frames: int) -> None:
    ms: dict[str, list[float]] = {name: [] for name in servers}
    with ExitStack() as stack:
        streams = {
            name: stack.enter_context(OneInFlight(stack.enter_context(server.channel())))
            for name, server in servers.items()
        }
        for index in progress(range(_WARM_UP + frames), "frames", _WARM_UP + frames):
            for name, stream in streams.items():
                started_s = time.perf_counter()
                stream.send(data)
                if index >= _WARM_UP:
                    ms[name].append((time.perf_counter() - started_s) * 1e3)
    p50 = {name: statistics.median(times) for name, times in ms.items()}
    extra = statistics.median(
        served - own for own, served in zip(ms["embedded"], ms["served"], strict=True)
    )
    report.table(
        "one 1080p frame, one in flight",
        ["", "p50, ms", "p90, ms"],
        [(name, p50[name], statistics.quantiles(times, n=10)[-1]) for name, times in ms.items()],
    )
    report.note(f"median of the differences, frame by frame: {extra:+.2f} ms\n")
    report.values["p50_ms"] = p50
    report.values["wire_ms"] = extra


def _throughput(
    report: Report, servers: dict[str, RunningServer], data: bytes, seconds: float, turns: int
) -> None:
    rates: dict[str, list[float]] = {name: [] for name in servers}
    for _ in progress(range(turns), "streams", turns):
        for name, server in servers.items():
            rates[name].append(_streamed(server, data, seconds) / seconds)
    per_s = {name: statistics.median(found) for name, found in rates.items()}
    report.table(
        f"{_STREAMS} streams of 1080p frames",
        ["", "frames/s, median", "least", "most"],
        [(name, per_s[name], min(found), max(found)) for name, found in rates.items()],
    )
    report.note(f"served ÷ embedded: {per_s['served'] / per_s['embedded']:.3f}\n")
    report.values["frames_per_s"] = per_s


def _streamed(server: RunningServer, data: bytes, seconds: float) -> int:
    counts = [0] * _STREAMS
    ends_at_s = time.monotonic() + seconds

    def camera(index: int) -> None:
        with server.channel() as channel, OneInFlight(channel) as stream:
            while time.monotonic() < ends_at_s:
                stream.send(data)
                counts[index] += 1

    threads = [threading.Thread(target=camera, args=(index,)) for index in range(_STREAMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _bytes(report: Report, models: Sequence[ModelServer], data: bytes) -> None:
    forwarders = [_Forwarder(model.address) for model in models]
    height, width = pictures.size_of(data)
    with _served(forwarders) as server:
        _answers(server, data)
        with server.channel() as channel, OneInFlight(channel) as stream:
            for forwarder in forwarders:
                forwarder.sent = forwarder.received = 0
            for _ in range(_COUNTED):
                stream.send(data)
        per_frame = {
            model.name: (one.sent / _COUNTED / 1e3, one.received / _COUNTED / 1e3)
            for model, one in zip(models, forwarders, strict=True)
        }
    report.table(
        f"kB a frame between server and models (the frame itself: {len(data) / 1e3:.0f} kB as "
        f"JPEG, {width * height * 3 / 1e3:.0f} kB as pixels)",
        ["", "to it", "from it"],
        [(name, f"{sent:.1f}", f"{received:.1f}") for name, (sent, received) in per_frame.items()],
    )
    report.values["kb_per_frame"] = per_frame


class _Forwarder:
    """Passes TCP connections on to an address, and counts bytes.

    Attributes:
        address: the address that it listens on.
        sent, received: bytes to the address and from it.
    """

    def __init__(self, to: str) -> None:
        self.sent = self.received = 0
        host, _, port = to.rpartition(":")
        self._to = host, int(port)
        self.address = f"127.0.0.1:{free_port()}"
        self._listener = socket.create_server(("127.0.0.1", int(self.address.rpartition(":")[2])))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            near, _ = self._listener.accept()
            far = socket.create_connection(self._to)
            for args in ((near, far, "sent"), (far, near, "received")):
                threading.Thread(target=self._pass_on, args=args, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, count: str) -> None:
        try:
            while data := source.recv(_CHUNK):
                setattr(self, count, getattr(self, count) + len(data))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:  # either end closed the connection
            return


if __name__ == "__main__":
    run(main)
