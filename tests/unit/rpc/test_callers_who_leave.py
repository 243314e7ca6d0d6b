"""What was committed has its line in the audit log, also if its caller left while it was written."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from facewire.v1 import gallery_pb2
from facewire_server.events import ignore
from facewire_server.galleries.records import (
    Correction,
    Enrollment,
    EnrollmentResult,
    IdentityInfo,
    PersonReference,
)
from facewire_server.rpc.audit import Audit
from facewire_server.rpc.corrections import CorrectionCalls
from facewire_server.rpc.unknown import UnknownCalls
from facewire_server.work.cancellation import cancel_at_next_wait
from fakes.wire import DEFAULTS

ADA = IdentityInfo("ada", "", 2, 0)
PERSON = SimpleNamespace(pictures=[SimpleNamespace(picture=SimpleNamespace(jpeg=b"jpeg"))])
CONTEXT = SimpleNamespace(peer=lambda: "ipv4:127.0.0.1:1")
TEMPLATE = "0" * 32


class Lines:
    """An audit log in memory."""

    def __init__(self) -> None:
        self.actions: list[str] = []

    async def keep(self, fields: Mapping[str, Any]) -> None:
        await asyncio.sleep(0)
        self.actions.append(fields["what"])


class LeftWhileItIsWritten:
    """Galleries, an enroller and unknown people: whoever calls them leaves during each write, which is committed."""

    async def references(
        self, gallery_id: str, identity_ids: list[str]
    ) -> dict[str, PersonReference]:
        await asyncio.sleep(0)
        return {}

    async def merge_identities(self, *arguments: object) -> Correction:
        cancel_at_next_wait()
        return Correction(ADA, 1, 7, 1, 2)

    async def split_identity(self, *arguments: object) -> Correction:
        cancel_at_next_wait()
        return Correction(ADA, 1, 7, 1, 2)

    async def enroll(self, *arguments: object, **options: object) -> Enrollment:
        cancel_at_next_wait()
        return Enrollment((EnrollmentResult(TEMPLATE),), 7, 1)

    async def forget_enrolled(self) -> None:
        await asyncio.sleep(0)

    async def person(self, gallery_id: str, unknown_id: int) -> object:
        return PERSON

    async def forget(self, gallery_id: str, unknown_id: int) -> None:
        await asyncio.sleep(0)

    async def forget_all(self, gallery_id: str) -> int:
        await asyncio.sleep(0)
        return 3


CALLS: dict[str, Callable[[CorrectionCalls, UnknownCalls], Coroutine[Any, Any, Any]]] = {
    "merge_identities": lambda corrections, _: corrections.merge(
        gallery_pb2.MergeIdentitiesRequest(identity_id="ada", merged_identity_id="bo"), CONTEXT
    ),
    "split_identity": lambda corrections, _: corrections.split(
        gallery_pb2.SplitIdentityRequest(
            identity_id="ada", template_ids=[TEMPLATE], new_identity_id="bo"
        ),
        CONTEXT,
    ),
    "enroll_unknown": lambda _, unknown: unknown.enroll(
        gallery_pb2.EnrollUnknownRequest(unknown_id=1, identity_id="ada", create_identity=True),
        CONTEXT,
    ),
}


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def calls(lines: Lines) -> tuple[CorrectionCalls, UnknownCalls]:
    leaving: Any = LeftWhileItIsWritten()
    audit = Audit(ignore, lines, leaving)
    return (
        CorrectionCalls(leaving, leaving, audit),
        UnknownCalls(leaving, leaving, DEFAULTS, audit),
    )


@pytest.mark.parametrize("action", CALLS)
async def test_a_committed_change_has_its_line(
    action: str, calls: tuple[CorrectionCalls, UnknownCalls], lines: Lines
) -> None:
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(CALLS[action](*calls))
    assert lines.actions == [action]


async def test_unknown_people_whose_erasure_has_begun_are_erased_with_its_line(
    calls: tuple[CorrectionCalls, UnknownCalls], lines: Lines
) -> None:
    _, unknown = calls
    request = gallery_pb2.ForgetUnknownRequest(all=True)
    call = asyncio.create_task(unknown.forget(request, CONTEXT))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert lines.actions == ["forget_unknown"]
