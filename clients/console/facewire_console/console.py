"""What all doors share: the one client of the server, and what hangs on it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import HTTPConnection

import facewire
from facewire import AsyncClient
from facewire_console.cameras import Cameras
from facewire_console.guard.held import HeldBytes
from facewire_console.metrics import Metrics
from facewire_console.permissions import Permissions
from facewire_console.settings import Settings
from facewire_console.sightings import Sightings

__all__ = ["Console", "console_of", "gallery_of", "opened"]


@dataclass(frozen=True, slots=True)
class Console:
    """One console, while it runs.

    Attributes:
        settings: what it was started with.
        client: of the server.
        permissions: what the console's token may do.
        sightings: the track events of all cameras.
        cameras: the streams of cameras that post frames.
        held: memory of bodies and frames.
        metrics: what the server's page of metrics says.
    """

    settings: Settings
    client: AsyncClient
    permissions: Permissions
    sightings: Sightings
    cameras: Cameras
    held: HeldBytes
    metrics: Metrics

    async def delete_identity(self, identity_id: str, gallery: str) -> None:
        """Deletes a person, of whom the console forgets at once what it has kept.

        Raises:
            FacewireError: of the client.
        """
        try:
            await self.client.delete_identity(identity_id, gallery=gallery)
        except facewire.NotFoundError:
            raise  # if another client has merged the person, the events are about someone else now
        except BaseException:  # it is not known whether the server has done it
            self.sightings.forget(gallery, identity_id)
            raise
        self.sightings.forget(gallery, identity_id)


def console_of(connection: HTTPConnection) -> Console:
    """Returns the console that a request or a WebSocket came to."""
    console: Console = connection.app.state.console
    return console


def gallery_of(connection: HTTPConnection) -> str:
    """Returns the gallery that a request names, or the console's own."""
    return connection.query_params.get("gallery") or console_of(connection).settings.gallery


@contextlib.asynccontextmanager
async def opened(settings: Settings, held: HeldBytes) -> AsyncIterator[Console]:
    """Opens the client, and watches the events, until the block ends. The server need not be there."""
    token = None
    if settings.server_token_file is not None:
        token = facewire.TokenFile(settings.server_token_file)
    async with AsyncClient(
        settings.server,
        token=token,
        tls=settings.server_tls,
        root_certificates=settings.server_tls_ca,
    ) as client:
        sightings = Sightings(client)
        cameras = Cameras(client, settings.max_cameras)
        watching = asyncio.create_task(sightings.watch())
        try:
            permissions, metrics = Permissions(client), Metrics(settings.server_metrics)
            yield Console(settings, client, permissions, sightings, cameras, held, metrics)
        finally:
            watching.cancel()
            await cameras.close()
            await asyncio.gather(watching, return_exceptions=True)
