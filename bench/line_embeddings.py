"""Embeddings of many people, made by the server's own line in this process, once.

The line is built as the server builds it, with its gates, before a gallery that records what it is given: the templates of
an enrollment, and the probes of a recognition.
"""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.report import progress
from facewire_server.app.line import join_line
from facewire_server.app.values import line_threads, read_model_contract, request_defaults, work
from facewire_server.configuration.settings import Settings
from facewire_server.galleries.records import (
    Enrollment,
    EnrollmentResult,
    NewIdentity,
    SearchResult,
)
from facewire_server.models import open_models
from facewire_server.types import DecisionPolicy, Face, FaceSelection, Outcome, Picture, Recognition
from harness import REPOSITORY

__all__ = ["People", "default_policy", "embed"]

_SETTINGS: Final = Settings(models=REPOSITORY / "models", frame_timeout_s=600.0)
_THREADS: Final = 2
"""Threads of the line and of each model; the embeddings do not depend on them."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """n people, each with a template and a probe of another picture, as far as the line took them.

    Attributes:
        names: of the people.
        templates: (n, d) float32 of unit length.
        probes: (n, d) float32 of unit length; zeros if the face was TOO_POOR or none was found.
        is_enrolled: (n,) bool: the line made a template.
        is_comparable: (n,) bool: the line made a probe.
        is_mated: (n,) bool: the probe is of another picture than the template.
    """

    names: tuple[str, ...]
    templates: NDArray[np.float32]
    probes: NDArray[np.float32]
    is_enrolled: NDArray[np.bool_]
    is_comparable: NDArray[np.bool_]
    is_mated: NDArray[np.bool_]

    def save(self, path: Path) -> None:
        """Writes everything to an .npz file."""
        np.savez(
            path,
            names=np.array(self.names),
            templates=self.templates,
            probes=self.probes,
            is_enrolled=self.is_enrolled,
            is_comparable=self.is_comparable,
            is_mated=self.is_mated,
        )

    @classmethod
    def load(cls, path: Path) -> "People":
        """Reads what `save` wrote."""
        with np.load(path) as held:
            parts = {name: held[name] for name in held.files if name != "names"}
            return cls(tuple(held["names"].tolist()), **parts)


def default_policy() -> DecisionPolicy:
    """Returns the policy of a request that sets none, at the server's default settings."""
    contract = read_model_contract(_SETTINGS.model_contract)
    return request_defaults(_SETTINGS, contract).decision


def embed(pictures: Mapping[str, Sequence[Path]]) -> People:
    """Embeds each person: the first picture as a template, the second, or else the only one, as a probe."""
    return asyncio.run(_embed(pictures))


class _Recorder:
    """A gallery that finds nothing and keeps what it was given last."""

    def __init__(self, dimension: int) -> None:
        self.rows = np.empty((0, dimension), np.float32)

    async def search(self, gallery_id: str, probes: NDArray[np.float32], k: int) -> SearchResult:
        self.rows = probes
        return SearchResult(0, ((),) * len(probes), 0)

    async def check_searchable(self, gallery_id: str) -> None: ...

    async def remembered_enrollment(
        self, gallery_id: str, request_id: str, fingerprint: bytes
    ) -> None: ...

    async def check_enrollable(self, gallery_id: str, identity: NewIdentity) -> None: ...

    async def enroll(
        self,
        gallery_id: str,
        identity: NewIdentity,
        results: Sequence[EnrollmentResult],
        embeddings: NDArray[np.float32],
        **_: Any,
    ) -> Enrollment:
        self.rows = embeddings
        return Enrollment(tuple(results), 0, 0)


async def _embed(pictures: Mapping[str, Sequence[Path]]) -> People:
    contract = read_model_contract(_SETTINGS.model_contract)
    defaults = request_defaults(_SETTINGS, contract)
    recorder = _Recorder(contract.dimension)
    templates: list[NDArray[np.float32] | None] = []
    probes: list[NDArray[np.float32] | None] = []
    with ThreadPoolExecutor(line_threads(_THREADS)) as threads:
        async with open_models(contract, folder=_SETTINGS.models, threads=_THREADS) as models:
            shared = work(_SETTINGS, _THREADS, is_served=False)
            line = join_line(_SETTINGS, contract, models, recorder, shared, threads)
            for name, (first, *others) in progress(pictures.items(), "people", len(pictures)):
                await line.enroller.enroll(
                    "default",
                    NewIdentity(name, create=True),
                    [Picture(first.read_bytes())],
                    FaceSelection.MOST_CENTRAL,
                    defaults.picture,
                )
                templates.append(recorder.rows[0] if len(recorder.rows) else None)
                probe = Picture((others or [first])[0].read_bytes())
                seen = await line.recognizer.recognize(
                    probe, "default", defaults.picture, defaults.decision
                )
                probes.append(_central(seen, recorder.rows))
    return People(
        tuple(pictures),
        _stacked(templates, contract.dimension),
        _stacked(probes, contract.dimension),
        np.array([row is not None for row in templates]),
        np.array([row is not None for row in probes]),
        np.array([len(files) > 1 for files in pictures.values()]),
    )


def _central(seen: Recognition, probes: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """Returns the probe of the most central face: of a picture of LFW, the person who is labeled."""
    if not seen.faces:
        return None
    middle = np.array([seen.width_px, seen.height_px]) / 2
    distances = [
        np.linalg.norm(face.box.reshape(2, 2).mean(axis=0) - middle) for face in seen.faces
    ]
    chosen = seen.faces[int(np.argmin(distances))]
    searched = [face for face in seen.faces if _is_searched(face)]
    rows = [row for face, row in zip(searched, probes, strict=True) if face is chosen]
    return rows[0] if rows else None


def _is_searched(face: Face) -> bool:
    return face.decision is not None and face.decision.outcome is not Outcome.TOO_POOR


def _stacked(rows: Sequence[NDArray[np.float32] | None], dimension: int) -> NDArray[np.float32]:
    return np.stack([np.zeros(dimension, np.float32) if row is None else row for row in rows])
