"""Calls of the door over real connections, as its clients write them."""

import http.client
import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from harness.console_running import RunningConsole

__all__ = ["Answer", "Caller", "address_of", "exchange", "form"]

_TIMEOUT_S = 60.0
_BOUNDARY = "--------------------------538923451287345098234512"


class Answer(NamedTuple):
    """A status and the JSON of the body."""

    status: int
    body: Any


def address_of(console: RunningConsole) -> str:
    """Returns where a console listens, "HOST:PORT"."""
    return f"{console.host}:{console.port}"


def form(parts: Sequence[tuple[str, str | None, bytes]]) -> tuple[bytes, str]:
    """Returns a form of parts (name, filename or None, content), as form-data of npm writes it, and its Content-Type."""
    body = b""
    for name, filename, content in parts:
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"'
        if filename is not None:
            head += f'; filename="{filename}"\r\nContent-Type: image/jpeg'
        body += head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return body + f"--{_BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={_BOUNDARY}"


class Caller:
    """Calls with one key."""

    def __init__(self, address: str, key: str | None) -> None:
        """Takes the console's address, "HOST:PORT", and the key; None = without the header."""
        self.address = address
        self.key = key

    def call(
        self, method: str, path: str, body: bytes | None = None, content_type: str | None = None
    ) -> Answer:
        """Makes a call below /api/v1."""
        headers: dict[str, str] = {}
        if self.key is not None:
            headers["x-api-key"] = self.key
        if content_type is not None:
            headers["Content-Type"] = content_type
        connection = http.client.HTTPConnection(self.address, timeout=_TIMEOUT_S)
        try:
            connection.request(method, f"/api/v1{path}", body, headers)
            response = connection.getresponse()
            return Answer(response.status, json.loads(response.read()))
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """Reads."""
        return self.call("GET", path)

    def delete(self, path: str) -> Answer:
        """Deletes."""
        return self.call("DELETE", path)

    def send(self, path: str, value: Any, method: str = "POST") -> Answer:
        """Sends JSON."""
        return self.call(method, path, json.dumps(value).encode(), "application/json")

    def post(self, path: str, **pictures: bytes) -> Answer:
        """Sends pictures as the parts of a form, by their names."""
        parts = [(name, "picture.jpg", content) for name, content in pictures.items()]
        return self.call("POST", path, *form(parts))

    def add(self, subject: str, picture: bytes) -> str:
        """Adds an example, and returns its image id."""
        answer = self.post(f"/recognition/faces?subject={subject}", file=picture)
        assert answer.status == 201, answer
        image_id: str = answer.body["image_id"]
        return image_id

    def subjects(self) -> list[str]:
        """Lists the subjects."""
        names: list[str] = self.get("/recognition/subjects").body["subjects"]
        return names

    def recognize(self, picture: bytes, query: str = "") -> list[dict[str, Any]]:
        """Recognizes a picture, and returns its faces."""
        answer = self.post(f"/recognition/recognize{query}", file=picture)
        assert answer.status == 200, answer
        faces: list[dict[str, Any]] = answer.body["result"]
        return faces


def exchange(address: str, head: Sequence[str], body: bytes) -> tuple[int, Mapping[str, Any]]:
    """Sends a request as it is written here, and returns the status and the JSON of its response.

    Args:
        address: "HOST:PORT".
        head: the request line and the headers, without those that depend on the address and the body.
        body: what follows.
    """
    host, _, port = address.rpartition(":")
    lines = [*head, f"Host: {address}", f"Content-Length: {len(body)}", "Connection: close", "", ""]
    with socket.create_connection((host, int(port)), timeout=_TIMEOUT_S) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, json.loads(response.read())
