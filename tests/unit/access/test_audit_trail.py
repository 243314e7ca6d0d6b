"""A line of the audit log is kept whatever becomes of who waits for it."""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from facewire_server.access.audit_lines import START, Link
from facewire_server.access.audit_trail import AuditTrail, to_the_end
from facewire_server.access.caller import Caller, admitted
from facewire_server.access.roles import Permission, Role


class Log:
    """Appends when it may."""

    def __init__(self) -> None:
        self.lines: list[Mapping[str, Any]] = []
        self.begun = threading.Event()
        self.may_end = threading.Event()

    def append(self, fields: Mapping[str, Any]) -> Link:
        self.begun.set()
        assert self.may_end.wait(60)
        self.lines.append(fields)
        return START


async def test_a_caller_who_is_cancelled_twice_waits_for_the_line() -> None:
    log = Log()
    with ThreadPoolExecutor(1) as threads:
        trail = AuditTrail(log.append, threads)
        with admitted(Caller("token door", frozenset({Role.ENROLLER})), Permission.WRITE):
            keeping = asyncio.create_task(to_the_end(trail.keep({"what": "enroll"})))
        await asyncio.to_thread(log.begun.wait, 60)
        for _ in range(2):
            keeping.cancel()
            await asyncio.sleep(0)
            assert not keeping.done()
        log.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await keeping
    assert log.lines == [{"who": "token door", "what": "enroll"}]


async def test_a_line_that_cannot_be_kept_is_an_error_of_who_waits() -> None:
    def full(fields: Mapping[str, Any]) -> Link:
        raise OSError("no space left on device")

    with ThreadPoolExecutor(1) as threads, pytest.raises(OSError, match="no space"):
        await to_the_end(AuditTrail(full, threads).keep({}))
