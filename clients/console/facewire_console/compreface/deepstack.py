"""DeepStack's three calls about faces, which Double Take, CodeProject.AI's users and Home Assistant make.

The key is a value of the form, `api_key`. CodeProject.AI has none, so a setting may name a gallery for requests without one.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from facewire import DetectionOptions
from facewire_console.compreface.bodies import Form, read_form
from facewire_console.compreface.door import Asked, Door, Endpoint
from facewire_console.compreface.errors import FAILURES, Code, DoorError, door_error
from facewire_console.compreface.faces import NO_ONE
from facewire_console.compreface.options import FaceOptions
from facewire_console.compreface.recognition import known_subject_of, recognized
from facewire_console.compreface.similarity import of_known, of_other

__all__ = ["DeepStack"]

_UNAUTHORIZED: Final = 401
"""DeepStack's status of a wrong key."""

_EVERY_FACE: Final = FaceOptions(
    DetectionOptions(), limit=0, prediction_count=1, landmarks=False, status=False
)
"""What DeepStack lists: no limit, one name, a box."""

_Work = Callable[[Asked, Form], Awaitable[dict[str, Any]]]


class DeepStack:
    """The three endpoints, over a door."""

    def __init__(self, door: Door, gallery: str) -> None:
        """Takes the door.

        Args:
            door: with the keys.
            gallery: of a request without a key; "" = such a request is refused.
        """
        self._door = door
        self._gallery = gallery

    def endpoints(self) -> dict[str, Endpoint]:
        """Returns the endpoints by their paths."""
        return {
            "/face/recognize": self._endpoint(_recognize),
            "/face/register": self._endpoint(_register),
            "/face/delete": self._endpoint(_delete),
        }

    def _endpoint(self, work: _Work) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            try:
                form = await read_form(request, pictures=1)
                gallery = self._gallery_of(form.values.get("api_key", ""))
                found = await work(Asked(request, self._door, gallery), form)
                return JSONResponse({"success": True, **found})
            except FAILURES as error:
                return _failed(door_error(error))

        return endpoint

    def _gallery_of(self, key: str) -> str:
        if not key and self._gallery:
            return self._gallery
        return self._door.gallery_of(key)


async def _recognize(asked: Asked, form: Form) -> dict[str, Any]:
    """Every face with its name, or "unknown"; a picture without a face has no predictions."""
    recognition = await recognized(asked, _picture(form), _EVERY_FACE)
    least = _confidence(form.values.get("min_confidence", ""))
    predictions = []
    for face in recognition.faces:
        known = await known_subject_of(asked, face)
        cosine = face.decision.similarity
        confidence = of_other(cosine) if known is None else of_known(cosine)
        box = face.box
        predictions.append(
            {
                "userid": NO_ONE if known is None or confidence < least else known,
                "confidence": confidence,
                "x_min": max(0, round(box.x_px)),
                "y_min": max(0, round(box.y_px)),
                "x_max": round(box.x_px + box.width_px),
                "y_max": round(box.y_px + box.height_px),
            }
        )
    return {"predictions": predictions}


async def _register(asked: Asked, form: Form) -> dict[str, Any]:
    """Enrolls a picture of one face."""
    await asked.subjects.add(_userid(form), _picture(form), DetectionOptions())
    return {"message": "face added"}


async def _delete(asked: Asked, form: Form) -> dict[str, Any]:
    await asked.subjects.delete(_userid(form))
    return {}


def _picture(form: Form) -> bytes:
    """Returns the one picture of the form: its part is called "image", or "image1" by those who may send several."""
    for picture in form.files.values():
        if picture:
            return picture
    raise DoorError(Code.MISSING, "No valid image file found")


def _userid(form: Form) -> str:
    name = form.values.get("userid", "").strip()
    if not name:
        raise DoorError(Code.MISSING, "userid not specified")
    return name


def _confidence(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _failed(error: DoorError) -> Response:
    """Returns an error as DeepStack sends it.

    Who is not there cannot be deleted, with status 200: Double Take takes another status for a fault, and ends what it was doing.
    """
    status = error.code.status
    if error.code is Code.UNKNOWN_KEY:
        status = _UNAUTHORIZED
    elif error.code is Code.SUBJECT_NOT_FOUND:
        status = 200
    return JSONResponse({"success": False, "error": error.message, "code": status}, status)
