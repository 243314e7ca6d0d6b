"""What all cameras of a server share: the steps of the line, and the gallery."""

from dataclasses import dataclass, field

from facewire_server.galleries.ports import LiveSearch
from facewire_server.pipeline.attacks import AttackHints
from facewire_server.pipeline.embed import Embedder
from facewire_server.pipeline.frame import FrameReader
from facewire_server.pipeline.gate import Gate
from facewire_server.streams.unknown import NotKeptUnknown, UnknownVisits
from facewire_server.types import PictureLimits
from facewire_server.work.left_behind import LeftBehind

__all__ = ["CameraLine"]


@dataclass(frozen=True, slots=True)
class CameraLine:
    """The shared parts.

    Attributes:
        reader: opens frames.
        embedder: computes embeddings.
        gallery: to search.
        gate: which faces are TOO_POOR; of size the stream's policy decides.
        limits: of a frame.
        left_behind: frames whose threads go on after their deadline.
        keeps_portraits: whether the operator allows the best picture of each track to be kept.
        unknown: takes the visits of people whom the gallery does not know.
        attacks: looks for presentation attacks; None = nothing does.
    """

    reader: FrameReader
    embedder: Embedder
    gallery: LiveSearch
    gate: Gate
    limits: PictureLimits
    left_behind: LeftBehind
    keeps_portraits: bool = False
    unknown: UnknownVisits = field(default_factory=NotKeptUnknown)
    attacks: AttackHints | None = None
