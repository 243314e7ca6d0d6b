"""The options of a query, read as the clients mean them."""

import pytest
from starlette.datastructures import QueryParams

from facewire_console.compreface.options import face_options


@pytest.mark.parametrize(
    ("query", "min_score"),
    [
        ("", None),
        ("det_prob_threshold=0.8", None),  # what Double Take, Viseron and the SDK's examples send
        ("det_prob_threshold=0", None),
        ("det_prob_threshold=0.9", None),
        ("det_prob_threshold=0.95", 0.95),
        ("det_prob_threshold=1", 1.0),
    ],
)
def test_a_detection_threshold_can_only_be_stricter(query: str, min_score: float | None) -> None:
    assert face_options(QueryParams(query)).detection.min_score == min_score


def test_what_is_not_set_has_its_default() -> None:
    options = face_options(QueryParams("&limit=&prediction_count=undefined&face_plugins=undefined"))
    assert (options.limit, options.prediction_count) == (0, 1)
    assert not options.landmarks
    assert not options.status


@pytest.mark.parametrize("text", ["true", "True", "TRUE"])
def test_status_is_read_in_any_case(text: str) -> None:
    assert face_options(QueryParams(f"status={text}")).status
