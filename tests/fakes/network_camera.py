"""A network camera: motion JPEG over HTTP, as many give it; it hangs up after some frames, or falls silent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np

__all__ = ["NetworkCamera", "network_camera_on"]


def numbered_jpeg(number: int) -> bytes:
    """A picture whose width is 32 pixels more than its number."""
    return cv2.imencode(".jpg", np.full((16, 32 + number, 3), 128, np.uint8))[1].tobytes()


class NetworkCamera(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, frames_a_connection: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.frames_a_connection = frames_a_connection
        self.then_silent = False
        self.numbered = False
        self.connections = 0
        self.sent_count = 0
        self.sent = threading.Condition()
        self.ended = threading.Event()
        _, jpeg = cv2.imencode(".jpg", np.full((64, 96, 3), 128, np.uint8))
        self.jpeg = jpeg.tobytes()
        self.address = f"http://ada:secret@127.0.0.1:{self.server_port}/door"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        server.connections += 1
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(server.frames_a_connection):
            jpeg = numbered_jpeg(number) if server.numbered else server.jpeg
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            try:
                self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:
                return
            with server.sent:
                server.sent_count += 1
                server.sent.notify_all()
            if server.ended.wait(0.01):
                return
        if server.then_silent:
            server.ended.wait()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def network_camera_on(frames_a_connection: int) -> Iterator[NetworkCamera]:
    with NetworkCamera(frames_a_connection) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield server
        finally:
            server.ended.set()
            server.shutdown()
            serving.join()
