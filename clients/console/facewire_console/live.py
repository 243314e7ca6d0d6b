"""`/ws/live`: a WebSocket for the frames of one camera, one to one on the values of a gRPC stream, with its credit."""

import asyncio
import contextlib
from dataclasses import fields
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from facewire import (
    DecisionPolicy,
    DetectionOptions,
    FacewireError,
    FramePolicy,
    FrameResult,
    FramesSkipped,
    ResponseDetail,
    TrackEvent,
)
from facewire_console.console import Console, console_of, gallery_of
from facewire_console.errors import Refused, error_json
from facewire_console.live_frames import Broken, LiveFrames, read_text
from facewire_console.shapes import (
    event_json,
    frame_json,
    skipped_json,
    started_json,
)

__all__ = ["Live", "live"]

_CONFIG_S: Final = 10.0
"""Seconds until the config has come: the server's own limit for a request. Chosen, not measured."""

_OPEN_S: Final = 10.0
"""Seconds until the server has opened the stream. Chosen, not measured."""

_MAX_LIVE: Final = 32
"""WebSockets at the same time: uvicorn holds up to one picture of each, 512 MiB by default. Chosen, not measured."""

_MAX_REASON_BYTES: Final = 123
"""Bytes of a close's reason (RFC 6455 section 5.5)."""

_OK, _POLICY, _LATER = 1000, 1008, 1013
"""Close codes: RFC 6455 section 7.4.1, and the registry of IANA for 1013."""

JSON = dict[str, Any]

_DECISION: Final = tuple(each.name for each in fields(DecisionPolicy))
"""Fields of a config that say when a face counts as recognized."""

_FLAG: Final = (bool,)
_WHOLE: Final = (int,)

_CONFIG: Final[dict[str, tuple[type, ...]]] = {
    "every_frame": _FLAG,
    "events_only": _FLAG,
    "candidates": _WHOLE,
    "rotation_degrees": _WHOLE,
    "search_interval_ms": _WHOLE,
    "min_face_px": _WHOLE,
    "explain": _FLAG,
    **dict.fromkeys(_DECISION, (int, float)),
}

_LARGEST: Final = 1 << 31
"""Above every field's range, and within what a message of the contract can carry."""


class Live:
    """The endpoint, and how many use it."""

    def __init__(self) -> None:
        self._count = 0

    async def serve(self, websocket: WebSocket) -> None:
        """Serves one WebSocket to its end."""
        await websocket.accept()
        if self._count >= _MAX_LIVE:
            refused = Refused(429, "TOO_MANY_WATCHERS", f"{_MAX_LIVE} live pictures are open")
            await _close(websocket, _LATER, refused.error)
            return
        self._count += 1
        try:
            await live(websocket, console_of(websocket))
        finally:
            self._count -= 1


async def live(websocket: WebSocket, console: Console) -> None:
    """Serves one WebSocket that was accepted, to its end."""
    frames = LiveFrames(websocket, console.held)
    try:
        async with asyncio.timeout(_CONFIG_S):
            config = _config(await read_text(websocket))
        await _serve(websocket, console, frames, config)
    except WebSocketDisconnect:
        return
    except TimeoutError:
        await _close(websocket, _POLICY, _refused("no config came").error)
    except Broken as broken:
        await _close(websocket, broken.code, _refused(str(broken)).error)
    except FacewireError as error:
        await _close(websocket, _LATER if error.retryable else _POLICY, error_json(error))
    finally:
        frames.let_go()


async def _serve(websocket: WebSocket, console: Console, frames: LiveFrames, config: JSON) -> None:
    every_frame = config.get("every_frame", False)
    detail = ResponseDetail.EVENTS_ONLY if config.get("events_only") else ResponseDetail.FULL
    reopened = 0
    stream = console.client.stream(
        frames,
        camera=websocket.query_params.get("camera", ""),
        gallery=gallery_of(websocket),
        policy=FramePolicy.EVERY_FRAME if every_frame else FramePolicy.NEWEST_WINS,
        detail=detail,
        decision=DecisionPolicy(**{name: config[name] for name in _DECISION if name in config}),
        reopen=True,
        timeout_s=_OPEN_S,
        max_candidates=config.get("candidates", 0),
        rotation_degrees=config.get("rotation_degrees", 0),
        search_interval_ms=config.get("search_interval_ms", 0),
        detection=DetectionOptions(min_face_px=config.get("min_face_px", 0)),
        explain=config.get("explain", False),
    )
    try:
        await stream.open()
        await _send(websocket, {"type": "started", **started_json(stream.limits)})
        frames.credit = stream.limits.max_in_flight
        reading = asyncio.create_task(frames.read())
        try:
            async for item in stream:
                if stream.reopen_count > reopened:
                    reopened = stream.reopen_count
                    frames.credit = stream.limits.max_in_flight
                    again = {"type": "started", "reopened": True, **started_json(stream.limits)}
                    await _send(websocket, again)
                for advice in frames.take_advice():
                    await _send(websocket, advice)
                await _send(websocket, _item(item, frames))
        except FacewireError:
            frames.raise_fault()
            raise
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await reading
        frames.raise_fault()
        await websocket.close(_OK)
    finally:
        await stream.close()


def _item(item: FrameResult | FramesSkipped | TrackEvent, frames: LiveFrames) -> JSON:
    """Returns a message about an item of the stream, with the sequence numbers of the browser."""
    if isinstance(item, TrackEvent):
        return {"type": "event", "event": event_json(item, name=item.name)}
    numbers = frames.account(item.frame_count)
    if isinstance(item, FramesSkipped):
        numbered = {"first_sequence": numbers[0], "last_sequence": numbers[-1]}
        return {"type": "skipped", **skipped_json(item), **numbered}
    return {
        "type": "result",
        **frame_json(item),
        "sequence": numbers[0],
        "reason": None if item.reason is None else item.reason.value,
        "detail": item.detail,
        "captured_at_us": item.captured_at_us,
    }


def _config(message: JSON) -> JSON:
    """Returns the fields of a config.

    Raises:
        Broken: it is something else, or a field is not of its type; the server checks ranges.
    """
    config = dict(message)
    if config.pop("type", None) != "config":
        raise Broken(_POLICY, 'the first message must be {"type": "config"}')
    for name, value in config.items():
        if type(value) not in _CONFIG.get(name, ()) or not 0 <= value < _LARGEST:
            raise Broken(_POLICY, f"the config has no field {name!r:.40} of this kind")
    return config


def _refused(text: str) -> Refused:
    return Refused(400, "BAD_REQUEST", text)


async def _send(websocket: WebSocket, message: JSON) -> None:
    """Sends a message; a browser that does not read is cut off by `guard.connections`."""
    await websocket.send_json(message)


async def _close(websocket: WebSocket, code: int, error: JSON) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it has left
        await _send(websocket, {"type": "error", "error": error})
        reason = error["message"].encode()[:_MAX_REASON_BYTES].decode(errors="ignore")
        await websocket.close(code, reason)
