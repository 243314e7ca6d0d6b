"""What an enrollment came to, as the calls that enroll return it."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import JSONResponse

from facewire import EnrolledPicture, EnrollResult, ErrorReason, FacewireError
from facewire_console.console import Console
from facewire_console.errors import Refused, refusal_status
from facewire_console.face_shapes import detected_json
from facewire_console.shapes import enrolled_json, identity_json

__all__ = ["enrolled_response"]

JSON = dict[str, Any]


async def enrolled_response(
    console: Console,
    gallery: str,
    identity_id: str,
    result: EnrollResult,
    pictures: Sequence[bytes | None],
) -> JSONResponse:
    """Returns 201 with the person and each picture's outcome.

    Args:
        console: whose client is asked what helps to go on.
        gallery: of the person.
        identity_id: of the person.
        result: of the enrollment.
        pictures: those that were enrolled, one for each outcome; None if the console does not have it.

    Raises:
        Refused: no picture was accepted.
        FacewireError: the person cannot be read.
    """
    shown = [
        await _picture(console, gallery, picture, outcome)
        for picture, outcome in zip(pictures, result.pictures, strict=True)
    ]
    if not result.accepted_count:
        raise _all_refused(result, shown)
    identity = await console.client.identity(identity_id, gallery=gallery)
    return JSONResponse(
        {
            "identity": identity_json(identity),
            "pictures": shown,
            "accepted_count": result.accepted_count,
            "threshold": result.threshold,
        },
        status_code=201,
    )


async def _picture(
    console: Console, gallery: str, picture: bytes | None, outcome: EnrolledPicture
) -> JSON:
    """Returns a picture's outcome with what helps to go on: who else it matches, or which faces it shows."""
    similar_name, faces = "", None
    try:
        if outcome.similar_identity_id:
            similar = await console.client.identity(outcome.similar_identity_id, gallery=gallery)
            similar_name = similar.display_name
        if outcome.refusal is ErrorReason.SEVERAL_FACES and picture is not None:
            found = await console.client.recognize(picture, gallery=gallery)
            faces = [detected_json(face) for face in found.faces]
    except FacewireError:
        pass  # the outcome itself is what matters
    return enrolled_json(outcome, similar_name=similar_name, faces=faces)


def _all_refused(result: EnrollResult, shown: list[JSON]) -> Refused:
    first = result.pictures[0]
    assert first.refusal is not None
    return Refused(
        refusal_status(first.refusal),
        first.refusal.value,
        f"no picture was accepted; the first: {first.detail}",
        fields=("image",),
        beside={"pictures": shown},
    )
