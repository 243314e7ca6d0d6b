"""The part of the blocking client that is about cameras: streams, what happened before cameras, who follows them."""

import os
import threading
import weakref
from collections.abc import Iterable
from typing import TypeVar

from facewire._sync.camera_follower import CameraFollower
from facewire._sync.gallery_client import GalleryClient
from facewire._sync.stream import Stream
from facewire._sync.track_feed import TrackFeed
from facewire._values.enums import FramePolicy, ResponseDetail, TrackState
from facewire._values.options import (
    DECISION_DEFAULTS,
    DETECTION_DEFAULTS,
    DecisionPolicy,
    DetectionOptions,
)
from facewire._values.pictures import Frame, Picture, is_live, policy_of, rotation_of
from facewire._values.tracks import TrackCrop
from facewire._wire import requests
from facewire._wire.address import Address
from facewire._wire.reopening import OnReopen, Reopening

__all__ = ["CameraClient"]

T = TypeVar("T", bound="Stream | TrackFeed | CameraFollower")


class CameraClient(GalleryClient):
    """Streams, feeds and followers; all end with the client."""

    def __init__(self, address: Address, *, timeout_s: float) -> None:
        super().__init__(address, timeout_s=timeout_s)
        self._streams: weakref.WeakSet[Stream | TrackFeed | CameraFollower] = weakref.WeakSet()
        self._changing = threading.Lock()  # guards the set and `_closed`

    def close(self) -> None:
        """Ends the connection, every call, stream and feed. May be called again, and by any thread."""
        with self._changing:
            super().close()
            streams = list(self._streams)
        for stream in streams:
            stream.close()

    def stream(
        self,
        frames: Iterable[Picture | Frame],
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
    ) -> Stream:
        """Recognizes the frames of a camera or a film, one after the other.

        Iterate over what it returns; see `Stream`. The stream opens with its first use, in both
        clients: a method of asyncio that is not awaited cannot wait for a server. So all errors below
        but TypeError and ValueError are raised by the first use.

        Args:
            frames: pictures, or `Frame`s with the time of their capture; or a `Camera`. Pulled
                from another thread, one at a time, and never more than the server's credit
                allows. Its method `advise`, if there is one, is called with the server's `Advice`.
            camera: the camera, in the operator's words. At most 128 bytes.
            rotation_degrees: of a camera that hangs turned: the clockwise turn that makes its pictures
                upright, 0, 90, 180 or 270. Sizes, boxes and landmarks of results are those of the upright
                picture. Default: the attribute of this name of `frames`, as a `Camera` has it, or 0.
            gallery: the gallery to search.
            policy: what happens to frames that come too fast. Default: by the attribute `every_frame` of `frames`, or
                `live`, as a `Camera` has them: a film's frames are all wanted, of a camera the newest; of other frames the newest.
            decision: when a face counts as recognized.
            detection: what counts as a face.
            max_candidates: the best identities to list for each face. Range [0, 20].
            detail: which results are sent: with EVENTS_ONLY those of frames have no faces.
            search_interval_ms: time between two searches of the whole picture, milliseconds; in between known faces are
                followed. 1: every frame is searched. Range [1, 60000]. Default: the server's, 1000.
            explain: return with the decision of each face of a frame why it is so: `Decision.judgment`.
            reopen: go on with a new stream if the server ends this one or is lost; see `Stream`. It is
                also waited for if the server has no place at the start. Default: the attribute
                `live` of `frames`, as a `Camera` has it, or no.
            on_reopen: called with the error and the seconds until the next attempt, before that pause.

        Raises:
            NotFoundError: no such gallery.
            ContractMismatchError: the gallery was made with another model.
            LimitError: the server has as many streams as it allows.
            NotSupportedError: the server does not know EVENTS_ONLY.
            TypeError: `frames` are not iterable, or are one picture.
            ValueError: the client is closed.
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
        stream = Stream(
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
    ) -> TrackFeed:
        """Returns the feed of the track events of all cameras: who comes and goes, as it happens.

        Iterate over what it returns; see `TrackFeed`. It opens with its first use.

        Args:
            cameras: only of these, by the names that their streams have. Default: of all. At most 64.
            identities: only of these. Default: of all. At most 64.
            states: only of these. Default: of all.
            after_event: only events after this one, the `event_id` of the last one that was processed; 1 for all that are
                kept. Default: from now on.
            kept_only: end after the events that are kept now.
            on_reopen: called with the error and the seconds until the next attempt, before that pause.
            timeout_s: the limit of its opening, seconds.

        Raises:
            NotSupportedError: the server has no such feed.
            TypeError: a filter is one text.
            ValueError: the client is closed.
        """
        feed = TrackFeed(
            self._address,
            requests.watch_tracks(cameras, identities, states, after_event, kept_only=kept_only),
            timeout_s=self._timeout_s if timeout_s is None else timeout_s,
            reopening=Reopening(is_wanted=True, note=on_reopen, renew=self._address.renew),
        )
        return self._kept(feed)

    def track_crop(self, track_id: int, *, timeout_s: float | None = None) -> TrackCrop:
        """Returns the best picture of a track's face: to look at, or to enroll.

        Raises:
            NotFoundError: no such track, or its picture is no longer kept, or its person was deleted.
            NotSupportedError: the operator does not allow pictures to be kept, or the server has no tracks.
        """
        return self._run(requests.track_crop(track_id), timeout_s)

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
    ) -> CameraFollower:
        """Follows a camera for as long as it runs, and returns the events of the people in front of it.

        Iterate over what it returns; see `CameraFollower`. It opens with its first use. Needs the extra
        `facewire[video]`. The camera obeys the server's advice: fewer or smaller frames while the server is busy.

        Args:
            source: a device's number or path, an address (rtsp://..., http://...), or a film.
            camera: the camera's name, which events carry, and which no other stream of the server may have.
            gallery: the gallery to search.
            decision: when a face counts as recognized.
            detection: what counts as a face.
            rotation_degrees: of a camera that hangs turned; see `stream`.
            search_interval_ms: time between two searches of the whole picture; see `stream`.
            on_reopen: called with the error and the seconds until the next attempt, before that pause.
            timeout_s: the limit of each opening of the stream, seconds.

        Raises:
            ModuleNotFoundError: the extra is not installed.
            ValueError: the client is closed, or `camera` is empty.
        """
        from facewire.video import Camera  # of an extra

        if not camera:
            raise ValueError("a camera that is followed needs a name: its events carry it")
        limit_s = self._timeout_s if timeout_s is None else timeout_s

        def stream(frames: Camera) -> Stream:
            config = requests.stream_config(
                camera, gallery, policy_of(frames), decision, detection, 0, rotation_degrees,
                ResponseDetail.EVENTS_ONLY, search_interval_ms, explain=False,
            )  # fmt: skip
            reopening = Reopening(
                is_wanted=True, note=on_reopen, from_start=True, renew=self._address.renew
            )
            return Stream(self._address, config, frames, timeout_s=limit_s, reopening=reopening)

        def kept_events(after_event: int) -> TrackFeed:
            request = requests.watch_tracks([camera], (), (), after_event, kept_only=True)
            reopening = Reopening(
                is_wanted=True, note=None, from_start=True, renew=self._address.renew
            )
            return TrackFeed(self._address, request, timeout_s=limit_s, reopening=reopening)

        return self._kept(CameraFollower(lambda: Camera(source), stream, kept_events))

    def _kept(self, opened: T) -> T:
        """Returns what is to be closed with this client.

        Raises:
            ValueError: the client is closed.
        """
        with self._changing:
            if self._closed.is_set():
                raise ValueError("this client is closed")
            self._streams.add(opened)
        return opened
