"""Why an enrollment refused a picture: the closed list of words that storage keeps.

A remembered enrollment outlives the code that wrote it. So what is stored is not the name of an
error's class, which a refactoring may change, but a word from this list. Words are only added:
never changed, removed or given another meaning. `tests/ports/test_gallery_format.py` reads a file
that an earlier version wrote.
"""

from enum import Enum

from facewire_server.errors import (
    EmptyImage,
    ImageLayout,
    InvalidInput,
    NoFace,
    SeveralFaces,
    TooManyBytes,
    TooManyPixels,
    TooPoor,
    UndecodableImage,
)

__all__ = ["REFUSALS", "Refusal", "refusal_of"]


class Refusal(Enum):
    """Why a picture was refused; each value is the stored word."""

    IMAGE_EMPTY = "EmptyImage"
    IMAGE_UNDECODABLE = "UndecodableImage"
    IMAGE_TOO_MANY_BYTES = "TooManyBytes"
    IMAGE_TOO_MANY_PIXELS = "TooManyPixels"
    IMAGE_LAYOUT = "ImageLayout"
    NO_FACE = "NoFace"
    SEVERAL_FACES = "SeveralFaces"
    TOO_POOR = "TooPoor"
    OTHER = "Other"
    """A reason that this version does not know; the result's text states it."""

    @classmethod
    def from_stored(cls, word: str) -> "Refusal":
        """Returns the refusal of a stored word, OTHER for a word that a later version wrote."""
        try:
            return cls(word)
        except ValueError:
            return cls.OTHER


REFUSALS: dict[type[InvalidInput], Refusal] = {
    EmptyImage: Refusal.IMAGE_EMPTY,
    UndecodableImage: Refusal.IMAGE_UNDECODABLE,
    TooManyBytes: Refusal.IMAGE_TOO_MANY_BYTES,
    TooManyPixels: Refusal.IMAGE_TOO_MANY_PIXELS,
    ImageLayout: Refusal.IMAGE_LAYOUT,
    NoFace: Refusal.NO_FACE,
    SeveralFaces: Refusal.SEVERAL_FACES,
    TooPoor: Refusal.TOO_POOR,
}
"""The stored word of each error of a single picture."""


def refusal_of(error: InvalidInput) -> Refusal:
    """Returns the word for the error that refused a picture."""
    return next((REFUSALS[kind] for kind in type(error).__mro__ if kind in REFUSALS), Refusal.OTHER)
