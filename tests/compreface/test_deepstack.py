"""DeepStack's calls: register, recognize, delete, with a key in the form or with none."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from harness.compreface_calls import Answer, address_of, form
from harness.console_running import RunningConsole, running_console


class DeepStack:
    """Calls as Double Take's detectors "deepstack" and "aiserver" write them."""

    def __init__(self, address: str, key: str | None) -> None:
        self.address = address
        self.key = key

    def post(self, call: str, picture: bytes | None = None, **values: str) -> Answer:
        parts: list[tuple[str, str | None, bytes]] = []
        if picture is not None:
            parts.append(("image", "1a2b3c.jpg", picture))
        if self.key is not None:
            values["api_key"] = self.key
        parts += [(name, None, value.encode()) for name, value in values.items()]
        body, content_type = form(parts)
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            path = f"/v1/vision/face/{call}"
            connection.request("POST", path, body, {"Content-Type": content_type})
            response = connection.getresponse()
            return Answer(response.status, json.loads(response.read()))
        finally:
            connection.close()

    def predictions(self, picture: bytes, **values: str) -> list[dict[str, Any]]:
        answer = self.post("recognize", picture, **values)
        assert answer.status == 200, answer
        assert answer.body["success"] is True
        found: list[dict[str, Any]] = answer.body["predictions"]
        return found


@pytest.fixture
def deepstack(console: RunningConsole, key: str) -> DeepStack:
    return DeepStack(address_of(console), key)


@pytest.fixture
def without_keys(server, gallery) -> Iterator[DeepStack]:
    """A console as for CodeProject.AI's users: a gallery, and no keys."""
    with running_console(server=server.address, deepstack_gallery=gallery) as console:
        yield DeepStack(address_of(console), None)


def test_somebody_registered_is_recognized_until_deleted(deepstack: DeepStack, people) -> None:
    answer = deepstack.post("register", people.ada, userid="Ada")
    assert answer == (200, {"success": True, "message": "face added"})
    (known,) = deepstack.predictions(people.ada_again)
    assert known["userid"] == "Ada"
    assert known["confidence"] >= 0.6
    assert 0 <= known["x_min"] < known["x_max"]
    assert 0 <= known["y_min"] < known["y_max"]
    assert deepstack.post("delete", userid="ada") == (200, {"success": True})
    (unknown,) = deepstack.predictions(people.ada_again)
    assert unknown["userid"] == "unknown"
    assert unknown["confidence"] < 0.4


def test_a_stranger_is_unknown_and_nobody_is_no_prediction(deepstack: DeepStack, people) -> None:
    deepstack.post("register", people.ada, userid="ada")
    (stranger,) = deepstack.predictions(people.bo)
    assert (stranger["userid"], stranger["confidence"] < 0.4) == ("unknown", True)
    assert deepstack.predictions(people.nobody) == []


def test_a_confidence_that_is_asked_for_is_kept(deepstack: DeepStack, people) -> None:
    deepstack.post("register", people.ada, userid="ada")
    assert deepstack.predictions(people.ada_again, min_confidence="0.999")[0]["userid"] == "unknown"
    assert deepstack.predictions(people.ada_again, min_confidence="0.6")[0]["userid"] == "ada"


def test_a_gallery_may_be_open_without_a_key(without_keys: DeepStack, people) -> None:
    without_keys.post("register", people.ada, userid="ada")
    assert without_keys.predictions(people.ada_again)[0]["userid"] == "ada"
    without_keys.key = "00000000-0000-4000-8000-000000000000"
    assert without_keys.post("recognize", people.ada).status == 401


@pytest.mark.parametrize(
    ("call", "has_picture", "values", "status"),
    [
        ("recognize", False, {}, 400),
        ("register", True, {}, 400),
        ("register", True, {"userid": " "}, 400),
        ("register", False, {"userid": "ada"}, 400),
        ("delete", False, {}, 400),
        ("delete", False, {"userid": "nobody"}, 200),
    ],
)
def test_a_request_that_cannot_be_done_says_so(
    deepstack: DeepStack, people, call, has_picture, values, status
) -> None:
    answer = deepstack.post(call, people.ada if has_picture else None, **values)
    assert answer.status == status
    assert answer.body["success"] is False
    assert answer.body["error"]


def test_nobody_in_the_picture_is_registered(deepstack: DeepStack, people) -> None:
    answer = deepstack.post("register", people.nobody, userid="ada")
    assert (answer.status, answer.body["success"]) == (400, False)


def test_a_wrong_key_opens_nothing(console: RunningConsole, people) -> None:
    for key in (None, "", "00000000-0000-4000-8000-000000000000"):
        answer = DeepStack(address_of(console), key).post("recognize", people.ada)
        assert (answer.status, answer.body["success"]) == (401, False)
