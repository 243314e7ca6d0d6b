"""Sets Frigate's sub-labels: who a person is that Frigate has found, by its snapshot."""

import asyncio
import json
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import aiomqtt

from facewire import AsyncClient, Face, FacewireError, InvalidPictureError
from facewire._mqtt.broker import Broker
from facewire._mqtt.connection import keep_connected
from facewire._mqtt.frigate_api import FrigateApi, FrigateError
from facewire._mqtt.together import first_of, heed_cancellation, left_behind

__all__ = ["Frigate"]

_EVENT_ID = re.compile(r"[0-9]{1,16}(?:\.[0-9]{1,10})?-[0-9A-Za-z]{1,32}")
"""An id of Frigate ("1607123955.475377-mxklsc"). It becomes part of a path, and whoever may publish to the broker chooses it."""

_MOST_WAITING = 32
"""Most events that wait for a look; the oldest makes room. Chosen, not measured: a look takes a fraction of a second."""

_MOST_LOOKS = 5
"""Most snapshots of one event that are looked at. Chosen, not measured: Frigate sends an update for each better one."""

_MOST_EVENTS = 1000
"""Most events of which is remembered what was done. Chosen, not measured: more than are open at a time."""

_LARGEST_PAYLOAD = 256 * 1024
"""Most bytes of a message that is read. Chosen, not measured: Frigate's are some kilobytes, with a thumbnail some tens."""


@dataclass(slots=True)
class _Looks:
    """What was done about an event."""

    count: int = 0
    snapshot: Any = None
    is_named: bool = False


class Frigate:
    """Takes Frigate's messages, looks at one snapshot at a time, and names who is KNOWN in it."""

    def __init__(
        self,
        client: AsyncClient,
        broker: Broker,
        api: FrigateApi,
        *,
        topic_prefix: str,
        gallery: str,
        with_names: bool,
        report: Callable[[str], object],
    ) -> None:
        self._client = client
        self._broker = broker
        self._api = api
        self._topic = f"{topic_prefix}/events"
        self._gallery = gallery
        self._with_names = with_names
        self._report = report
        self._waiting: OrderedDict[str, None] = OrderedDict()
        self._looks: OrderedDict[str, _Looks] = OrderedDict()
        self._came = asyncio.Event()

    async def run(self) -> NoReturn:
        """Names people until it is cancelled.

        Raises:
            FacewireError: what does not pass by itself, such as a gallery that is not there.
            Exception: as of `keep_connected`.
        """
        await keep_connected(self._broker.client, self._use, self._report)

    async def _use(self, mqtt: aiomqtt.Client) -> None:
        await mqtt.subscribe(self._topic)
        heed_cancellation()
        await first_of(self._receive(mqtt), self._look())

    async def _receive(self, mqtt: aiomqtt.Client) -> None:
        async for message in mqtt.messages:
            if isinstance(message.payload, bytes):
                self._take(message.payload)

    def _take(self, payload: bytes) -> None:
        """Takes a message of Frigate; what is no event of a person with a new snapshot is passed over."""
        after = _after(payload)
        if after is None:
            return
        event_id = after["id"]
        looks = self._looks.setdefault(event_id, _Looks())
        self._looks.move_to_end(event_id)
        if len(self._looks) > _MOST_EVENTS:
            self._looks.popitem(last=False)
        snapshot = _snapshot_time(after)
        if looks.is_named or looks.count >= _MOST_LOOKS or looks.snapshot == snapshot:
            return
        looks.snapshot = snapshot
        self._waiting[event_id] = None
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.popitem(last=False)
        self._came.set()

    async def _look(self) -> None:
        while True:
            while not self._waiting:
                self._came.clear()
                await self._came.wait()
            event_id, _ = self._waiting.popitem(last=False)
            looks = self._looks.get(event_id, _Looks())
            looks.count += 1
            try:
                looks.is_named = await self._name(event_id)
            except (FrigateError, FacewireError) as error:
                if isinstance(error, FacewireError) and not _may_pass(error):
                    raise
                self._report(f"{error.detail if isinstance(error, FacewireError) else error}")
                if not isinstance(error, InvalidPictureError):
                    looks.count, looks.snapshot = (
                        looks.count - 1,
                        None,
                    )  # the next message is another try

    async def _name(self, event_id: str) -> bool:
        """Returns whether the event has a name now."""
        picture = await left_behind(lambda: self._api.snapshot(event_id))
        found = await self._client.recognize(picture, gallery=self._gallery)
        known = [face for face in found.faces if face.known]
        if not known:
            return False
        face = max(known, key=_area)  # the snapshot is cut around the object: others are behind it
        label = (face.name if self._with_names else "") or face.decision.identity_id
        await left_behind(
            lambda: self._api.set_sub_label(event_id, label, face.decision.similarity)
        )
        return True


def _after(payload: bytes) -> dict[str, Any] | None:
    """Returns what a message says about a person with a snapshot, or None."""
    if len(payload) > _LARGEST_PAYLOAD:
        return None
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    after = message.get("after") if isinstance(message, dict) else None
    if not isinstance(after, dict) or after.get("label") != "person":
        return None
    if not after.get("has_snapshot") or after.get("false_positive") or after.get("sub_label"):
        return None
    event_id = after.get("id")
    return after if isinstance(event_id, str) and _EVENT_ID.fullmatch(event_id) else None


def _may_pass(error: FacewireError) -> bool:
    """Returns whether the next snapshot may succeed."""
    return error.retryable or isinstance(error, InvalidPictureError)


def _snapshot_time(after: dict[str, Any]) -> Any:
    """Returns when the snapshot was taken: a better one has another time."""
    snapshot = after.get("snapshot")  # as of Frigate 0.14
    newer = snapshot.get("frame_time") if isinstance(snapshot, dict) else None
    return newer or after.get("snapshot_time") or after.get("frame_time") or after["id"]


def _area(face: Face) -> float:
    return face.box.width_px * face.box.height_px
