"""The token matrix: every method, called with every role on a real server, for the caller's own gallery and for another one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import grpc

from facewire_server.access.roles import Role
from facewire_server.rpc.services import METHODS
from harness.roles import Outcome, bearer, called, with_token
from harness.running import running_server

__all__ = ["NO_GALLERY", "NO_TOKEN", "OTHER", "OWN", "Cell", "matrix"]

NO_TOKEN: Final = "no token"
"""In the place of a role: the call has no token."""

OWN: Final = "staff"
"""The gallery that each token is limited to."""

OTHER: Final = "guests"
"""A gallery that no token is for."""

NO_GALLERY: Final = ""
"""Of a method that is not for a gallery."""

_CREATE: Final = "/facewire.v1.GalleryService/CreateGallery"


class Cell(NamedTuple):
    """One call of the matrix.

    Attributes:
        path: of the method.
        role: of the token; or NO_TOKEN.
        gallery: OWN, OTHER or NO_GALLERY.
        outcome: how the call ended.
    """

    path: str
    role: str
    gallery: str
    outcome: Outcome

    @property
    def is_allowed(self) -> bool:
        """Whether the call reached the method, which may have refused it for another reason."""
        refusals = (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED)
        return self.outcome.code not in refusals


def matrix(folder: Path) -> list[Cell]:
    """Starts a server with a token for each role, and makes every call; each finds both galleries.

    Args:
        folder: of the file of tokens.
    """
    file = folder / "tokens"
    every = with_token(file, "all", *Role)
    own = frozenset({OWN})
    tokens = {
        NO_TOKEN: "",
        **{role.value: with_token(file, role.value, role, galleries=own) for role in Role},
    }
    with running_server(token_file=file) as server, server.channel() as channel:
        return list(_cells(channel, every, tokens))


def _cells(channel: grpc.Channel, every: str, tokens: dict[str, str]) -> Iterator[Cell]:
    for path, method in METHODS.items():
        is_for_gallery = (
            "gallery_id" in method.input_type.fields_by_name or method.name == "StreamRecognize"
        )
        for role, token in tokens.items():
            for gallery in (OWN, OTHER) if is_for_gallery else (NO_GALLERY,):
                for needed in (OWN, OTHER):  # the call before may have deleted it
                    called(channel, _CREATE, bearer(every), needed)
                sent = bearer(token) if token else ()
                yield Cell(path, role, gallery, called(channel, path, sent, gallery))
