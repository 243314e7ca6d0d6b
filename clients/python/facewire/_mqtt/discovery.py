"""What Home Assistant learns: a device with an `event` entity and counts of people for each camera, one with a sensor for each person.

The format is Home Assistant's device discovery (home-assistant.io, "MQTT", "Device discovery payload", since 2024.11), in its long
names. tests/unit/mqtt/test_discovery.py holds the keys to the documented ones.
"""

import json
from collections.abc import Mapping
from typing import Any

from facewire import TrackState, __version__
from facewire._mqtt.counts import COUNTS
from facewire._mqtt.topics import Topics

__all__ = ["EVENT_TYPES", "cameras_device", "people_device"]

_NO_NAME = "Camera without a name"

_LARGEST_DEVICE = 4 << 20
"""Most bytes of a device that is read back: 256 cameras with the longest names have a quarter of it."""

EVENT_TYPES = tuple(
    state.value.lower() for state in TrackState if state is not TrackState.UNSPECIFIED
)
"""What an `event` entity may show. Home Assistant refuses any other."""


def cameras_device(topics: Topics, cameras: Mapping[str, str]) -> dict[str, Any]:
    """Returns the device of the cameras.

    Args:
        topics: of the bridge.
        cameras: the name of each camera, by its key.
    """
    components: dict[str, dict[str, Any]] = {}
    for key, name in cameras.items():
        components[key] = {
            "platform": "event",
            "unique_id": f"{topics.node}_camera_{key}",
            "name": name or _NO_NAME,
            "state_topic": topics.camera(key),
            "event_types": [*EVENT_TYPES],
            "icon": "mdi:face-recognition",
            "qos": 1,
        }
        for count, shown in COUNTS.items():
            components[f"_{count}_{key}"] = {  # no key of a camera begins with "_"
                "platform": "sensor",
                "unique_id": f"{topics.node}_{count}_{key}",
                "name": f"{name or _NO_NAME} {shown}",
                "state_topic": topics.people_before(key),
                "value_template": f"{{{{ value_json.{count} }}}}",
                "state_class": "measurement",
                "icon": "mdi:account-multiple",
                "qos": 1,
            }
    return _device(topics, topics.node, "facewire", components)


def cameras_in(payload: bytes) -> list[str]:
    """Returns the names of the cameras in a device that a bridge published; none if it is something else."""
    if len(payload) > _LARGEST_DEVICE:
        return []
    try:
        components = json.loads(payload)["components"].values()
        names = [each["name"] for each in components if each["platform"] == "event"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
    return ["" if name == _NO_NAME else name for name in names if isinstance(name, str)]


def people_device(topics: Topics, people: Mapping[str, str], expire_after_s: int) -> dict[str, Any]:
    """Returns the device of the people: each a sensor of which the value is the camera.

    Args:
        topics: of the bridge.
        people: id, or name, of each person, by their key.
        expire_after_s: seconds after which a person who is no longer seen is nowhere.
    """
    components = {
        key: {
            "platform": "sensor",
            "unique_id": f"{topics.node}_person_{key}",
            "name": name,
            "state_topic": topics.person(key),
            "expire_after": expire_after_s,
            "icon": "mdi:account",
            "qos": 1,
        }
        for key, name in people.items()
    }
    return _device(topics, f"{topics.node}_people", "facewire people", components)


def _device(
    topics: Topics, node: str, name: str, components: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    return {
        "device": {
            "identifiers": [node],
            "name": name,
            "manufacturer": "facewire",
            "sw_version": __version__,
        },
        "origin": {"name": "facewire mqtt", "sw_version": __version__},
        "availability_topic": topics.available,
        "components": components,
    }
