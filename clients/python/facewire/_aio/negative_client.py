"""The part of the asyncio client for negative examples."""

from collections.abc import AsyncIterator

from facewire._aio.running import AsyncCalls
from facewire._aio.threads import read_if_path
from facewire._values.enums import FaceSelection
from facewire._values.negatives import AddedNegativeExample, NegativeExample
from facewire._values.options import DETECTION_DEFAULTS, DetectionOptions
from facewire._values.pictures import Picture
from facewire._wire import negative_requests

__all__ = ["AsyncNegativeClient"]


class AsyncNegativeClient(AsyncCalls):
    """Methods for negative examples; each may raise what those of `Client` raise."""

    async def add_negative_example(
        self,
        identity_id: str,
        picture: Picture,
        *,
        gallery: str = "default",
        selection: FaceSelection = FaceSelection.UNSPECIFIED,
        source: str = "",
        detection: DetectionOptions = DETECTION_DEFAULTS,
        timeout_s: float | None = None,
    ) -> AddedNegativeExample:
        """Says that a face is not this person. See `Client.add_negative_example`."""
        return await self._run(
            negative_requests.add_negative_example(
                identity_id, await read_if_path(picture), gallery, selection, source, detection
            ),
            timeout_s,
        )

    def negative_examples(
        self, identity_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> AsyncIterator[NegativeExample]:
        """Lists the negative examples of an identity, oldest first. See `Client.negative_examples`."""
        return self._walk(negative_requests.negative_examples(identity_id, gallery), timeout_s)

    async def delete_negative_example(
        self, negative_example_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> int:
        """Takes back a negative example. See `Client.delete_negative_example`."""
        return await self._run(
            negative_requests.delete_negative_example(negative_example_id, gallery), timeout_s
        )
