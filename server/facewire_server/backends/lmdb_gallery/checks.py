"""What a gallery accepts: ids, and embeddings."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facewire_server.errors import InvalidField
from facewire_server.galleries.ids import is_gallery_id, is_identity_id, is_template_id

__all__ = [
    "check_gallery_id",
    "check_identity_id",
    "check_template_id",
    "checked_embeddings",
]

_UNIT_TOLERANCE = 1e-3


def check_gallery_id(text: str) -> None:
    """Raises InvalidField for what cannot be a gallery's id."""
    if not is_gallery_id(text):
        raise InvalidField(
            'a gallery\'s id is 1 to 64 characters of a-z, 0-9, "-", "_", "."', field="gallery_id"
        )


def check_identity_id(text: str) -> None:
    """Raises InvalidField for what cannot be an identity's id."""
    if not is_identity_id(text):
        raise InvalidField(
            "an identity's id is 1 to 128 bytes of UTF-8 without control characters",
            field="identity_id",
        )


def check_template_id(text: str) -> None:
    """Raises InvalidField for what cannot be a template's id."""
    if not is_template_id(text):
        raise InvalidField(
            "a template's id is 32 lower-case hexadecimal digits", field="template_id"
        )


def checked_embeddings(rows: ArrayLike, dimension: int) -> NDArray[np.float32]:
    """The rows as an (n, dimension) float32 array.

    Raises:
        InvalidField: rows of another length, or whose norm is not 1 within 1e-3 (NaN included).
    """
    array = np.ascontiguousarray(rows, np.float32)
    if array.ndim != 2 or array.shape[1] != dimension:
        raise InvalidField(f"an embedding has {dimension} numbers", field="embedding")
    norms = np.sqrt(np.einsum("ij,ij->i", array, array))
    if not np.all(np.abs(norms - 1.0) <= _UNIT_TOLERANCE):
        raise InvalidField("an embedding has unit length", field="embedding")
    return array
