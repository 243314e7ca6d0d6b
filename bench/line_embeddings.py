"""Embeddings of many people, made by the server's own line in this process, once.

The line is built as the server builds it, with its gates, before a gallery that records what it is given: the templates of
an enrollment, and the probes of a recognition.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.report import progress
from facewire_server.app.capacity import (
    line_threads,
    work,
)
from facewire_server.app.line import Line, join_line
from facewire_server.app.values import (
    read_model_contract,
    request_defaults,
)
from facewire_server.configuration.settings import Settings
from facewire_server.galleries.records import (
    Enrollment,
    EnrollmentResult,
    NewIdentity,
    Presence,
    SearchResult,
)
from facewire_server.models import open_models
from facewire_server.rpc.options import RequestDefaults
from facewire_server.types import DecisionPolicy, Face, FaceSelection, Outcome, Picture, Recognition
from harness import REPOSITORY

__all__ = ["EmbeddingLine", "People", "Shot", "default_policy", "embed", "embedding_line"]

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

    def change_count(self) -> int:
        return 0

    async def presence(self, gallery_id: str, identity_ids: Collection[str] = ()) -> Presence:
        return Presence(0, frozenset())

    async def check_searchable(self, gallery_id: str) -> None: ...

    async def mean_templates(self, gallery_id: str, template_id: str) -> tuple[str, ...]:
        return (template_id,)

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


class Shot(NamedTuple):
    """A face as a probe.

    Attributes:
        embedding: (d,) float32 of unit length.
        norm: of the embedding before it was normalized.
        inter_eye_px: distance of the eyes in the picture.
    """

    embedding: NDArray[np.float32]
    norm: float
    inter_eye_px: float


class EmbeddingLine:
    """The server's line before a gallery that keeps what it is given."""

    def __init__(self, line: Line, recorder: _Recorder, defaults: RequestDefaults) -> None:
        """Takes the line; use `embedding_line`."""
        self._line = line
        self._recorder = recorder
        self._defaults = defaults

    async def templates(self, name: str, pictures: Sequence[bytes]) -> NDArray[np.float32]:
        """Enrolls a person; returns the templates, (n, d) float32 of unit length, of the pictures that were accepted."""
        await self._line.enroller.enroll(
            "default",
            NewIdentity(name, create=True),
            [Picture(data) for data in pictures],
            FaceSelection.MOST_CENTRAL,
            self._defaults.picture,
        )
        return self._recorder.rows

    async def probe(self, picture: bytes) -> Shot | None:
        """Returns the most central face: of a picture of LFW, the person who is labeled; None if it is TOO_POOR or none was found."""
        seen = await self._line.recognizer.recognize(
            Picture(picture), "default", self._defaults.picture, self._defaults.decision
        )
        return _central(seen, self._recorder.rows)


@asynccontextmanager
async def embedding_line() -> AsyncIterator[EmbeddingLine]:
    """Opens the models and joins the line at the server's default settings."""
    contract = read_model_contract(_SETTINGS.model_contract)
    recorder = _Recorder(contract.dimension)
    with ThreadPoolExecutor(line_threads(_THREADS)) as threads:
        async with open_models(contract, folder=_SETTINGS.models, threads=_THREADS) as models:
            shared = work(_SETTINGS, _THREADS, is_served=False)
            line = join_line(_SETTINGS, contract, models, recorder, shared, threads)
            yield EmbeddingLine(line, recorder, request_defaults(_SETTINGS, contract))


async def _embed(pictures: Mapping[str, Sequence[Path]]) -> People:
    templates: list[NDArray[np.float32] | None] = []
    probes: list[NDArray[np.float32] | None] = []
    async with embedding_line() as line:
        for name, (first, *others) in progress(pictures.items(), "people", len(pictures)):
            rows = await line.templates(name, [first.read_bytes()])
            templates.append(rows[0] if len(rows) else None)
            shot = await line.probe((others or [first])[0].read_bytes())
            probes.append(shot.embedding if shot else None)
    return People(
        tuple(pictures),
        _stacked(templates),
        _stacked(probes),
        np.array([row is not None for row in templates]),
        np.array([row is not None for row in probes]),
        np.array([len(files) > 1 for files in pictures.values()]),
    )


def _central(seen: Recognition, probes: NDArray[np.float32]) -> Shot | None:
    if not seen.faces:
        return None
    middle = np.array([seen.width_px, seen.height_px]) / 2
    distances = [
        np.linalg.norm(face.box.reshape(2, 2).mean(axis=0) - middle) for face in seen.faces
    ]
    chosen = seen.faces[int(np.argmin(distances))]
    searched = [face for face in seen.faces if _is_searched(face)]
    rows = [row for face, row in zip(searched, probes, strict=True) if face is chosen]
    quality = chosen.quality
    return Shot(rows[0], quality.embedding_norm, quality.inter_eye_px) if rows else None


def _is_searched(face: Face) -> bool:
    return face.decision is not None and face.decision.outcome is not Outcome.TOO_POOR


def _stacked(rows: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float32]:
    dimension = max(len(row) for row in rows if row is not None)
    return np.stack([np.zeros(dimension, np.float32) if row is None else row for row in rows])
