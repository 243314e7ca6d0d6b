"""A running server with one detector or another, and what a picture costs it."""

import contextlib
from typing import NamedTuple

import psutil

from facewire.v1 import recognition_pb2_grpc
from harness.running import RunningServer, running_server

__all__ = ["ServedDetector", "served_detector"]


class ServedDetector(NamedTuple):
    """A running server, and a connection to it."""

    server: RunningServer
    stub: recognition_pb2_grpc.RecognitionServiceStub

    @property
    def processor_s(self) -> float:
        """Processor time of the server so far, seconds."""
        times = psutil.Process(self.server.pid).cpu_times()
        return float(times.user + times.system)


def served_detector(
    servers: contextlib.ExitStack, detector: str, timeout_s: float
) -> ServedDetector:
    """Starts a server, and connects to it.

    Args:
        servers: ends it.
        detector: the setting of that name.
        timeout_s: for one picture.
    """
    server = servers.enter_context(running_server(detector=detector, frame_timeout_s=timeout_s))
    channel = servers.enter_context(server.channel())
    return ServedDetector(server, recognition_pb2_grpc.RecognitionServiceStub(channel))
