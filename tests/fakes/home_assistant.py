"""What Home Assistant would see at a broker: the entities of device discovery, and their states.

The keys are those of its documentation ("MQTT", "Device discovery payload"; "MQTT Event"; "MQTT Sensor"), and what it
refuses or passes over is as in its code (homeassistant/components/mqtt: schemas.py, event.py, sensor.py), read in November 2026.
"""

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiomqtt

from fakes.mosquitto import Mosquitto

__all__ = ["Entity", "HomeAssistant", "checked_device", "home_assistant", "retained_messages"]

_TIMEOUT_S = 60.0
_AVAILABILITY = {
    "availability", "availability_mode", "availability_template", "availability_topic",
    "payload_available", "payload_not_available",
}  # fmt: skip
DEVICE_MESSAGE = _AVAILABILITY | {
    "device", "origin", "components", "state_topic", "command_topic", "qos", "encoding",
}  # fmt: skip
DEVICE = {
    "configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "model_id",
    "name", "serial_number", "suggested_area", "sw_version", "via_device",
}  # fmt: skip
ORIGIN = {"name", "sw_version", "support_url"}
_ENTITY = _AVAILABILITY | {
    "platform", "device_class", "enabled_by_default", "encoding", "entity_category", "entity_picture", "icon",
    "json_attributes_template", "json_attributes_topic", "name", "default_entity_id", "qos", "state_topic", "unique_id",
    "value_template",
}  # fmt: skip
ENTITIES = {
    "event": _ENTITY | {"event_types"},
    "sensor": _ENTITY
    | {"expire_after", "force_update", "last_reset_value_template", "options", "state_class",
       "suggested_display_precision", "unit_of_measurement"},
}  # fmt: skip
REQUIRED = {"event": {"event_types", "state_topic"}, "sensor": {"state_topic"}}
CONFIG_TOPIC = re.compile(r"homeassistant/device/(?:[a-zA-Z0-9_-]+/)?[a-zA-Z0-9_-]+/config")


@dataclass
class Entity:
    """One entity.

    Attributes:
        config: what it was announced with.
        device: the name of its device.
        states: its states, the newest last: an event's type, a sensor's value.
        attributes: of the last event.
    """

    config: dict[str, Any]
    device: str
    states: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)


def checked_device(topic: str, payload: bytes) -> dict[str, Any]:
    """Returns a discovery message that Home Assistant takes.

    Raises:
        AssertionError: it would refuse it, or a key is not documented.
    """
    assert CONFIG_TOPIC.fullmatch(topic), topic
    message = json.loads(payload)
    assert set(message) <= DEVICE_MESSAGE, set(message) - DEVICE_MESSAGE
    assert {"device", "origin", "components"} <= set(message)
    assert set(message["device"]) <= DEVICE
    assert message["device"].get("identifiers"), "a device needs an identifier"
    assert set(message["origin"]) <= ORIGIN
    assert message["origin"].get("name")
    ids = [component.get("unique_id") for component in message["components"].values()]
    assert all(ids), "a component of a device needs a unique_id"
    assert len(set(ids)) == len(ids)
    for component in message["components"].values():
        platform = component["platform"]
        assert set(component) <= ENTITIES[platform], set(component) - ENTITIES[platform]
        assert REQUIRED[platform] <= set(component)
        assert not set("#+") & set(component["state_topic"])
        assert component.get("expire_after", 1) > 0
    return dict(message)


class HomeAssistant:
    """Follows a broker.

    Attributes:
        entities: by their unique ids.
        is_available: what the bridge last said; None before.
        events: the payloads of `facewire/events`, in order.
        topics: of all messages but discovery, in order.
    """

    def __init__(self, mqtt: aiomqtt.Client) -> None:
        self.entities: dict[str, Entity] = {}
        self.is_available: bool | None = None
        self.events: list[dict[str, Any]] = []
        self.topics: list[str] = []
        self.availabilities: list[str] = []
        self._mqtt = mqtt
        self._changed = asyncio.Condition()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Waits until messages have made a condition true."""
        async with asyncio.timeout(_TIMEOUT_S), self._changed:
            await self._changed.wait_for(condition)

    async def start_again(self) -> None:
        """Forgets all entities, as by a restart, and says that it has started."""
        self.entities.clear()
        await self._mqtt.publish("homeassistant/status", "online")

    def entity(self, name: str) -> Entity:
        """The entity of a name."""
        (found,) = (one for one in self.entities.values() if one.config["name"] == name)
        return found

    def names(self) -> set[str]:
        """The names of all entities but the counts of people."""
        configs = [one.config for one in self.entities.values()]
        return {config["name"] for config in configs if "state_class" not in config}

    def counts(self, camera: str) -> tuple[str, str, str]:
        """The last counts before a camera: people, known people, unknown people; "" for one that has not come."""
        people, known, unknown = (
            (self.entity(f"{camera} {counted}").states or [""])[-1]
            for counted in ("people", "known people", "unknown people")
        )
        return people, known, unknown

    async def follow(self) -> None:
        """Reads messages until it is cancelled."""
        async for message in self._mqtt.messages:
            async with self._changed:
                self._take(str(message.topic), bytes(message.payload), retain=message.retain)
                self._changed.notify_all()

    def _take(self, topic: str, payload: bytes, *, retain: bool) -> None:
        if topic.startswith("homeassistant/device/"):
            message = checked_device(topic, payload)
            for component in message["components"].values():
                before = self.entities.get(component["unique_id"])
                entity = before or Entity(component, message["device"]["name"])
                entity.config = component
                self.entities[component["unique_id"]] = entity
        elif topic == "facewire/available":
            self.is_available = payload == b"online"
            self.availabilities.append(payload.decode())
        elif topic == "facewire/events":
            self.events.append(json.loads(payload))
        if topic.startswith("facewire/"):
            self.topics.append(topic)
        for entity in self.entities.values():
            if entity.config["state_topic"] == topic:
                self._show(entity, payload, retain=retain)

    @staticmethod
    def _show(entity: Entity, payload: bytes, *, retain: bool) -> None:
        if entity.config["platform"] == "sensor":
            template = entity.config.get("value_template")
            value = _rendered(template, payload) if template else payload.decode()
            entity.states.append("unknown" if value == "None" else value)
            return
        if retain:  # it passes over events that are replayed
            return
        attributes = json.loads(payload)
        event_type = attributes.pop("event_type")
        assert event_type in entity.config["event_types"], event_type
        entity.states.append(event_type)
        entity.attributes = attributes


def _rendered(template: str, payload: bytes) -> str:
    """What a template of the only form that the bridge uses makes of a payload."""
    form = re.fullmatch(r"\{\{ value_json\.(\w+) \}\}", template)
    assert form, template
    return str(json.loads(payload)[form[1]])


def _client(broker: Mosquitto) -> aiomqtt.Client:
    password = broker.password_file.read_text().strip() if broker.user else None
    context = ssl.create_default_context(cafile=broker.ca_file) if broker.ca_file else None
    return aiomqtt.Client(
        "127.0.0.1",
        broker.port,
        username=broker.user or None,
        password=password,
        tls_context=context,
    )


@asynccontextmanager
async def home_assistant(broker: Mosquitto) -> AsyncIterator[HomeAssistant]:
    """One that is connected until the end of the block."""
    async with _client(broker) as mqtt:
        await mqtt.subscribe("#", qos=1)
        watching = HomeAssistant(mqtt)
        following = asyncio.create_task(watching.follow())
        try:
            yield watching
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def retained_messages(broker: Mosquitto) -> dict[str, str]:
    """What the broker hands out to whoever connects: texts by their topics."""
    found = {}
    async with _client(broker) as mqtt:
        await mqtt.subscribe("#", qos=1)
        await mqtt.publish("end", "", qos=1)  # comes after all that is retained
        async for message in mqtt.messages:
            if str(message.topic) == "end":
                break
            assert message.retain
            found[str(message.topic)] = bytes(message.payload).decode()
    return found
