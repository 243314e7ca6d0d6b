"""Frigate's HTTP API on a loopback port, as its source has it (frigate/api: auth.py, media.py, event.py; defs/request/events_body.py).

`EventsSubLabelBody` is validated as there: `subLabel` of at most 100 characters, `subLabelScore` above 0 and at most 1.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

__all__ = ["FakeFrigate", "event_message", "fake_frigate"]


class FakeFrigate:
    """What it has and what came.

    Attributes:
        url: http://127.0.0.1:PORT.
        snapshots: JPEGs by the ids of events.
        password: of the user "admin"; "": no login is wanted, as on port 5000.
        session: the token that is good now; another one expires those before.
        logins: how often somebody logged in.
        asked: the paths of all requests but logins, without queries.
        sub_labels: label and score by the ids of events.
    """

    def __init__(self) -> None:
        self.url = ""
        self.snapshots: dict[str, bytes] = {}
        self.password = ""
        self.session = "first"
        self.logins = 0
        self.asked: list[str] = []
        self.queries: list[str] = []
        self.sub_labels: dict[str, tuple[str, float]] = {}
        self.changed = threading.Condition()


def event_message(event_id: str, *, kind: str = "new", **after: Any) -> bytes:
    """A message of `frigate/events` about a person with a snapshot."""
    known = {
        "id": event_id, "camera": "yard", "frame_time": 1607123962.08, "label": "person", "sub_label": None,
        "top_score": 0.95, "false_positive": False, "start_time": 1607123955.47, "end_time": None,
        "snapshot": {"frame_time": 1607123961.83, "box": [424, 500, 536, 712], "area": 23744, "score": 0.9},
        "has_snapshot": True, "has_clip": False, "stationary": False,
    }  # fmt: skip
    return json.dumps({"type": kind, "before": known, "after": known | after}).encode()


class _Handler(BaseHTTPRequestHandler):
    frigate: FakeFrigate

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if not self._may():
            return
        event_id = self._event_id("/snapshot.jpg")
        picture = self.frigate.snapshots.get(event_id)
        if picture is None:
            self._respond(404, {"success": False, "message": "Event not found"})
        else:
            self._respond(200, picture)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/login":
            self._log_in(body)
            return
        if not self._may():
            return
        event_id = self._event_id("/sub_label")
        label, score = body["subLabel"], body.get("subLabelScore", 1.0)
        if len(label) > 100 or not 0 < score <= 1:
            self._respond(422, {"detail": "validation"})
        elif event_id not in self.frigate.snapshots:
            self._respond(404, {"success": False, "message": f"Event {event_id} not found."})
        else:
            with self.frigate.changed:
                self.frigate.sub_labels[event_id] = label, score
                self.frigate.changed.notify_all()
            self._respond(
                200, {"success": True, "message": f"Event {event_id} sub label set to {label}"}
            )

    def _event_id(self, action: str) -> str:
        return urlsplit(self.path).path.removeprefix("/api/events/").removesuffix(action)

    def _may(self) -> bool:
        frigate = self.frigate
        parts = urlsplit(self.path)
        with frigate.changed:
            frigate.asked.append(parts.path)
            frigate.queries.append(parts.query)
            frigate.changed.notify_all()
        wanted = f"Bearer {frigate.session}"
        if frigate.password and self.headers.get("Authorization") != wanted:
            self._respond(401, {"detail": "unauthorized"})
            return False
        return True

    def _log_in(self, body: dict[str, Any]) -> None:
        if body != {"user": "admin", "password": self.frigate.password}:
            self._respond(401, {"message": "Login failed"})
            return
        self.frigate.logins += 1
        self._respond(200, {}, cookie=f"frigate_token={self.frigate.session}; HttpOnly; Path=/")

    def _respond(self, status: int, content: bytes | dict[str, Any], cookie: str = "") -> None:
        is_picture = isinstance(content, bytes)
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "image/jpeg" if is_picture else "application/json")
        self.send_header("Content-Length", str(len(data)))
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def fake_frigate() -> Iterator[FakeFrigate]:
    """One that runs until the end of the block."""
    frigate = FakeFrigate()
    handler = type("Handler", (_Handler,), {"frigate": frigate})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        frigate.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield frigate
        finally:
            server.shutdown()
            thread.join()
