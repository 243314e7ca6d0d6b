"""Which services are SERVING, by the state of the models and of the gallery's storage, in all workers of a server."""

import asyncio
from typing import Final, NoReturn

from facewire_server.app.membership import SharedHealth
from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.events import Emit, GalleryStateChanged
from facewire_server.rpc.health import HEALTH_NAMES, HealthServicer

__all__ = ["ServiceHealth"]

_RECOGNITION: Final = "facewire.v1.RecognitionService"
_GALLERY: Final = "facewire.v1.GalleryService"

_BITS: Final = {_RECOGNITION: 1, _GALLERY: 2}
"""Of the services, as workers show each other which of them they serve."""

_ALL: Final = 3
"""Both."""

_CHECK_EVERY_S: Final = 1.0
"""Seconds between two looks at the storage's state, and at the other workers. Chosen, not measured."""


class ServiceHealth:
    """Sets the health of the services.

    * The process serves from the first call on.
    * `RecognitionService` serves while the models are ready, no gallery is known to be damaged, and the file of all
      galleries is whole.
    * `GalleryService` serves while writes can begin, and the same holds for galleries and file. Its reads, and the searches
      of `RecognitionService`, wait for no write.
    * Of several workers a service serves while it does in all that take calls, whichever of them is asked: a new connection may reach each.
    """

    def __init__(
        self,
        health: HealthServicer,
        *,
        models_ready: bool,
        workers: SharedHealth | None = None,
    ) -> None:
        """Starts; a service is SERVING from here on, if nothing is known against it.

        Args:
            health: what is set.
            models_ready: all models are ready.
            workers: this process is one of several.
        """
        self._health = health
        self._models_ready = models_ready
        self._workers = workers
        self._storage = GalleryStateChanged(is_writable=True, damaged_galleries=())
        self._elsewhere = _ALL
        for name in HEALTH_NAMES:
            health.set(name, name not in _BITS)
        self._set()

    def set_models_ready(self, ready: bool) -> None:
        """Takes whether all models are ready."""
        self._models_ready = ready
        self._set()

    async def watch(self, gallery: LmdbGallery, emit: Emit) -> NoReturn:
        """Looks at the gallery's state, and at the other workers, every second; emits each change of the gallery's. Never returns."""
        while True:
            state = _state(gallery)
            elsewhere = _ALL if self._workers is None else self._workers.health_elsewhere(_ALL)
            if (state, elsewhere) != (self._storage, self._elsewhere):
                is_changed = state != self._storage
                self._storage, self._elsewhere = state, elsewhere
                self._set()
                if is_changed:
                    emit(state)
            await asyncio.sleep(_CHECK_EVERY_S)

    def _set(self) -> None:
        is_sound = self._storage.is_whole and not self._storage.damaged_galleries
        own = _BITS[_RECOGNITION] * (self._models_ready and is_sound)
        own |= _BITS[_GALLERY] * (self._storage.is_writable and is_sound)
        if self._workers is not None:
            self._workers.publish_health(own)
        for name, bit in _BITS.items():
            self._health.set(name, bool(own & self._elsewhere & bit))


def _state(gallery: LmdbGallery) -> GalleryStateChanged:
    return GalleryStateChanged(
        not gallery.is_write_blocked, gallery.damaged_galleries, is_whole=gallery.is_whole
    )
