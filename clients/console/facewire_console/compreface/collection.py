"""What is enrolled: subjects, and the examples of each."""

from typing import Any, Final

from starlette.responses import JSONResponse, Response

from facewire_console.compreface.bodies import read_json, read_pictures
from facewire_console.compreface.door import Asked
from facewire_console.compreface.errors import Code, DoorError
from facewire_console.compreface.options import face_options, given, whole_number
from facewire_console.compreface.subjects import Example

__all__ = [
    "add_example",
    "create_subject",
    "delete_all_subjects",
    "delete_example",
    "delete_examples",
    "delete_listed_examples",
    "delete_subject",
    "list_examples",
    "list_subjects",
    "no_picture",
    "rename_subject",
]

_PAGE_SIZE: Final = 20
"""Examples of a page, unless the request says how many, as in CompreFace."""

_MOST_PAGE_SIZE: Final = 1000
"""Examples of a page, at most. Chosen, not measured."""

_MOST_IDS: Final = 1000
"""Examples that one request may list to be deleted. Chosen, not measured."""

_CREATED: Final = 201
"""Status of what was made."""


async def list_subjects(asked: Asked) -> Response:
    """`GET recognition/subjects`."""
    return JSONResponse({"subjects": [subject.name for subject in await asked.subjects.all()]})


async def create_subject(asked: Asked) -> Response:
    """`POST recognition/subjects`."""
    name = await asked.subjects.create(await _named(asked))
    return JSONResponse({"subject": name}, _CREATED)


async def rename_subject(asked: Asked) -> Response:
    """`PUT recognition/subjects/{subject}`: another name; that of another subject merges the two in the gallery."""
    await asked.subjects.rename(_in_path(asked), await _named(asked))
    return JSONResponse({"updated": True})


async def delete_subject(asked: Asked) -> Response:
    """`DELETE recognition/subjects/{subject}`."""
    subject = await asked.subjects.delete(_in_path(asked))
    return JSONResponse({"subject": subject.name})


async def delete_all_subjects(asked: Asked) -> Response:
    """`DELETE recognition/subjects`: all of them, if a setting allows it."""
    _check_delete_all(asked)
    return JSONResponse({"deleted": len(await asked.subjects.delete_all())})


async def list_examples(asked: Asked) -> Response:
    """`GET recognition/faces`: a page of the examples of one subject or of all."""
    query = asked.request.query_params
    page = whole_number(query, "page", default=0)
    size = min(whole_number(query, "size", default=_PAGE_SIZE, least=1), _MOST_PAGE_SIZE)
    examples, count = await asked.subjects.examples(given(query, "subject"), page * size, size)
    return JSONResponse(
        {
            "faces": [_example(each) for each in examples],
            "page_number": page,
            "page_size": size,
            "total_pages": -(-count // size),
            "total_elements": count,
        }
    )


async def add_example(asked: Asked) -> Response:
    """`POST recognition/faces`: enrolls a picture of one face; its subject is created if there is none."""
    query = asked.request.query_params
    subject = query.get("subject", "").strip()
    if not subject:
        raise DoorError(Code.MISSING, "Required parameter 'subject' is missing")
    options = face_options(query)
    (picture,) = await read_pictures(asked.request, "file")
    example = await asked.subjects.add(subject, picture, options.detection)
    return JSONResponse(_example(example), _CREATED)


async def delete_examples(asked: Asked) -> Response:
    """`DELETE recognition/faces`: all examples of a subject, and with them the subject; or everything, if a setting allows it."""
    name = asked.request.query_params.get("subject", "").strip()
    if not name:
        _check_delete_all(asked)
        deleted = await asked.subjects.delete_all()
        return JSONResponse({"deleted": sum(subject.example_count for subject in deleted)})
    try:
        count = (await asked.subjects.delete(name)).example_count
    except DoorError as error:
        if error.code is not Code.SUBJECT_NOT_FOUND:
            raise
        count = 0  # Viseron deletes whom it is about to enroll, the first time, too
    return JSONResponse({"deleted": count})


async def delete_example(asked: Asked) -> Response:
    """`DELETE recognition/faces/{image_id}`."""
    example = await asked.subjects.delete_example(asked.request.path_params["image_id"])
    return JSONResponse(_example(example))


async def delete_listed_examples(asked: Asked) -> Response:
    """`POST recognition/faces/delete`: those of a list of image ids that exist."""
    ids = await read_json(asked.request)
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise DoorError(Code.INVALID, "The body must be a list of image ids")
    if len(ids) > _MOST_IDS:
        raise DoorError(Code.INVALID, f"The body may list at most {_MOST_IDS} image ids")
    deleted = []
    for image_id in ids:
        try:
            deleted.append(_example(await asked.subjects.delete_example(image_id)))
        except DoorError as error:
            if error.code is not Code.IMAGE_NOT_FOUND:
                raise
    return JSONResponse(deleted)


async def no_picture(asked: Asked) -> Response:
    """`GET recognition/faces/{image_id}/img`: facewire keeps no pictures of who is enrolled."""
    raise DoorError(Code.IMAGE_NOT_FOUND, "facewire keeps no pictures")


def _example(example: Example) -> dict[str, Any]:
    return {"image_id": example.image_id, "subject": example.subject}


def _in_path(asked: Asked) -> str:
    subject: str = asked.request.path_params["subject"]
    return subject.strip()


async def _named(asked: Asked) -> str:
    """Returns the subject that the JSON body names; raises DoorError if it names none."""
    body = await read_json(asked.request)
    name = body.get("subject") if isinstance(body, dict) else None
    if not isinstance(name, str) or not name.strip():
        raise DoorError(Code.MISSING, "Required field 'subject' is missing")
    return name.strip()


def _check_delete_all(asked: Asked) -> None:
    if not asked.door.may_delete_all:
        raise DoorError(
            Code.NOT_ALLOWED, "This would delete everyone: name a subject, or start the console with "
            "--compreface-delete-all",
        )  # fmt: skip
