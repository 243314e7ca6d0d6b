"""Which characters of an id or a name a person can see, by the Unicode Character Database of Python."""

import unicodedata
from typing import Final

__all__ = ["unseen_in_id", "unseen_in_name"]

_UNSEEN: Final = {
    "Cc": "which is a control character",
    "Cf": "which cannot be seen",
    "Cn": "which is not assigned",
    "Co": "which is for private use",
    "Cs": "which is half a character",
    "Zl": "which ends a line",
    "Zp": "which ends a line",
}
"""General categories whose characters have no shape of their own (Unicode, chapter 4.5)."""

_SHAPELESS: Final = frozenset(
    [
        *"\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0",
        *"\u2800\ufffc\U00013441\U00013442\U00016fe4\U0001bc9d\U0001d159",
        *map(chr, range(0x180B, 0x1810)),
        *map(chr, range(0xFE00, 0xFE10)),
        *map(chr, range(0xE0100, 0xE01F0)),
    ]
)
"""Letters, marks and symbols that are blank: the fillers and variation selectors of the property
Default_Ignorable_Code_Point; and others that are drawn as nothing: the blank Braille pattern, the place of an object that
text cannot hold, Egyptian blanks (assigned since Unicode 15), the Khitan filler, the Duployan selector, the null notehead."""

_SPACES: Final = " \u3000"
"""The spaces that an id may hold: the plain one, and the one between parts of Chinese and Japanese names."""

_JOINERS: Final = "\u200c\u200d"
"""Zero width non-joiner and joiner: names in Persian and in scripts of India are spelled with them."""

_VIRAMA_CLASS: Final = 9
"""Canonical combining class of viramas, which a joiner may follow (RFC 5892, appendix A.1 and A.2)."""

_EMBEDDINGS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They change the order in which the text after them is shown, also that of other names (UAX 9)."""


def unseen_in_id(text: str) -> str:
    """Returns what of an id a person cannot see: "holds U+200B ZERO WIDTH SPACE, which cannot be seen".

    Such an id looks like another one, or like none. Returns "" if all of it can be seen.
    """
    for row, character in enumerate(text):
        category = unicodedata.category(character)
        if category == "Zs" and character not in _SPACES:
            return f"holds {_named(character)}, which looks like a plain space"
        if character in _SHAPELESS:
            return f"holds {_named(character)}, which cannot be seen"
        if category in _UNSEEN and not _joins(text, row):
            return f"holds {_named(character)}, {_UNSEEN[category]}"
    for word, character in (("begins", text[:1]), ("ends", text[-1:])):
        if character and character in _SPACES:
            return f"{word} with {_named(character)}, which cannot be seen there"
    if text and unicodedata.category(text[0]).startswith("M"):
        return f"begins with {_named(text[0])}, a mark that belongs to a letter before it"
    return ""


def unseen_in_name(text: str) -> str:
    """Returns why a display name cannot be shown as it is, or "".

    A name is only shown, so it may hold more than an id: emoji with their joiners and selectors, and
    any spaces. It may not be blank, break lines, or reorder the text around it.
    """
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cc", "Cs", "Zl", "Zp"):
            return f"holds {_named(character)}, {_UNSEEN[category]}"
        if character in _EMBEDDINGS:
            return f"holds {_named(character)}, which reorders the text around it"
    if text and not any(map(_has_shape, text)):
        return f"is blank: it holds {_named(text[0])}"
    return ""


def _has_shape(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNPS" and character not in _SHAPELESS


def _joins(text: str, row: int) -> bool:
    """Whether this is a joiner that shapes the letters at its sides.

    RFC 5892 also asks for the joining types of these letters, which Python's database lacks: here a
    joiner may stand between any two Arabic letters.
    """
    if text[row] not in _JOINERS or not 0 < row < len(text) - 1:
        return False
    before, after = text[row - 1], text[row + 1]
    follows = unicodedata.combining(before) == _VIRAMA_CLASS or _is_arabic(before)
    return follows and (unicodedata.category(after)[0] == "L")


def _is_arabic(character: str) -> bool:
    return unicodedata.bidirectional(character) == "AL" and unicodedata.category(character) == "Lo"


def _named(character: str) -> str:
    """Returns "U+200B ZERO WIDTH SPACE"; control characters have no name."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()
