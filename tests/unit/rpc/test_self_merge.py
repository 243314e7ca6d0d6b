"""A merge of an identity with itself is refused before anything is read, forgotten or written: the console asks so what it may do."""

from typing import Any

import pytest

from facewire.v1 import gallery_pb2
from facewire_server.errors import InvalidField
from facewire_server.rpc.corrections import CorrectionCalls


async def test_an_identity_is_not_merged_with_itself_and_nothing_is_forgotten() -> None:
    nothing: Any = object()  # that has no method to call
    calls = CorrectionCalls(nothing, nothing, nothing)
    request = gallery_pb2.MergeIdentitiesRequest(identity_id="-", merged_identity_id="-")
    with pytest.raises(InvalidField) as refused:
        await calls.merge(request, nothing)
    assert refused.value.field == "merged_identity_id"
