"""Real RTSP cameras: processes of GStreamer's RTSP server, which stall, die and return at another size.

GStreamer comes from Debian (requirements/debian.list), for Debian's own Python: PyPI has no wheels of it for Linux.
"""

import contextlib
import dataclasses
import functools
import json
import os
import selectors
import signal
import socket
import subprocess
from collections.abc import Iterator
from typing import Final, Literal

from harness import REPOSITORY
from harness.running import ServerFailed

__all__ = ["RtspCamera", "Scene", "missing", "rtsp_camera"]

_PYTHON: Final = "/usr/bin/python3"
"""Debian's interpreter: its packages of GStreamer are for this one."""

_PARTS: Final = (
    "import gi; gi.require_version('GstRtspServer', '1.0');"
    "from gi.repository import Gst, GstRtspServer; Gst.init(None);"
    "absent = [e for e in ('appsrc', 'x264enc', 'jpegenc', 'rtph264pay', 'rtpjpegpay') if not Gst.ElementFactory.find(e)];"
    "assert not absent, absent"
)

_START_TIMEOUT_S: Final = 60.0
"""Chosen, not measured: GStreamer reads all its plugins at its first start."""


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a camera streams.

    Attributes:
        width, height: even, pixels.
        fps: pictures a second.
        gop: pictures from one key frame to the next.
        b_frames: most of them in a row; these leave the encoder late and in another order.
        codec: of the stream.
        kbit_s: bitrate of H.264.
        path: of the address.
        user, password: asked for by digest; "" = by none.
    """

    width: int = 640
    height: int = 360
    fps: int = 10
    gop: int = 10
    b_frames: int = 0
    codec: Literal["h264", "jpeg"] = "h264"
    kbit_s: int = 2000
    path: str = "/door"
    user: str = ""
    password: str = ""


class RtspCamera:
    """One camera; its port stays the same when it is killed and returns.

    Attributes:
        port: of 127.0.0.1.
        scene: what it streams.
    """

    def __init__(self, scene: Scene) -> None:
        # Bound and not listening: connections are refused, and no other process gets the port meanwhile.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.port: int = self._reserved.getsockname()[1]
        self.scene = scene
        self._process: subprocess.Popen[str] | None = None

    @property
    def address(self) -> str:
        """The address of its stream, with user and password if it asks for them."""
        who = f"{self.scene.user}:{self.scene.password}@" if self.scene.user else ""
        return f"rtsp://{who}127.0.0.1:{self.port}{self.scene.path}"

    def start(self, **changes: object) -> None:
        """Starts the camera and waits until it takes connections.

        Args:
            **changes: of its scene.

        Raises:
            ServerFailed: it does not start.
        """
        self.scene = dataclasses.replace(self.scene, **changes)  # type: ignore[arg-type]
        argument = json.dumps({**dataclasses.asdict(self.scene), "port": self.port})
        self._process = subprocess.Popen(
            [_PYTHON, "-m", "harness.rtsp_process", argument],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env=_environment(),
        )
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ)
            said = self._process.stdout.readline() if ready.select(_START_TIMEOUT_S) else ""
        if said.strip() != str(self.port):
            self.kill()
            raise ServerFailed(f"the RTSP server did not start on port {self.port}")

    def stall(self) -> None:
        """Stops the process: connections stay open, and no picture is made or sent."""
        self._running().send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continues after a stall, with new pictures: none was made during it."""
        self._running().send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends the process as a power cut would (SIGKILL); no more than that if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def close(self) -> None:
        """Ends the camera, and frees its port."""
        self.kill()
        self._reserved.close()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise ServerFailed("the RTSP server is not running")
        return self._process


@contextlib.contextmanager
def rtsp_camera(scene: Scene | None = None, *, absent: bool = False) -> Iterator[RtspCamera]:
    """Runs a camera until the block ends; `absent` starts none yet."""
    camera = RtspCamera(scene or Scene())
    try:
        if not absent:
            camera.start()
        yield camera
    finally:
        camera.close()


@functools.cache
def missing() -> str:
    """Returns why no camera can run here; "" if one can."""
    try:
        subprocess.run([_PYTHON, "-c", _PARTS], env=_environment(), capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "needs GStreamer's RTSP server: apt-get install the packages of requirements/debian.list"
    return ""


def _environment() -> dict[str, str]:
    """Returns this process' environment without its own interpreter's paths."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONPATH": str(REPOSITORY)}
