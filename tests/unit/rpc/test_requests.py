"""The requests of a call have a time together, however steadily they come."""

import asyncio
import math
from dataclasses import replace

import pytest

from facewire.v1 import gallery_pb2
from facewire_server.errors import TimedOut
from facewire_server.rpc.method_rules import method_rules
from facewire_server.rpc.requests import Requests
from facewire_server.rpc.services import METHODS
from fakes.wire import LIMITS

RULES = method_rules(LIMITS)
IMPORT = RULES["/facewire.v1.GalleryService/ImportGallery"]


def test_every_stream_of_requests_has_a_time_except_a_camera():
    endless = {path for path in METHODS if RULES[path].whole_timeout_s == math.inf}
    assert endless == {"/facewire.v1.RecognitionService/StreamRecognize"}


@pytest.mark.parametrize(
    ("next_timeout_s", "whole_timeout_s", "text"),
    [(3600.0, 0.05, "took more than 0.05 s"), (0.0, 3600.0, "within 0 s")],
)
async def test_messages_that_trickle_in_end_with_the_time_of_all(
    next_timeout_s, whole_timeout_s, text
):
    async def read():
        await asyncio.sleep(0.001)
        return b""

    rule = replace(IMPORT, next_timeout_s=next_timeout_s, whole_timeout_s=whole_timeout_s)
    requests = Requests(read, rule, gallery_pb2.ImportGalleryRequest.FromString)
    with pytest.raises(TimedOut, match=text):
        await read_all(requests)


async def read_all(requests):
    async for request in requests.since(await requests.first()):
        assert request is not None
