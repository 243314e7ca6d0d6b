"""Ids are held to what the contract says, and the error names the field that the caller names."""

import unicodedata

import pytest

from facewire_server.errors import InvalidField
from facewire_server.galleries.ids import (
    are_one_id,
    checked_gallery_id,
    checked_identity_id,
    checked_new_identity_id,
    checked_template_id,
    composed,
    spellings,
)


@pytest.mark.parametrize("good", ["a", "张伟", "é", "e\u0301", "x" * 128, "a b/c"])
def test_identity_ids_that_may_be_stored_come_back_as_they_are(good: str) -> None:
    assert checked_identity_id(good) == good


def test_identity_ids_hold_no_control_character_and_any_other() -> None:
    for character in map(chr, range(0x3000)):
        if unicodedata.category(character) == "Cc":
            with pytest.raises(InvalidField):
                checked_identity_id(f"a{character}b")
        else:
            assert checked_identity_id(f"a{character}b")


@pytest.mark.parametrize(
    "good",
    [
        "a", "x" * 128, "a b/c", "0", "張偉", "김철수", "山田　太郎", "O'Brien-Smith", "Zoë", "Ἀριστοτέλης",
        "علی‌رضا",  # Ali-Reza, spelled with a zero width non-joiner
        "क्‍ष", "😀", "a_b.c@d.e", "۱۲",
    ],
)  # fmt: skip
def test_new_identity_ids_that_can_be_seen_are_taken(good: str) -> None:
    assert checked_new_identity_id(good) == unicodedata.normalize("NFC", good)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (" ", r"begins with U\+0020 SPACE"),
        ("   ", r"begins with U\+0020 SPACE"),
        (" ada", r"begins with U\+0020 SPACE"),
        ("ada ", r"ends with U\+0020 SPACE"),
        ("ada\u3000", r"ends with U\+3000 IDEOGRAPHIC SPACE"),
        ("a\u00a0b", r"U\+00A0 NO-BREAK SPACE, which looks like a plain space"),
        ("a\u2003b", r"U\+2003 EM SPACE"),
        ("\u200b", r"U\+200B ZERO WIDTH SPACE, which cannot be seen"),
        ("ada\u200b", r"U\+200B"),
        ("\ufeffada", r"U\+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("a\u200cda", r"U\+200C ZERO WIDTH NON-JOINER"),  # joins nothing between Latin letters
        ("علی\u200c", r"U\+200C"),
        ("\u200dक", r"U\+200D"),
        ("ad\u00ada", r"U\+00AD SOFT HYPHEN"),
        ("ada\u202elecram", r"U\+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\u2066ada\u2069", r"U\+2066"),
        ("a\u2028b", r"U\+2028 LINE SEPARATOR, which ends a line"),
        ("\u115f", r"U\+115F HANGUL CHOSEONG FILLER"),
        ("\u3164", r"U\+3164 HANGUL FILLER"),
        ("\u2800", r"U\+2800 BRAILLE PATTERN BLANK"),
        ("a\U0001d159da", r"U\+1D159 MUSICAL SYMBOL NULL NOTEHEAD, which cannot be seen"),
        ("a\U00016fe4da", r"U\+16FE4 KHITAN SMALL SCRIPT FILLER, which cannot be seen"),
        ("ada\U0001bc9d", r"U\+1BC9D DUPLOYAN THICK LETTER SELECTOR"),
        ("ada\ufffc", r"U\+FFFC OBJECT REPLACEMENT CHARACTER"),
        ("ada\U00013441", r"U\+13441.*, which cannot be seen"),  # Unicode 15: an Egyptian blank
        ("a\ufe0f", r"U\+FE0F VARIATION SELECTOR-16"),
        ("葛\U000e0100", r"U\+E0100 VARIATION SELECTOR-17"),
        ("a\u034fb", r"U\+034F COMBINING GRAPHEME JOINER"),
        ("\U000e0061", r"U\+E0061 TAG LATIN SMALL LETTER A"),
        ("\ue000", r"U\+E000, which is for private use"),
        ("a\U0010ffff", r"U\+10FFFF, which is not assigned"),
        ("\u0301", r"begins with U\+0301 COMBINING ACUTE ACCENT"),
    ],
)
def test_a_new_identity_id_of_which_something_cannot_be_seen_is_refused_by_its_code_point(
    bad: str, named: str
) -> None:
    with pytest.raises(InvalidField, match=named) as caught:
        checked_new_identity_id(bad)
    assert caught.value.field == "identity_id"
    assert checked_identity_id(bad) == bad, "one that an earlier version stored can be deleted"


COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "José") for form in ("NFC", "NFD"))


def test_a_new_id_is_composed_and_both_spellings_lead_to_either() -> None:
    assert COMPOSED != DECOMPOSED
    assert checked_new_identity_id(DECOMPOSED) == composed(DECOMPOSED) == COMPOSED
    assert spellings(COMPOSED) == (COMPOSED, DECOMPOSED)
    assert spellings(DECOMPOSED) == (DECOMPOSED, COMPOSED)
    assert spellings("ada") == ("ada",)
    assert are_one_id(COMPOSED, DECOMPOSED)
    assert not are_one_id(COMPOSED, "Jose")


@pytest.mark.parametrize(
    ("one", "other"),
    [("anna", "\u0430nna"), ("O'Brien", "O\u2019Brien"), ("ada", "Ada"), ("1", "l"), ("\u212b", "\uff21")],
)  # fmt: skip
def test_ids_that_merely_look_alike_are_two(one: str, other: str) -> None:
    """Here a Cyrillic letter, an apostrophe, a capital, a digit, a wide letter: decision 22 says why."""
    first, second = checked_new_identity_id(one), checked_new_identity_id(other)
    assert first != second
    assert not are_one_id(one, other)
    assert not set(spellings(one)) & set(spellings(other))


def test_an_id_that_only_one_spelling_fits_keeps_to_its_bound() -> None:
    fits = "é" * 64  # 128 bytes, decomposed 192
    assert spellings(fits) == (fits,)
    grows = "\u0958" * 42  # composed it is two characters: 252 bytes
    assert (composed(grows), spellings(grows)) == (grows, (grows,))
    with pytest.raises(InvalidField, match="1 to 128 bytes"):
        checked_new_identity_id(grows)
    assert spellings("x" * 129) == spellings("") == spellings("a\0") == ()


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
