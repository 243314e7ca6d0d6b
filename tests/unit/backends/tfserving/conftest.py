"""Names that the test gives to addresses."""

import asyncio
import socket
from typing import Any

import pytest


class Names(dict[str, list[str]]):
    """A name server: addresses by host; a host that is not in it is unknown."""

    async def getaddrinfo(self, host: str, port: None, *, type: int) -> list[Any]:
        if host not in self:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [(0, type, 0, "", (address, 0)) for address in self[host]]


@pytest.fixture
async def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """What the running loop's look-ups find; empty at first."""
    known = Names()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", known.getaddrinfo)
    return known
