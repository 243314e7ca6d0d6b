"""The similarities that clients see: by the decision first, then by the cosine."""

from hypothesis import given
from hypothesis import strategies as st

from facewire_console.compreface.similarity import of_known, of_other

COSINES = st.floats(-1, 1)


@given(COSINES)
def test_known_and_other_have_ranges_of_their_own(cosine: float) -> None:
    assert 0.6 <= of_known(cosine) <= 1
    assert 0 <= of_other(cosine) < 0.4


@given(COSINES, COSINES)
def test_a_larger_cosine_is_never_less_similar(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert of_known(less) <= of_known(more)
    assert of_other(less) <= of_other(more)


def test_similarities_tell_pictures_apart() -> None:
    assert of_known(0.8) - of_known(0.5) > 0.1
    assert of_other(0.3) - of_other(0.1) > 0.05
    assert of_known(1) == 1
