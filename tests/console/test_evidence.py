"""Why a face was decided so, and the hint of a presentation attack, as JSON: of a picture, and of a live stream."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.described import checked, described_value
from console.test_live import opened, received, send_frame, until_close
from harness.console_running import RunningConsole, running_console
from harness.running import running_server

RECOGNIZE = ("POST", "/api/recognize")


def recognized(console: RunningConsole, query: str, picture: bytes) -> dict[str, Any]:
    answer = console.send("POST", f"/api/recognize?{query}", picture)
    (face,) = checked(answer, *RECOGNIZE)["faces"]
    return dict(face)


def test_a_face_says_why_it_was_decided_so_if_it_is_asked(console, gallery, portrait) -> None:
    query = f"gallery={gallery}&explain=true"
    nobody = recognized(console, query, portrait)["judgment"]
    assert nobody["deciding_rule"] == "no_person_to_compare"
    assert nobody["false_match_rate"] is None
    console.send_form(f"/api/identities?gallery={gallery}", [("name", "Ada"), ("image", portrait)])
    face = recognized(console, query, portrait)
    judgment = face["judgment"]
    assert judgment["deciding_rule"] == "alone_above_threshold"
    assert 0 < judgment["false_match_rate"] <= judgment["false_match_rate_bound"]
    assert (judgment["template_count"], len(judgment["template_ids"])) == (1, 1)
    assert judgment["threshold_rule"]["identity_count"] == 1
    assert face["threshold_source"] == "error_rate"
    assert face["look_count"] == 1
    for query in (f"gallery={gallery}", f"gallery={gallery}&explain=false"):
        assert recognized(console, query, portrait)["judgment"] is None
    odd = console.send("POST", f"/api/recognize?gallery={gallery}&explain=yes", portrait)
    assert (odd.status, odd.reason) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("explain", [True, False])
def test_a_live_stream_says_so_too(console, gallery, portrait, explain) -> None:
    console.send_form(f"/api/identities?gallery={gallery}", [("name", "Ada"), ("image", portrait)])
    with opened(console, f"gallery={gallery}", every_frame=True, explain=explain) as socket:
        received(socket)
        for number in (1, 2):
            send_frame(socket, number, portrait, captured_at_us=number * 100_000)
        socket.send(json.dumps({"type": "end"}))
        messages, _ = until_close(socket)
    (face,) = [each for each in messages if each["type"] == "result"][-1]["faces"]
    described_value("Face", face)
    rule = face["judgment"] and face["judgment"]["deciding_rule"]
    assert rule == ("alone_above_threshold" if explain else None)


@pytest.fixture(scope="module")
def looking(attack_model: Path) -> Iterator[RunningConsole]:
    """A console before a server that looks for presentation attacks."""
    with (
        running_server(presentation_attacks=True, frame_timeout_s=60) as server,
        running_console(server.address) as console,
    ):
        yield console


def test_a_hint_of_a_presentation_attack_is_there_if_the_server_looks_for_it(
    console, looking, gallery, portrait
) -> None:
    assert recognized(console, f"gallery={gallery}", portrait)["presentation_attack_score"] is None
    assert 0 < recognized(looking, "", portrait)["presentation_attack_score"] < 1
    posted = checked(
        looking.send("POST", "/v1/frames/door", portrait), "POST", "/v1/frames/{camera}"
    )
    assert 0 < posted["faces"][0]["presentation_attack_score"] < 1
    assert posted["events"]
    assert all(0 < event["presentation_attack_score"] < 1 for event in posted["events"])
