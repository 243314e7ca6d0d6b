"""What the console's token may do at the server: found out by calls that change nothing, and kept for a moment."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from facewire import (
    AsyncClient,
    AuthenticationError,
    ErrorReason,
    FacewireError,
    Feature,
    NotSupportedError,
    TrackState,
)

__all__ = ["Permissions", "Permitted"]

_KEPT_S: Final = 10.0
"""Seconds for which an outcome is kept: pages ask every few seconds. Chosen, not measured."""

_MAX_GALLERIES: Final = 100
"""Galleries whose outcome is kept: a page uses one. Chosen, not measured."""

_NO_ONE: Final = 2**53 - 1
"""A track and an unknown person that there are not: the largest id that the contract allows."""

_TOO_MANY: Final = 101
"""Findings that no one may ask for, so that nothing is compared."""

_NO_CROPS: Final = "the server keeps no pictures of tracks (keep_crops)"

_NO_UNKNOWN: Final = "the server keeps no unknown people (keep_unknown_hours)"


@dataclass(frozen=True, slots=True)
class Permitted:
    """What a token may do with a gallery.

    Attributes:
        may: action -> whether it is allowed.
        missing: action that is not allowed -> why, for people: the role that is missing.
    """

    may: dict[str, bool] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)


class Permissions:
    """Asks the server, once in a while."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._kept: OrderedDict[str, tuple[float, Permitted]] = OrderedDict()

    async def of(self, gallery: str) -> Permitted:
        """Returns what the token may do with a gallery.

        Raises:
            FacewireError: the server cannot be asked.
        """
        until, permitted = self._kept.get(gallery, (0.0, Permitted()))
        if until > time.monotonic():
            return permitted
        permitted = await self._asked(gallery)
        self._kept[gallery] = (time.monotonic() + _KEPT_S, permitted)
        self._kept.move_to_end(gallery)
        while len(self._kept) > _MAX_GALLERIES:
            self._kept.popitem(last=False)
        return permitted

    async def _asked(self, gallery: str) -> Permitted:
        client = self._client
        info = await client.server_info()
        # The server checks the role before it looks at a request: an empty picture, a track that is not there
        # and one person for two cost nothing, and are refused for what they are if the role is there.
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "recognize": lambda: client.recognize(b"", gallery=gallery),
            "read_people": lambda: client.gallery(gallery),
            "change_people": lambda: client.delete_template("0" * 32, gallery=gallery),
            "see_crops": lambda: client.track_crop(_NO_ONE),
            "watch_events": lambda: _first_event(client),
            "correct": lambda: client.merge_identities("-", "-", gallery=gallery),
            "check_gallery": lambda: client.check_gallery(gallery=gallery, max_findings=_TOO_MANY),
        }
        keeps_unknown = info.has(Feature.UNKNOWN_PEOPLE) is True
        if keeps_unknown:
            calls["forget_unknown"] = lambda: client.forget_unknown(_NO_ONE, gallery=gallery)
        refusals = dict(
            zip(calls, await asyncio.gather(*map(_refusal, calls.values())), strict=True)
        )
        change = refusals.pop("change_people")
        refusals |= dict.fromkeys(("enroll", "rename", "delete"), change)
        refusals |= dict.fromkeys(("merge", "split"), refusals.pop("correct"))
        # Of unknown people: who watches may list them, and who may see a crop and enroll may see and name them.
        refusals["list_unknown"] = refusals["watch_events"]
        refusals["name_unknown"] = refusals["see_crops"] or change
        if not keeps_unknown:
            unknown = ("list_unknown", "name_unknown", "forget_unknown")
            refusals |= dict.fromkeys(unknown, _NO_UNKNOWN)
        if not refusals["see_crops"] and info.has(Feature.TRACK_CROPS) is not True:
            refusals["see_crops"] = _NO_CROPS
        return Permitted(
            {action: not why for action, why in refusals.items()},
            {action: why for action, why in refusals.items() if why},
        )


async def _first_event(client: AsyncClient) -> None:
    feed = client.watch_tracks(kept_only=True, states=[TrackState.ENDED], cameras=["-"])
    async with feed:
        pass


async def _refusal(call: Callable[[], Awaitable[object]]) -> str:
    """Returns why a call is not allowed; "" if it is."""
    try:
        await call()
    except AuthenticationError as error:
        return str(error)
    except FacewireError as error:
        if isinstance(error, NotSupportedError) and error.reason is ErrorReason.UNSPECIFIED:
            return str(error)  # gRPC's UNIMPLEMENTED: an older server has not every method
        if error.reason is ErrorReason.UNSPECIFIED or error.retryable:
            raise  # the server is away: nothing is known
    return ""
