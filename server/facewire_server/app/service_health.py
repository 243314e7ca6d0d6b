"""Which services are SERVING, by the state of the models and of the gallery's storage."""

import asyncio
from typing import Final, NoReturn

from facewire_server.backends.lmdb_gallery import LmdbGallery
from facewire_server.events import Emit, GalleryStateChanged
from facewire_server.rpc.health import HEALTH_NAMES, HealthServicer

__all__ = ["ServiceHealth"]

_RECOGNITION: Final = "facewire.v1.RecognitionService"
_GALLERY: Final = "facewire.v1.GalleryService"

_CHECK_EVERY_S: Final = 1.0
"""Seconds between two looks at the storage's state. Chosen, not measured."""


class ServiceHealth:
    """Sets the health of the services.

    * The process serves from the first call on.
    * `RecognitionService` serves while the models are ready, no gallery is known to be damaged, and the file of all
      galleries is whole.
    * `GalleryService` serves while writes can begin, and the same holds for galleries and file. Its reads, and the searches
      of `RecognitionService`, wait for no write.
    """

    def __init__(self, health: HealthServicer, *, models_ready: bool) -> None:
        """Starts; a service is SERVING from here on, if nothing is known against it."""
        self._health = health
        self._models_ready = models_ready
        self._storage = GalleryStateChanged(is_writable=True, damaged_galleries=())
        for name in HEALTH_NAMES:
            health.set(name, name != _RECOGNITION or models_ready)

    def set_models_ready(self, ready: bool) -> None:
        """Takes whether all models are ready."""
        self._models_ready = ready
        self._set()

    async def watch(self, gallery: LmdbGallery, emit: Emit) -> NoReturn:
        """Looks at the gallery's state every second; emits each change. Never returns."""
        while True:
            state = _state(gallery)
            if state != self._storage:
                self._storage = state
                self._set()
                emit(state)
            await asyncio.sleep(_CHECK_EVERY_S)

    def _set(self) -> None:
        is_sound = self._storage.is_whole and not self._storage.damaged_galleries
        self._health.set(_RECOGNITION, self._models_ready and is_sound)
        self._health.set(_GALLERY, self._storage.is_writable and is_sound)


def _state(gallery: LmdbGallery) -> GalleryStateChanged:
    return GalleryStateChanged(
        not gallery.is_write_blocked, gallery.damaged_galleries, is_whole=gallery.is_whole
    )
