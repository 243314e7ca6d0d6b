"""What Home Assistant is told: its documented keys, ids that no name can break, and no name that is retained."""

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire._mqtt.discovery import cameras_device, cameras_in, people_device
from facewire._mqtt.names import key_of, person_key
from facewire._mqtt.payloads import encoded
from facewire._mqtt.presence import _MOST_CAMERAS
from facewire._mqtt.topics import Topics
from fakes.home_assistant import checked_device

TOPICS = Topics("facewire", "homeassistant")
ODD = [
    "",
    "front door",
    "door/1",
    "#",
    "+",
    "Door",
    "door",
    "dörr",
    "門",
    "a" * 128,
    "a" * 127,
    "_",
    "door_",
    "../x",
    "\n",
]


def test_odd_names_of_cameras_are_entities_that_home_assistant_takes() -> None:
    cameras = {key_of(name): name for name in ODD}
    assert len(cameras) == len(ODD), "two names have two keys"
    device = cameras_device(TOPICS, cameras)
    checked = checked_device(TOPICS.cameras_config, json.dumps(device).encode())
    platforms = Counter(one["platform"] for one in checked["components"].values())
    assert platforms == {"event": len(ODD), "sensor": 3 * len(ODD)}


@given(st.text(max_size=130), st.text(max_size=130))
def test_every_name_is_a_level_of_a_topic_and_an_id(first: str, second: str) -> None:
    keys = {key_of(first), key_of(second)}
    assert (len(keys) == 2) == (first != second)
    for key in keys:
        assert 1 <= len(key) <= 64
        assert set(key) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-")


def test_people_are_sensors_whose_ids_do_not_say_who_they_are() -> None:
    people = {person_key("default", name): name for name in ("ada", "bo")}
    device = people_device(TOPICS, people, 60)
    checked = checked_device(TOPICS.people_config, json.dumps(device).encode())
    for key, component in checked["components"].items():
        assert component["expire_after"] == 60
        assert not {"ada", "bo"} & {key, component["unique_id"], component["state_topic"]}
    assert {one["name"] for one in checked["components"].values()} == {"ada", "bo"}
    assert person_key("a", "b") != person_key("ab", "")


def test_a_device_is_read_back_and_anything_else_is_not() -> None:
    cameras = {key_of(name): name for name in ODD}
    payload = json.dumps(cameras_device(TOPICS, cameras)).encode()
    assert cameras_in(payload) == ODD
    for other in (
        b"",
        b"[]",
        b"{}",
        b'{"components": 7}',
        b'{"components": {"a": []}}',
        b"[" * 99_999,
    ):
        assert cameras_in(other) == []
    assert cameras_in(b'{"components": {"a": {"name": 7, "platform": "event"}}}') == []


def test_as_many_cameras_as_are_announced_are_read_back_whatever_they_are_called() -> None:
    names = [
        f"{number:03}".ljust(128, "\1") for number in range(_MOST_CAMERAS)
    ]  # six bytes each in JSON
    payload = encoded(cameras_device(TOPICS, {key_of(name): name for name in names}))
    assert cameras_in(payload) == names


def test_a_key_that_is_not_documented_is_found() -> None:
    device = cameras_device(TOPICS, {"door": "door"})
    device["components"]["door"]["expire_after"] = 60  # of sensors only
    with pytest.raises(AssertionError, match="expire_after"):
        checked_device(TOPICS.cameras_config, json.dumps(device).encode())


@pytest.mark.parametrize("prefix", ["", "a/#", "+", "/a", "a/", "$SYS", "a\0b"])
def test_a_prefix_that_cannot_begin_topics_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="topics"):
        Topics(prefix, "homeassistant")
