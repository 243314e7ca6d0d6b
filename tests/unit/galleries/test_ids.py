"""Ids are held to what the contract says, and the error names the field that the caller names."""

import pytest

from facewire_server.errors import InvalidField
from facewire_server.galleries.ids import (
    checked_gallery_id,
    checked_identity_id,
    checked_template_id,
)


@pytest.mark.parametrize("good", ["a", "张伟", "é", "e\u0301", "x" * 128, "a b/c"])
def test_identity_ids_come_back_as_they_are(good: str) -> None:
    assert checked_identity_id(good) == good


@pytest.mark.parametrize(
    "bad", ["", "x" * 129, "张" * 43, "a\x00", "a\nb", "\x7f", "\u0085", "\ud800"]
)
def test_other_identity_ids_are_refused(bad: str) -> None:
    with pytest.raises(InvalidField, match=r"record\.identity_id must be") as caught:
        checked_identity_id(bad, "record.identity_id")
    assert caught.value.field == "record.identity_id"


@pytest.mark.parametrize("bad", ["", "a" * 31, "a" * 33, "A" * 32, "g" * 32, "a" * 32 + "\n"])
def test_template_ids_are_32_digits(bad: str) -> None:
    with pytest.raises(InvalidField) as caught:
        checked_template_id(bad)
    assert caught.value.field == "template_id"
    assert checked_template_id("0123456789abcdef" * 2) == "0123456789abcdef" * 2


@pytest.mark.parametrize("bad", ["", "A", "a b", "ä", "x" * 65, "a/b", "a\n"])
def test_gallery_ids_are_lower_case_ascii(bad: str) -> None:
    with pytest.raises(InvalidField) as caught:
        checked_gallery_id(bad)
    assert caught.value.field == "gallery_id"
    assert checked_gallery_id("a-b_c.9") == "a-b_c.9"
