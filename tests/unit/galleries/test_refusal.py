"""The words for refused pictures: complete, and stable whatever the classes are called."""

from collections.abc import Iterator

from facewire_server import errors
from facewire_server.errors import InvalidImage, InvalidInput, NoFace
from facewire_server.galleries.refusal import REFUSALS, Refusal, refusal_of
from facewire_server.rpc.convert_gallery import REFUSAL_REASONS
from facewire_server.rpc.status import STATUSES

STORED = {
    "EmptyImage",
    "UndecodableImage",
    "TooManyBytes",
    "TooManyPixels",
    "ImageLayout",
    "NoFace",
    "SeveralFaces",
    "TooPoor",
    "Other",
}
"""Words in files on disk. Add to them; never change or remove one."""


def leaves(kind: type[InvalidInput]) -> Iterator[type[InvalidInput]]:
    kinds = [each for each in kind.__subclasses__() if each.__module__ == errors.__name__]
    for each in kinds:
        yield from leaves(each)
    if not kinds:
        yield kind


def test_no_stored_word_was_changed_or_removed() -> None:
    assert {refusal.value for refusal in Refusal} == STORED
    assert all(Refusal.from_stored(word).value == word for word in STORED)


def test_a_word_of_a_later_version_is_read_as_other() -> None:
    assert Refusal.from_stored("Blurred") is Refusal.OTHER


def test_every_error_that_refuses_a_picture_has_a_word() -> None:
    of_a_picture = {*leaves(InvalidImage), NoFace, errors.SeveralFaces, errors.TooPoor}
    assert set(REFUSALS) == of_a_picture
    assert set(REFUSALS.values()) == set(Refusal) - {Refusal.OTHER}


def test_every_word_has_its_errors_reason_on_the_wire() -> None:
    assert set(REFUSAL_REASONS) == set(Refusal)
    for kind, refusal in REFUSALS.items():
        _, reason = STATUSES[kind]
        assert REFUSAL_REASONS[refusal] == reason


def test_an_error_is_called_as_its_nearest_kind() -> None:
    class Split(NoFace):
        """As after a refactoring."""

    assert refusal_of(Split("")) is Refusal.NO_FACE
    assert refusal_of(errors.OutOfOrder("")) is Refusal.OTHER
