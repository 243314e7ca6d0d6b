"""The part of the client for asyncio that is about cameras: streams, what happened before cameras, who follows them."""

import os
import weakref
from collections.abc import Iterable
from typing import TypeVar

from facewire._aio.camera_follower import AsyncCameraFollower
from facewire._aio.feed import Frames
from facewire._aio.gallery_client import AsyncGalleryClient
from facewire._aio.stream import AsyncStream
from facewire._aio.track_feed import AsyncTrackFeed
from facewire._values.enums import FramePolicy, ResponseDetail, TrackState
from facewire._values.options import (
    DECISION_DEFAULTS,
    DETECTION_DEFAULTS,
    DecisionPolicy,
    DetectionOptions,
)
from facewire._values.pictures import is_live, policy_of, rotation_of
from facewire._values.tracks import TrackCrop
from facewire._wire import requests
from facewire._wire.address import Address
from facewire._wire.reopening import OnReopen, Reopening

__all__ = ["AsyncCameraClient"]

T = TypeVar("T", bound="AsyncStream | AsyncTrackFeed | AsyncCameraFollower")


class AsyncCameraClient(AsyncGalleryClient):
    """Streams, feeds and followers; all end with the client."""

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        super().__init__(address, timeout_s=timeout_s)
        self._streams: weakref.WeakSet[AsyncStream | AsyncTrackFeed | AsyncCameraFollower] = (
            weakref.WeakSet()
        )

    async def close(self) -> None:
        """Ends the connection, every call, stream and feed. May be called again."""
        self._closed = True
        for stream in list(self._streams):
            await stream.close()
        await super().close()

    def stream(
        self,
        frames: Frames,
        *,
        camera: str = "",
        gallery: str = "default",
        policy: FramePolicy = FramePolicy.UNSPECIFIED,
        decision: DecisionPolicy = DECISION_DEFAULTS,
        detection: DetectionOptions = DETECTION_DEFAULTS,
        max_candidates: int = 0,
        rotation_degrees: int | None = None,
        detail: ResponseDetail = ResponseDetail.UNSPECIFIED,
        search_interval_ms: int = 0,
        explain: bool = False,
        reopen: bool | None = None,
        on_reopen: OnReopen | None = None,
        timeout_s: float | None = None,
    ) -> AsyncStream:
        """Recognizes the frames of a camera or a film. See `Client.stream`.

        Frames may be of either kind of iterator.
        """
        config = requests.stream_config(
            camera,
            gallery,
            policy_of(frames) if policy is FramePolicy.UNSPECIFIED else policy,
            decision,
            detection,
            max_candidates,
            rotation_of(frames) if rotation_degrees is None else rotation_degrees,
            detail,
            search_interval_ms,
            explain=explain,
        )
        stream = AsyncStream(
            self._address,
            config,
            frames,
            timeout_s=self._timeout_s if timeout_s is None else timeout_s,
            reopening=Reopening(
                renew=self._address.renew,
                is_wanted=is_live(frames) if reopen is None else reopen,
                note=on_reopen,
            ),
        )
        return self._kept(stream)

    def watch_tracks(
        self,
        *,
        cameras: Iterable[str] = (),
        identities: Iterable[str] = (),
        states: Iterable[TrackState] = (),
        after_event: int = 0,
        kept_only: bool = False,
        on_reopen: OnReopen | None = None,
        timeout_s: float | None = None,
    ) -> AsyncTrackFeed:
        """Returns the feed of the track events of all cameras. See `Client.watch_tracks`."""
        feed = AsyncTrackFeed(
            self._address,
            requests.watch_tracks(cameras, identities, states, after_event, kept_only=kept_only),
            timeout_s=self._timeout_s if timeout_s is None else timeout_s,
            reopening=Reopening(is_wanted=True, note=on_reopen, renew=self._address.renew),
        )
        return self._kept(feed)

    async def track_crop(self, track_id: int, *, timeout_s: float | None = None) -> TrackCrop:
        """Returns the best picture of a track's face. See `Client.track_crop`."""
        return await self._run(requests.track_crop(track_id), timeout_s)

    def follow_camera(
        self,
        source: int | str | os.PathLike[str],
        *,
        camera: str,
        gallery: str = "default",
        decision: DecisionPolicy = DECISION_DEFAULTS,
        detection: DetectionOptions = DETECTION_DEFAULTS,
        rotation_degrees: int = 0,
        search_interval_ms: int = 0,
        on_reopen: OnReopen | None = None,
        timeout_s: float | None = None,
    ) -> AsyncCameraFollower:
        """Follows a camera. See `Client.follow_camera`."""
        from facewire.video import Camera  # of an extra

        if not camera:
            raise ValueError("a camera that is followed needs a name: its events carry it")
        limit_s = self._timeout_s if timeout_s is None else timeout_s

        def stream(frames: Camera) -> AsyncStream:
            config = requests.stream_config(
                camera, gallery, policy_of(frames), decision, detection, 0, rotation_degrees,
                ResponseDetail.EVENTS_ONLY, search_interval_ms, explain=False,
            )  # fmt: skip
            reopening = Reopening(
                is_wanted=True, note=on_reopen, from_start=True, renew=self._address.renew
            )
            return AsyncStream(
                self._address, config, frames, timeout_s=limit_s, reopening=reopening
            )

        def kept_events(after_event: int) -> AsyncTrackFeed:
            request = requests.watch_tracks([camera], (), (), after_event, kept_only=True)
            reopening = Reopening(
                is_wanted=True, note=None, from_start=True, renew=self._address.renew
            )
            return AsyncTrackFeed(self._address, request, timeout_s=limit_s, reopening=reopening)

        return self._kept(AsyncCameraFollower(lambda: Camera(source), stream, kept_events))

    def _kept(self, opened: T) -> T:
        """Returns what is to be closed with this client.

        Raises:
            ValueError: the client is closed.
        """
        if self._closed:
            raise ValueError("this client is closed")
        self._streams.add(opened)
        return opened
