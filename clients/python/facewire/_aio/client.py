"""The client for asyncio."""

import os
from collections.abc import Iterable

from facewire._aio.camera_client import AsyncCameraClient
from facewire._aio.threads import read_if_path
from facewire._values.enums import FaceSelection
from facewire._values.galleries import EnrollResult
from facewire._values.options import (
    DECISION_DEFAULTS,
    DETECTION_DEFAULTS,
    DecisionPolicy,
    DetectionOptions,
)
from facewire._values.pictures import Picture
from facewire._values.results import Comparison, Health, Recognition
from facewire._values.server_info import ServerInfo
from facewire._wire import enrollment, requests
from facewire._wire.address import Address
from facewire._wire.tokens import TokenSource

__all__ = ["AsyncClient"]


class AsyncClient(AsyncCameraClient):
    """`Client` for asyncio: the same methods with the same arguments, awaited.

        async with facewire.AsyncClient() as client:
            async for result in client.stream(frames, camera="door"):
                print(result)

    `identities`, `galleries`, `templates` and `stream` return asynchronous iterators, for
    `async for`. A call is cancelled with its task. For one event loop, which waits for no
    file: files are read and written in threads, but for certificates, which are read at once.
    Errors and arguments are those of `Client`.
    """

    def __init__(
        self,
        target: str = "127.0.0.1:50051",
        *,
        token: TokenSource | None = None,
        root_certificates: bytes | str | os.PathLike[str] | None = None,
        tls: bool = False,
        client_certificate: str | os.PathLike[str] | None = None,
        client_key: str | os.PathLike[str] | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        address = Address.of(
            target,
            token=token,
            root_certificates=root_certificates,
            tls=tls,
            client_certificate=client_certificate,
            client_key=client_key,
        )
        super().__init__(address, timeout_s=timeout_s)

    async def recognize(
        self,
        picture: Picture,
        *,
        gallery: str = "default",
        decision: DecisionPolicy = DECISION_DEFAULTS,
        detection: DetectionOptions = DETECTION_DEFAULTS,
        max_candidates: int = 0,
        explain: bool = False,
        timeout_s: float | None = None,
    ) -> Recognition:
        """Recognizes every face of one picture. See `Client.recognize`."""
        return await self._run(
            requests.recognize(
                await read_if_path(picture),
                gallery,
                decision,
                detection,
                max_candidates,
                explain=explain,
            ),
            timeout_s,
        )

    async def compare(
        self,
        first: Picture,
        second: Picture,
        *,
        selection: FaceSelection = FaceSelection.UNSPECIFIED,
        decision: DecisionPolicy = DECISION_DEFAULTS,
        detection: DetectionOptions = DETECTION_DEFAULTS,
        timeout_s: float | None = None,
    ) -> Comparison:
        """Compares two pictures: do they show the same person? No gallery is used. See `Client.compare`."""
        return await self._run(
            requests.compare(
                await read_if_path(first),
                await read_if_path(second),
                selection,
                decision,
                detection,
            ),
            timeout_s,
        )

    async def enroll(
        self,
        identity_id: str,
        pictures: Picture | Iterable[Picture],
        *,
        gallery: str = "default",
        display_name: str = "",
        selection: FaceSelection = FaceSelection.UNSPECIFIED,
        source: str = "",
        detection: DetectionOptions = DETECTION_DEFAULTS,
        create_identity: bool = True,
        timeout_s: float | None = None,
    ) -> EnrollResult:
        """Enrolls any number of pictures of one person. See `Client.enroll`."""
        result = await self._carry_out(
            enrollment.enroll(
                identity_id, pictures, gallery, display_name, selection, source, detection,
                create_identity,
            ),
            timeout_s,
        )  # fmt: skip
        enrollment.warn_of_similar(result)
        return result

    async def server_info(self, *, timeout_s: float | None = None) -> ServerInfo:
        """Returns the server's version, model, limits and features. See `Client.server_info`."""
        return await self._run(requests.server_info(), timeout_s)

    async def health(self, *, timeout_s: float | None = None) -> Health:
        """Returns which parts of the server are ready for calls. See `Client.health`."""
        return Health(
            *[await self._run(requests.check_health(name), timeout_s) for name in requests.SERVICES]
        )
