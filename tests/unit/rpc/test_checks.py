"""Fields are held to the ranges that the contract tells."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.errors import InvalidField
from facewire_server.rpc import checks


@pytest.mark.parametrize("good", ["default", "a", "a-b_c.9", "x" * 64])
def test_gallery_ids(good: str) -> None:
    assert checks.gallery_id_or_default(good) == good


def test_no_gallery_id_is_the_default_one() -> None:
    assert checks.gallery_id_or_default("") == "default"


@pytest.mark.parametrize("bad", ["A", "a b", "ä", "x" * 65, "a/b", "a\n"])
def test_other_gallery_ids_are_refused(bad: str) -> None:
    with pytest.raises(InvalidField) as caught:
        checks.gallery_id_or_default(bad)
    assert caught.value.field == "gallery_id"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 0.69, 1.01])
def test_numbers_out_of_range_are_refused(bad: float) -> None:
    with pytest.raises(InvalidField):
        checks.float_within(bad, 0.7, 1.0, "x")


@pytest.mark.parametrize("bad", [math.nan, 0.0, -1.0, 1.01])
def test_an_open_bound_is_out_of_range(bad: float) -> None:
    with pytest.raises(InvalidField):
        checks.float_within(bad, 0.0, 1.0, "x", above_least=True)


def test_a_bound_that_float32_rounds_below_is_within() -> None:
    assert checks.float_within(0.699999988079071, 0.7, 1.0, "x") < 0.7


@pytest.mark.parametrize(("asked", "rows"), [(0, 100), (1, 1), (1000, 1000)])
def test_page_sizes(asked: int, rows: int) -> None:
    assert checks.checked_page_size(asked) == rows


def test_a_page_too_large_is_refused() -> None:
    with pytest.raises(InvalidField) as caught:
        checks.checked_page_size(1001)
    assert caught.value.field == "page_size"


@given(st.text(max_size=32))
def test_a_page_token_gives_its_id_back(last_id: str) -> None:
    assert checks.page_after(checks.page_token(last_id)) == last_id


@pytest.mark.parametrize("bad", ["*", "a", "ä", "_w==", "QUFB" * 44])
def test_a_page_token_of_another_kind_is_refused(bad: str) -> None:
    with pytest.raises(InvalidField) as caught:
        checks.page_after(bad)
    assert caught.value.field == "page_token"
