"""The options in a request's query, as CompreFace's clients really send them.

Double Take writes an option that its user did not set as "undefined", and the SDK begins the query with "&": what is empty is not set.
"""

from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from facewire import DetectionOptions
from facewire_console.compreface.errors import Code, DoorError

__all__ = ["FaceOptions", "face_options", "given", "whole_number"]

_NOT_SET: Final = {"", "undefined", "null", "None"}

_OWN_SCORE: Final = 0.9
"""Detection score that a threshold must exceed to count: the server's default. Clients send .8 unless their users say otherwise, which was
chosen for other detectors: so low, facewire would find what are no faces."""

_MOST: Final = 1 << 31
"""Upper bound of a number without a better one. Chosen, not measured."""

_MOST_DIGITS: Final = 10
"""Characters of a number: those of the upper bound."""


@dataclass(frozen=True, slots=True)
class FaceOptions:
    """What a request wants to know of the faces of its picture.

    Attributes:
        detection: what counts as a face.
        limit: at most this many faces, the largest; 0 is no limit.
        prediction_count: subjects named for each face, at most.
        landmarks: whether to list the five points.
        status: whether to say how long it took.
    """

    detection: DetectionOptions
    limit: int
    prediction_count: int
    landmarks: bool
    status: bool


def face_options(query: QueryParams) -> FaceOptions:
    """Reads the options of a request about a picture.

    Raises:
        DoorError: a number is out of range, or is none.
    """
    try:
        count = whole_number(query, "prediction_count", default=1, least=1)
    except DoorError as error:
        raise DoorError(Code.PREDICTION_COUNT, error.message) from None
    plugins = {name.strip() for name in given(query, "face_plugins").split(",")}
    return FaceOptions(
        detection=_detection(query),
        limit=whole_number(query, "limit", default=0),
        prediction_count=count,
        landmarks="landmarks" in plugins,
        status=given(query, "status").lower() == "true",
    )


def given(query: QueryParams, name: str) -> str:
    """Returns an option's text without space around it; "" if it is not set."""
    text = query.get(name, "").strip()
    return "" if text in _NOT_SET else text


def whole_number(
    query: QueryParams, name: str, *, default: int, least: int = 0, most: int = _MOST
) -> int:
    """Returns an option that is a number.

    Raises:
        DoorError: it is none, or is out of range.
    """
    text = given(query, name)
    if not text:
        return default
    is_number = len(text) <= _MOST_DIGITS and text.removeprefix("-").isdecimal()
    if not is_number or not least <= int(text) <= most:
        raise DoorError(Code.INVALID, f"{name} must be a whole number from {least}")
    return int(text)


def _detection(query: QueryParams) -> DetectionOptions:
    text = given(query, "det_prob_threshold")
    if not text:
        return DetectionOptions()
    try:
        threshold = float(text)
    except ValueError:
        threshold = -1.0
    if not 0 <= threshold <= 1:
        raise DoorError(Code.INVALID, "det_prob_threshold must be a number from 0 to 1")
    return DetectionOptions(min_score=threshold if threshold > _OWN_SCORE else None)
