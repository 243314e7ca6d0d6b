"""Frigate's HTTP API, as far as it is used: a login, a snapshot, a sub-label. Calls wait, so they run in threads.

Shapes as of Frigate 0.14 to 0.17: `POST /api/login`, `GET /api/events/ID/snapshot.jpg`, `POST /api/events/ID/sub_label`.
"""

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

__all__ = ["FrigateApi", "FrigateError"]

_TIMEOUT_S = 10.0
"""Longest wait for a response, and for each part of it, seconds. Chosen, not measured: Frigate is in the same network."""

_LONGEST_S = 60.0
"""Longest time until a body has come, seconds. Chosen, not measured."""

_MOST_BYTES = 16 * 2**20
"""Most bytes of a snapshot: the server takes no larger picture."""

_LONGEST_LABEL = 100
"""Most characters of a sub-label (`EventsSubLabelBody`)."""

_COOKIE = "frigate_token"
"""The cookie of a login; its value is also taken as a bearer token."""


class FrigateError(Exception):
    """Frigate did not do what it was asked for.

    Attributes:
        status: HTTP's status; 0 if there was no response.
    """

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The token is for this address only."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> None:
        return None


class FrigateApi:
    """One Frigate.

    With a user it logs in, at first and when the login has expired; with a token's file it sends that; otherwise neither:
    port 5000 asks for none.
    """

    def __init__(
        self,
        url: str,
        *,
        user: str = "",
        password_file: Path | None = None,
        token_file: Path | None = None,
        ca_file: Path | None = None,
    ) -> None:
        """Takes the address, such as http://frigate:5000.

        Raises:
            ValueError: the address is no http or https one, or carries a password; or one of the others would have no effect.
            OSError: the certificates to trust cannot be read.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address of Frigate begins with http:// or https://")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("the address of Frigate must not carry a user, a password or a query")
        if token_file and (user or password_file):
            raise ValueError("--frigate-token-file takes the place of --frigate-user")
        if bool(user) != bool(password_file):
            raise ValueError("--frigate-user and --frigate-password-file belong together")
        if ca_file and parts.scheme != "https":
            raise ValueError("--frigate-ca is for an address that begins with https://")
        self._url = url.rstrip("/")
        self._user, self._password_file, self._token_file = user, password_file, token_file
        self._session = ""
        context = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
        handlers: list[urllib.request.BaseHandler] = [
            _NoRedirect(),
            urllib.request.ProxyHandler({}),
        ]
        if context is not None:
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def snapshot(self, event_id: str) -> bytes:
        """Returns the picture of an event's object, a JPEG, without what Frigate paints on it.

        Raises:
            FrigateError: there is none, or Frigate is not reached.
        """
        query = "crop=1&bbox=0&timestamp=0&quality=95"
        return self._call("GET", f"/api/events/{event_id}/snapshot.jpg?{query}")

    def set_sub_label(self, event_id: str, label: str, score: float) -> None:
        """Names an event's object. The score is brought into (0, 1], outside of which Frigate refuses it.

        Raises:
            FrigateError: Frigate refused it, or is not reached.
        """
        body = {
            "subLabel": label[:_LONGEST_LABEL],
            "subLabelScore": round(min(max(score, 0.01), 1.0), 4),
        }
        self._call("POST", f"/api/events/{event_id}/sub_label", body)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> bytes:
        try:
            return self._send(method, path, body)[0]
        except FrigateError as error:
            if error.status != http.HTTPStatus.UNAUTHORIZED or not self._user:
                raise
        self._session = ""  # it has expired
        return self._send(method, path, body)[0]

    def _token(self) -> str:
        if self._token_file is not None:
            token = _first_line(self._token_file)
            if not (
                token.isascii() and token.isprintable()
            ):  # the text of http.client's error would show it
                raise FrigateError(f"{self._token_file} holds more than printable ASCII")
            return token
        if self._user and not self._session:
            self._session = self._log_in()
        return self._session

    def _log_in(self) -> str:
        assert self._password_file is not None
        body = {"user": self._user, "password": _first_line(self._password_file)}
        _, headers = self._send("POST", "/api/login", body, is_login=True)
        for cookie in headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            if name.strip() == _COOKIE:
                return value.strip()
        raise FrigateError("Frigate's login returned no token")

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, *, is_login: bool = False
    ) -> tuple[bytes, Message]:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        token = "" if is_login else self._token()
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as response:
                return _content(response), response.headers
        except urllib.error.HTTPError as error:
            with error:
                raise FrigateError(f"Frigate responds {error.code}", error.code) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise FrigateError(f"Frigate is not reached: {reason}") from None


def _content(response: http.client.HTTPResponse) -> bytes:
    """Returns the body.

    Raises:
        FrigateError: it is too large, or comes byte by byte for ever.
    """
    content, end_s = bytearray(), time.monotonic() + _LONGEST_S
    while part := response.read1(_MOST_BYTES):
        content += part
        if len(content) > _MOST_BYTES:
            raise FrigateError("Frigate's response is too large")
        if time.monotonic() > end_s:
            raise FrigateError("Frigate's response does not end")
    return bytes(content)


def _first_line(path: Path) -> str:
    """Returns a secret.

    Raises:
        FrigateError: the file cannot be read, or is empty.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise FrigateError(f"{path} cannot be read") from None
    if not lines or not lines[0]:
        raise FrigateError(f"{path} is empty")
    return lines[0]
