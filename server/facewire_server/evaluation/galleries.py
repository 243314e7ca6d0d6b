"""Galleries of an evaluation: the running configuration's store, search and decisions."""

import uuid
from collections.abc import Sequence
from itertools import count
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facewire_server.evaluation.identification import Gallery
from facewire_server.galleries.ports import Enrollments, GalleryAdmin
from facewire_server.galleries.records import EnrollmentResult, NewIdentity
from facewire_server.pipeline.match import candidates_needed, decisions
from facewire_server.types import Decision, DecisionPolicy

__all__ = ["Galleries"]


class Store(Enrollments, GalleryAdmin, Protocol):
    """The calls that an evaluation needs."""


class Galleries:
    """Makes galleries in one storage.

    Attributes:
        storage: of the galleries; their identities are numbers, so no name is written.
    """

    def __init__(self, storage: Store, policy: DecisionPolicy) -> None:
        """Takes the storage, and the policy of a request that sets none."""
        self.storage = storage
        self._policy = policy
        self._numbers = count(1)

    async def new(self) -> Gallery:
        """Returns an empty gallery."""
        gallery_id = f"evaluation-{next(self._numbers)}"
        await self.storage.create_gallery(gallery_id, "")

        async def enroll(person: int, templates: NDArray[np.float32]) -> None:
            who = NewIdentity(str(person), create=True)
            results = [EnrollmentResult(uuid.uuid4().hex) for _ in templates]
            await self.storage.enroll(gallery_id, who, results, templates)

        async def decide(probes: NDArray[np.float32]) -> Sequence[Decision]:
            needed = candidates_needed(self._policy)
            found = await self.storage.search(gallery_id, probes, needed)
            return decisions(found, np.ones(len(probes), np.bool_), self._policy)

        return Gallery(enroll, decide)
