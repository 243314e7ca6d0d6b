"""`/ws/live`: the values of a stream, one to one, over a WebSocket."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from console.described import described_value
from harness.console_running import RunningConsole


@contextmanager
def opened(console: RunningConsole, query: str = "", **config: Any) -> Iterator[ClientConnection]:
    """A WebSocket whose config was sent."""
    address = f"ws://{console.host}:{console.port}/ws/live?{query}"
    with connect(address, compression=None, max_size=None, proxy=None) as socket:
        socket.send(json.dumps({"type": "config", **config}))
        yield socket


def received(socket: ClientConnection) -> Any:
    return json.loads(socket.recv(timeout=60))


def send_frame(socket: ClientConnection, sequence: int, picture: bytes, **more: Any) -> None:
    socket.send(json.dumps({"type": "frame", "sequence": sequence, **more}))
    socket.send(picture)


def until_close(socket: ClientConnection) -> tuple[list[Any], int]:
    """All messages that are left, and the close code."""
    left: list[Any] = []
    with pytest.raises(ConnectionClosed) as closed:
        left.extend(iter(lambda: received(socket), None))
    assert closed.value.rcvd is not None, "the console says why it closes"
    return left, closed.value.rcvd.code


def test_frames_come_back_as_results_with_events_before_them(console, gallery, portrait) -> None:
    console.send_form(f"/api/identities?gallery={gallery}", [("name", "Ada"), ("image", portrait)])
    with opened(console, f"camera=desk&gallery={gallery}", every_frame=True) as socket:
        started = received(socket)
        assert started["type"] == "started"
        assert started["credit"] >= 1
        for number in (10, 20):  # the browser's own numbers
            send_frame(socket, number, portrait, captured_at_us=number * 100_000)
        socket.send(json.dumps({"type": "end"}))
        messages, code = until_close(socket)
    assert code == 1000
    results = [each for each in messages if each["type"] == "result"]
    assert [each["sequence"] for each in results] == [10, 20]
    assert [each["captured_at_us"] for each in results] == [1_000_000, 2_000_000]
    for result in results:
        for face in result["faces"]:
            described_value("Face", face)
    assert results[-1]["faces"][0]["name"] == "Ada"
    events = [each["event"] for each in messages if each["type"] == "event"]
    for event in events:
        described_value("Event", event)
    assert [each["type"] for each in events][:2] == ["tentative", "confirmed"]
    assert messages.index(next(each for each in messages if each["type"] == "event")) < (
        messages.index(results[0])
    )


def test_a_config_may_ask_for_events_only_and_for_a_threshold(console, gallery, portrait) -> None:
    console.send_form(f"/api/identities?gallery={gallery}", [("name", "Ada"), ("image", portrait)])
    asked = {"every_frame": True, "events_only": True, "threshold": 0.75}
    with opened(console, f"camera=wall&gallery={gallery}", **asked) as socket:
        assert received(socket)["type"] == "started"
        for number in (1, 2, 3):
            send_frame(socket, number, portrait, captured_at_us=number * 200_000)
        socket.send(json.dumps({"type": "end"}))
        messages, _ = until_close(socket)
    assert [each["faces"] for each in messages if each["type"] == "result"] == [[], [], []]
    *_, event = (each["event"] for each in messages if each["type"] == "event")
    assert event["threshold"] == pytest.approx(0.75)
    assert event["threshold_source"] == "request"
    assert 1 <= event["first_sequence"] <= event["last_sequence"] <= 3


def test_skipped_frames_are_accounted_for(console, gallery, portrait) -> None:
    with opened(console, f"gallery={gallery}") as socket:
        credit = received(socket)["credit"]
        accounted: list[int] = []
        sent = number = 0
        while number < 12 or len(accounted) < sent:
            while number < 12 and sent - len(accounted) < credit:
                number, sent = number + 1, sent + 1
                send_frame(socket, number, portrait)
            message = received(socket)
            if message["type"] == "result":
                accounted.append(message["sequence"])
            elif message["type"] == "skipped":
                accounted += range(message["first_sequence"], message["last_sequence"] + 1)
        assert accounted == list(range(1, 13))


def test_an_unusable_frame_has_a_result_and_the_stream_goes_on(console, gallery, portrait) -> None:
    with opened(console, f"gallery={gallery}", every_frame=True) as socket:
        received(socket)
        send_frame(socket, 1, b"no picture")
        bad = received(socket)
        assert (bad["sequence"], bad["status"], bad["reason"]) == (
            1,
            "INVALID",
            "IMAGE_UNDECODABLE",
        )
        send_frame(socket, 2, portrait)
        while (message := received(socket))["type"] != "result":
            pass
        assert (message["sequence"], message["status"]) == (2, "OK")


def test_more_frames_than_the_credit_are_not_taken(console, gallery, portrait) -> None:
    with opened(console, f"gallery={gallery}", every_frame=True) as socket:
        credit = received(socket)["credit"]
        with contextlib.suppress(ConnectionClosed):
            for number in range(1, 50 * credit):
                send_frame(socket, number, portrait)
        messages, code = until_close(socket)
    assert code == 1008
    assert "not accounted for" in messages[-1]["error"]["message"]


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([b"\xff\xd8"], 1003),
        (["no json"], 1003),
        (["[" * 5000], 1003),
        (["{}"], 1008),
        (['{"type": "frame", "sequence": 1}'], 1008),
        (['{"type": "config", "credit": 1000}'], 1008),
        ([json.dumps({"type": "config", "\U0001d518" * 40: 1}, ensure_ascii=False)], 1008),
        (['{"type": "config", "candidates": "many"}'], 1008),
        (['{"type": "config", "candidates": 21}'], 1008),
        (['{"type": "config", "candidates": 4294967296}'], 1008),
        (['{"type": "config"}', b"\xff\xd8"], 1003),
        (['{"type": "config"}', '{"type": "config"}'], 1003),
        (['{"type": "config"}', '{"type": "frame", "sequence": 0}'], 1008),
        (['{"type": "config"}', '{"type": "frame", "sequence": true}'], 1008),
        (['{"type": "config"}', '{"type": "frame", "sequence": 9007199254740992}'], 1008),
        (['{"type": "config"}', '{"type": "frame", "sequence": 1}', "{}"], 1003),
    ],
)
def test_what_is_not_a_stream_is_closed_with_a_code(console, messages, code) -> None:
    address = f"ws://{console.host}:{console.port}/ws/live"
    with connect(address, compression=None, proxy=None) as socket:
        for message in messages:
            socket.send(message)
        left, received_code = until_close(socket)
    assert received_code == code
    assert left[-1]["type"] == "error"


def test_the_servers_refusal_is_passed_on(console) -> None:
    with opened(console, "gallery=nowhere") as socket:
        (message,), code = until_close(socket)
    assert (message["error"]["reason"], code) == ("GALLERY_NOT_FOUND", 1008)


def test_another_sites_page_opens_no_websocket(console) -> None:
    address = f"ws://{console.host}:{console.port}/ws/live"
    with pytest.raises(InvalidStatus) as refused:
        connect(address, origin=Origin("http://evil.example"), proxy=None)
    assert refused.value.response.status_code == 403


def test_there_is_no_other_websocket(console) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://{console.host}:{console.port}/elsewhere", proxy=None)
    assert refused.value.response.status_code == 404
    assert "fault" not in console.log()
