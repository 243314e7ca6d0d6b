"""Publishes track events for months, whichever of server and broker is away meanwhile."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

import aiomqtt

from facewire import TrackEvent
from facewire._mqtt.broker import Broker
from facewire._mqtt.connection import keep_connected
from facewire._mqtt.counts import PeopleCounts
from facewire._mqtt.discovery import EVENT_TYPES, cameras_device, cameras_in, people_device
from facewire._mqtt.feed import EventFeed
from facewire._mqtt.names import key_of
from facewire._mqtt.payloads import encoded, event_payload
from facewire._mqtt.presence import Presence
from facewire._mqtt.together import first_of, heed_cancellation
from facewire._mqtt.topics import OFFLINE, ONLINE, Topics

__all__ = ["Bridge", "Shown"]

_NO_NAME = "a camera without a name"

_NOWHERE = "None"
"""What sets a sensor of Home Assistant to "unknown" (PAYLOAD_NONE)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What may leave the server.

    Attributes:
        names: names of people beside their ids.
        people: a sensor for each person.
        discovery: whether Home Assistant is sent what there is.
        expire_after_s: seconds after which a person who is no longer seen is nowhere.
    """

    names: bool = False
    people: bool = False
    discovery: bool = True
    expire_after_s: int = 60


class Bridge:
    """One bridge: a feed on one side, a broker on the other."""

    def __init__(
        self,
        feed: EventFeed,
        broker: Broker,
        topics: Topics,
        shown: Shown,
        *,
        report: Callable[[str], object],
        published: Callable[[int], object],
    ) -> None:
        """Takes what reports trouble in words, and what is called with the id of each event that the broker has."""
        self._feed = feed
        self._broker = broker
        self._topics = topics
        self._shown = shown
        self._report = report
        self._published = published
        self._presence = Presence(with_names=shown.names)
        self._counts = PeopleCounts()
        self._unpublished: TrackEvent | None = None
        self._losses = 0

    async def publish(self) -> NoReturn:
        """Publishes until it is cancelled; then says that this bridge has gone.

        Raises:
            Exception: as of `keep_connected`.
        """
        will = aiomqtt.Will(self._topics.available, OFFLINE, qos=1, retain=True)
        await keep_connected(lambda: self._broker.client(will), self._use, self._report)

    async def _use(self, mqtt: aiomqtt.Client) -> None:
        """Uses a connection until it breaks."""
        try:
            await _send(mqtt, self._topics.available, ONLINE.encode(), retain=True)
            # What is retained comes as it was at the subscription, also if a camera is announced in between.
            await mqtt.subscribe(self._topics.cameras_config, qos=1)
            await mqtt.subscribe(self._topics.birth)  # before: who starts in between asks again
            heed_cancellation()
            await self._announce(mqtt)
            await first_of(self._forward(mqtt), self._receive(mqtt), self._refresh(mqtt))
        except asyncio.CancelledError:
            # A connection that is closed in good order leaves no will behind.
            with contextlib.suppress(aiomqtt.MqttError):
                await mqtt.publish(self._topics.available, OFFLINE, qos=1, retain=True)
            raise

    async def _forward(self, mqtt: aiomqtt.Client) -> None:
        """Publishes one event after the other; what the broker did not acknowledge comes again on the next connection."""
        while True:
            if self._unpublished is None:
                self._unpublished, is_after_loss = await self._feed.next()
                if is_after_loss:
                    self._losses += 1
                    self._presence.forget_tracks()
                    self._counts.forget_tracks()
                    self._report(
                        f"events are lost: the server no longer keeps them ({self._losses} times so far)."
                    )
                    await self._publish_counts(mqtt, self._presence.cameras)
            event = self._unpublished
            await self._publish_event(mqtt, event)
            self._unpublished = None
            self._published(event.event_id)

    async def _publish_event(self, mqtt: aiomqtt.Client, event: TrackEvent) -> None:
        payload = event_payload(event, with_names=self._shown.names)
        if self._presence.is_new_camera(event):
            await self._announce_cameras(mqtt)
        await _send(mqtt, self._topics.events, encoded(payload))
        camera = key_of(event.camera_id)
        if camera in self._presence.cameras and payload["event_type"] in EVENT_TYPES:
            await _send(mqtt, self._topics.camera(camera), encoded(payload))
        if self._counts.is_changed_by(event):
            await self._publish_counts(mqtt, self._presence.cameras.keys() & {camera})
        if self._shown.people:
            if self._presence.is_new_person(event):
                await self._announce_people(mqtt)
            for person, place in self._presence.changes(event).items():
                await self._publish_place(mqtt, person, place)

    async def _publish_place(
        self, mqtt: aiomqtt.Client, person: str, camera_id: str | None
    ) -> None:
        place = _NOWHERE if camera_id is None else camera_id or _NO_NAME
        await _send(mqtt, self._topics.person(person), place.encode("utf-8", "replace"))

    async def _publish_counts(self, mqtt: aiomqtt.Client, cameras: Iterable[str]) -> None:
        for camera in [*cameras]:
            counts = encoded(self._counts.of(camera))
            await _send(mqtt, self._topics.people_before(camera), counts)

    async def _receive(self, mqtt: aiomqtt.Client) -> None:
        """Announces everything again when Home Assistant has started, and with it the cameras of the bridge before this one."""
        async for message in mqtt.messages:
            if message.topic.matches(self._topics.birth):
                if message.payload == ONLINE.encode():
                    await self._announce(mqtt)
            elif message.retain and isinstance(message.payload, bytes):
                cameras = cameras_in(message.payload)
                if self._presence.remember(cameras):
                    await self._announce_cameras(mqtt)

    async def _refresh(self, mqtt: aiomqtt.Client) -> None:
        """Says again who is before a camera, and how many, before Home Assistant takes them as gone: a person who stays makes no events."""
        while True:
            await asyncio.sleep(self._shown.expire_after_s / 2)
            await self._publish_counts(mqtt, self._presence.cameras)
            for person, camera_id in self._presence.present().items():
                await self._publish_place(mqtt, person, camera_id)

    async def _announce(self, mqtt: aiomqtt.Client) -> None:
        await self._announce_cameras(mqtt)
        await self._announce_people(mqtt)
        await self._publish_counts(mqtt, self._presence.cameras)

    async def _announce_cameras(self, mqtt: aiomqtt.Client) -> None:
        if self._shown.discovery and self._presence.cameras:
            device = cameras_device(self._topics, self._presence.cameras)
            await _send(mqtt, self._topics.cameras_config, encoded(device), retain=True)

    async def _announce_people(self, mqtt: aiomqtt.Client) -> None:
        """Not retained: the broker would hand out who is known to whoever asks. Home Assistant gets it again when it starts."""
        if self._shown.discovery and self._shown.people and self._presence.people:
            device = people_device(self._topics, self._presence.people, self._shown.expire_after_s)
            await _send(mqtt, self._topics.people_config, encoded(device))


async def _send(mqtt: aiomqtt.Client, topic: str, payload: bytes, *, retain: bool = False) -> None:
    """Publishes, and waits until the broker has it."""
    await mqtt.publish(topic, payload, qos=1, retain=retain)
    heed_cancellation()
