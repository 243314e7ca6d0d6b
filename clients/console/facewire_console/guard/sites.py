"""Which site a request is for, and from which it comes: `Host`, `Origin` and `Sec-Fetch-Site`.

A page of another site can send requests here, also to 127.0.0.1: by a form, by a WebSocket, or by a name of its own that it lets lead
here (DNS rebinding). Sources: RFC 6454, RFC 9110 section 7.2, W3C Fetch Metadata.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from facewire_console.errors import Refused, refused_response
from facewire_console.settings import Settings, is_loopback

__all__ = ["Sites"]

_LINK: Final = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
"""What a browser says of a page that it opens in a tab, as when a link is followed."""


class Sites:
    """Middleware: refuses names that do not lead here, and whatever another site's page sends; that page may link here."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._allowed = settings.allowed | {settings.host.lower().strip("[]")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Checks a request or a WebSocket, and passes it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        if refused is None:
            await self._app(scope, receive, send)
        else:
            await refused_response(refused)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Refused | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._leads_here(hosts[0]):
            return Refused(
                421,
                "WRONG_HOST",
                "this name does not lead to the console: open it by its address, or start it with --allowed-hosts",
                closes=True,
            )
        if not (_is_own(headers, hosts[0]) or _is_link(scope, headers)):
            return Refused(
                403, "FOREIGN_ORIGIN", "another site's page may not do this", closes=True
            )
        return None

    def _leads_here(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name is not None and (is_loopback(name) or name in self._allowed)


def _is_own(headers: Headers, host: str) -> bool:
    """Returns whether a request comes from the console's own page, or from no page at all."""
    if headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return False
    origins = headers.getlist("origin")
    if not origins:
        return True  # not a browser: each of them sends it with what is not a plain read
    # A proxy with TLS speaks plain HTTP with the console, so only the host must be the same.
    expected = {f"http://{host.lower()}", f"https://{host.lower()}"}
    return len(origins) == 1 and origins[0].lower() in expected


def _is_link(scope: Scope, headers: Headers) -> bool:
    """Returns whether a page of the console is opened from another site, which reads and changes nothing by that."""
    return (
        scope["type"] == "http"
        and scope["method"] == "GET"
        and "origin" not in headers
        and _LINK.items() <= dict(headers).items()
    )
