"""Pictures: recognize, detect, and verify two of them or one against an example."""

from functools import partial
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from facewire import (
    CompareOutcome,
    Face,
    FaceSelection,
    Image,
    Recognition,
    SeveralFacesError,
)
from facewire_console.compreface.bodies import read_pictures
from facewire_console.compreface.door import Asked
from facewire_console.compreface.errors import Code, DoorError
from facewire_console.compreface.faces import (
    CANDIDATES,
    face_json,
    known_subject,
    predictions,
    system_json,
    wanted_faces,
)
from facewire_console.compreface.options import FaceOptions, face_options
from facewire_console.compreface.similarity import of_known, of_other

__all__ = ["detect", "known_subject_of", "recognize", "recognized", "verify", "verify_example"]

_DEFAULT_MARGIN: Final = 0.0
"""`DecisionPolicy.min_margin` of a server that does not state it."""


async def recognize(asked: Asked) -> Response:
    """`POST recognition/recognize`: every face, and the subjects that it resembles."""
    options = face_options(asked.request.query_params)
    recognition = await _found(asked, options)
    result = []
    for face in wanted_faces(recognition, options.limit):
        known = await known_subject_of(asked, face)
        named = {"subjects": predictions(face, known, options.prediction_count)}
        result.append({**face_json(face, options), **named})
    return await _answer(asked, options, recognition, result)


async def detect(asked: Asked) -> Response:
    """`POST detection/detect`: every face, and who it is not said."""
    options = face_options(asked.request.query_params)
    recognition = await _found(asked, options)
    result = [face_json(face, options) for face in wanted_faces(recognition, options.limit)]
    return await _answer(asked, options, recognition, result)


async def verify_example(asked: Asked) -> Response:
    """`POST recognition/faces/{image_id}/verify`: whether each face is the subject of an example.

    The service compares a face with all examples of a person, so the similarity is that of the best one.
    """
    options = face_options(asked.request.query_params)
    owner = await asked.subjects.owner_of(asked.request.path_params["image_id"])
    recognition = await _found(asked, options)
    result = []
    for face in wanted_faces(recognition, options.limit):
        if await known_subject_of(asked, face) == owner:
            similarity = of_known(face.decision.similarity)
        else:
            resembled = (each for each in face.decision.candidates if each.display_name == owner)
            similarity = of_other(max((each.similarity for each in resembled), default=0.0))
        result.append({**face_json(face, options), "similarity": similarity})
    return await _answer(asked, options, recognition, result)


async def verify(asked: Asked) -> Response:
    """`POST verification/verify`: whether the one face of the source picture is that of the target picture.

    As in CompreFace a source with several faces is refused. Of a target with several the largest is compared, and its box says which one that is.
    """
    options = face_options(asked.request.query_params)
    pictures = await read_pictures(asked.request, "source_image", "target_image")
    first, second = map(Image, pictures)
    compare = partial(asked.client.compare, first, second, detection=options.detection)
    try:
        compared = await compare(selection=FaceSelection.ONLY)
    except SeveralFacesError as error:
        if error.field != "second":
            raise
        compared = await compare(selection=FaceSelection.LARGEST)  # the source has one face
    is_same = compared.outcome is CompareOutcome.SAME
    similarity = of_known(compared.similarity) if is_same else of_other(compared.similarity)
    match = {**face_json(compared.second, options), "similarity": similarity}
    result = {"source_image_face": face_json(compared.first, options), "face_matches": [match]}
    return JSONResponse({"result": [result]})


async def recognized(asked: Asked, picture: bytes, options: FaceOptions) -> Recognition:
    """Recognizes a picture; of each face the best identities are listed."""
    return await asked.client.recognize(
        Image(picture),
        gallery=asked.gallery,
        detection=options.detection,
        max_candidates=CANDIDATES,
    )


async def known_subject_of(asked: Asked, face: Face) -> str | None:
    """Returns the subject that a face was recognized as, or None; see `known_subject`."""
    margin = (await asked.server()).decision_defaults.min_margin
    return known_subject(face, _DEFAULT_MARGIN if margin is None else margin)


async def _found(asked: Asked, options: FaceOptions) -> Recognition:
    """Recognizes the picture of a request.

    Raises:
        DoorError: it shows no face.
    """
    (picture,) = await read_pictures(asked.request, "file")
    recognition = await recognized(asked, picture, options)
    if not recognition.faces:
        raise DoorError(Code.NO_FACE, "No face is found in the given image")
    return recognition


async def _answer(
    asked: Asked, options: FaceOptions, recognition: Recognition, result: list[dict[str, Any]]
) -> Response:
    body: dict[str, Any] = {"result": result}
    if options.status:
        times, versions = system_json(recognition, await asked.server())
        body = {
            "result": [{**each, "execution_time": times} for each in result],
            "plugins_versions": versions,
        }
    return JSONResponse(body)
