"""A display name may hold whatever is shown, and nothing that hides or reorders other text."""

import pytest

from facewire_server.galleries.visible import unseen_in_name


@pytest.mark.parametrize(
    "name",
    ["", "Ada Lovelace", "  Ada", "Ada\u00a0L.", "👩\u200d🔬", "❤\ufe0f Ada", "علی‌رضا", "\u200fעדה", "葛\U000e0100"],
)  # fmt: skip
def test_a_name_that_is_shown_as_it_is_meant_is_taken(name: str) -> None:
    assert unseen_in_name(name) == ""


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("Ada\nLovelace", "holds U+000A, which is a control character"),
        ("\x1b[31mAda", "holds U+001B, which is a control character"),
        ("Ada\u2029", "holds U+2029 PARAGRAPH SEPARATOR, which ends a line"),
        ("Ada\u202egnp", "holds U+202E RIGHT-TO-LEFT OVERRIDE, which reorders the text around it"),
        ("\u2067Ada", "holds U+2067 RIGHT-TO-LEFT ISOLATE, which reorders the text around it"),
        (" ", "is blank: it holds U+0020 SPACE"),
        ("\u200b", "is blank: it holds U+200B ZERO WIDTH SPACE"),
        ("\u3164\u3164", "is blank: it holds U+3164 HANGUL FILLER"),
        ("\U0001d159", "is blank: it holds U+1D159 MUSICAL SYMBOL NULL NOTEHEAD"),
        ("\u0301", "is blank: it holds U+0301 COMBINING ACUTE ACCENT"),
    ],
)
def test_a_name_that_is_not_is_refused_by_the_code_point(name: str, fault: str) -> None:
    assert unseen_in_name(name) == fault
