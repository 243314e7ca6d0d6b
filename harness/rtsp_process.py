"""An RTSP camera of GStreamer's RTSP server; run by Debian's Python, which has GStreamer: `harness.rtsp_server` starts it.

Its one argument is a JSON object: `Scene` and the port, 0 for a free one. It prints a line when it takes connections, and
ends when its standard input does. Packages: requirements/debian.list.
"""

import json
import sys
import threading
import time
from typing import Any

import gi  # type: ignore[import-not-found]  # of Debian's Python

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

from harness import drawn_clock  # noqa: E402

__all__: list[str] = []

_ENCODERS = {
    # Without any lookahead: each picture leaves at once, but for the B frames' wait.
    "h264": (
        "x264enc speed-preset=ultrafast threads=1 bitrate={kbit_s} key-int-max={gop} bframes={b_frames}"
        " b-adapt=false rc-lookahead=0 sync-lookahead=0 ! video/x-h264,profile=main"
        " ! rtph264pay name=pay0 pt=96 config-interval=-1"
    ),
    "jpeg": "jpegenc quality=90 ! rtpjpegpay name=pay0 pt=26",
}


class _Camera:
    """Draws pictures at an even pace into the pipeline of whoever watches."""

    def __init__(self, scene: dict[str, Any]) -> None:
        self._scene = scene
        self._source: Any = None
        threading.Thread(target=self._draw, daemon=True).start()

    def configure(self, _: Any, media: Any) -> None:
        """Takes the pipeline that the server has made for its first watcher."""
        self._source = media.get_element().get_by_name("camera")

    def _draw(self) -> None:
        width, height, fps = (self._scene[name] for name in ("width", "height", "fps"))
        number, due_s = 0, time.monotonic()
        while True:
            now_s = time.monotonic()
            if due_s < now_s - 1:  # after a stall; what was not drawn is not made up for
                due_s = now_s
            time.sleep(max(0.0, due_s - now_s))
            due_s += 1 / fps
            if (source := self._source) is not None:
                picture = drawn_clock.draw(width, height, time.monotonic(), number)
                source.emit("push-buffer", Gst.Buffer.new_wrapped(picture))
            number += 1


def _factory(scene: dict[str, Any]) -> Any:
    width, height, fps = (scene[name] for name in ("width", "height", "fps"))
    encoder = _ENCODERS[scene["codec"]].format(**scene)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        "( appsrc name=camera is-live=true format=time do-timestamp=true leaky-type=downstream max-buffers=2"
        f" caps=video/x-raw,format=I420,width={width},height={height},framerate={fps}/1 ! {encoder} )"
    )
    factory.set_shared(True)
    factory.connect("media-configure", _Camera(scene).configure)
    return factory


def _guard(server: Any, factory: Any, user: str, password: str) -> None:
    """Lets in who knows the password, asked for by digest, as cameras do."""
    role = "watcher"
    permissions = GstRtspServer.RTSPPermissions()
    for what in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role(role, what, True)
    factory.set_permissions(permissions)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", role)
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def _main() -> None:
    scene = json.loads(sys.argv[1])
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(scene["port"]))
    factory = _factory(scene)
    if scene["user"]:
        _guard(server, factory, scene["user"], scene["password"])
    server.get_mount_points().add_factory(scene["path"], factory)
    if not server.attach(None):
        sys.exit(f"port {scene['port']} is taken")
    print(server.get_bound_port(), flush=True)
    loop = GLib.MainLoop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.quit()), daemon=True).start()
    loop.run()


if __name__ == "__main__":
    _main()
