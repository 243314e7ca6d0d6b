"""Every failure has a number and a status of CompreFace."""

import pytest

import facewire
from facewire import ErrorReason
from facewire_console.compreface.errors import Code, DoorError, door_error, of_refusal
from facewire_console.errors import Refused


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (facewire.NoFaceError("no face"), Code.NO_FACE),
        (facewire.SeveralFacesError("two"), Code.SEVERAL_FACES),
        (facewire.InvalidPictureError("x", reason=ErrorReason.IMAGE_UNDECODABLE), Code.PICTURE_FORMAT),
        (facewire.InvalidPictureError("x", reason=ErrorReason.IMAGE_TOO_MANY_PIXELS), Code.INVALID),
        (facewire.InvalidRequestError("x"), Code.INVALID),
        (facewire.AlreadyExistsError("x"), Code.SUBJECT_EXISTS),
        (facewire.NotFoundError("x", reason=ErrorReason.IDENTITY_NOT_FOUND), Code.SUBJECT_NOT_FOUND),
        (facewire.NotFoundError("x", reason=ErrorReason.TEMPLATE_NOT_FOUND), Code.IMAGE_NOT_FOUND),
        (facewire.NotFoundError("x", reason=ErrorReason.GALLERY_NOT_FOUND), Code.UNKNOWN_KEY),
        (facewire.AuthenticationError("x"), Code.SERVICE),
        (facewire.UnavailableError("x"), Code.SERVICE),
        (facewire.DeadlineError("x"), Code.SERVICE),
        (facewire.LimitError("x", reason=ErrorReason.GALLERY_FULL), Code.SERVICE),
        (facewire.ServerError("x"), Code.SERVICE),
        (Refused(413, "BODY_TOO_LARGE", "too large", closes=True), Code.INVALID),
        (Refused(408, "BODY_TOO_SLOW", "too slow", closes=True), Code.SERVICE),
        (DoorError(Code.NO_KEY, "x"), Code.NO_KEY),
    ],
)  # fmt: skip
def test_every_failure_has_a_code(error: Exception, code: Code) -> None:
    assert door_error(error).code is code


@pytest.mark.parametrize("reason", list(ErrorReason))
def test_only_no_face_is_code_28(reason: ErrorReason) -> None:
    # Double Take would take any other refusal for a picture of no one.
    refused = of_refusal(reason, "words of the server")
    assert (refused.code is Code.NO_FACE) is (reason is ErrorReason.NO_FACE)
    assert refused.code.status == 400


def test_numbers_are_those_of_compreface() -> None:
    assert {code.name: (code.number, code.status) for code in Code} == {
        "OTHER": (0, 404),
        "UNKNOWN_KEY": (10, 404),
        "IMAGE_NOT_FOUND": (11, 404),
        "PREDICTION_COUNT": (12, 400),
        "NO_KEY": (20, 400),
        "PICTURE_FORMAT": (21, 400),
        "INVALID": (26, 400),
        "NO_FACE": (28, 400),
        "SEVERAL_FACES": (31, 400),
        "NOT_ALLOWED": (32, 405),
        "MISSING": (33, 400),
        "SERVICE": (41, 500),
        "SUBJECT_NOT_FOUND": (42, 404),
        "SUBJECT_EXISTS": (43, 400),
    }
