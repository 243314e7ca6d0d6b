"""What a report says first: wanted rates beside measured ones, the gate's verdict, and labels to look at."""

import re

import numpy as np
import pytest

from facewire_server.evaluation.charts import histogram_chart
from facewire_server.evaluation.document import document
from facewire_server.evaluation.findings import findings
from facewire_server.evaluation.histograms import Histogram
from facewire_server.evaluation.intervals import Rate
from facewire_server.evaluation.page import page
from facewire_server.evaluation.results import Evaluation
from facewire_server.evaluation.summary import summary
from facewire_server.evaluation.wanted import Against, Wanted, against
from unit.evaluation.made import evaluation, people, samples


def texts(result: Evaluation) -> list[str]:
    return [each.text for each in findings(result)]


@pytest.mark.parametrize(
    ("hits", "looks", "expected"),
    [(0, 100, Against.AROUND), (50, 1000, Against.ABOVE), (0, 10_000, Against.BELOW)],
)
def test_a_rate_is_compared_by_its_interval(hits: int, looks: int, expected: Against) -> None:
    assert against(Rate(hits, looks, np.empty(0)), 0.01) is expected


async def test_strangers_with_a_name_are_held_against_what_was_wanted() -> None:
    (too_often,) = texts(await evaluation(people(8, common=0.8), Wanted(0.003)))
    assert too_often.startswith("Strangers get a name too often, in 100.0 % of looks")
    assert too_often.endswith("At most 0.3 % was wanted.")
    (unknown,) = texts(await evaluation(people(8), Wanted(0.003)))
    assert "too few to tell whether that holds" in unknown
    (held,) = texts(await evaluation(people(40), Wanted(0.5)))
    assert held.endswith("At most 50 % was wanted, and that holds.")


async def test_without_a_wanted_rate_nothing_is_said_about_it() -> None:
    result = await evaluation(people(8, common=0.8), Wanted())
    assert texts(result) == []
    assert "anted" not in page(result, lambda _: "", "")
    assert document(result)["wanted"] == {"max_fpir": None, "compare_max_fmr": None}


async def test_the_page_and_the_terminal_say_the_same() -> None:
    result = await evaluation(people(12), Wanted(0.003, 1e-4), max_ratio=2.0)
    shown, printed = page(result, lambda _: "", "").replace("\u00a0", " "), summary(result)
    assert [each.anchor for each in findings(result)] == ["one-to-many", "groups"]
    for text in texts(result):
        assert text in shown
        assert text in printed
    assert document(result)["wanted"] == {"max_fpir": 0.003, "compare_max_fmr": 1e-4}
    assert "not set" in shown


async def test_a_double_is_named_before_everything_else() -> None:
    made = people(30)
    twice = samples(
        {
            **{
                name: [made.templates[row] for row in np.flatnonzero(made.person == place)]
                for place, name in enumerate(made.people)
            },
            "twice": [made.templates[0], made.templates[1]],
        }
    )
    first, _ = texts(await evaluation(twice, Wanted(0.003)))
    assert first == "Look at the labels first: 1 pair of names is probably one person."


@pytest.mark.parametrize("spread", [40, 17, 8, 3, 1])
def test_the_ticks_of_a_histogram_are_a_round_number_apart_and_hold_all(spread: int) -> None:
    similar, others = Histogram(), Histogram()
    similar.add(np.linspace(0.02, 0.02 + 0.04 * (spread - 1), spread))  # one in each bar
    others.add(np.linspace(-0.78, 0.78, 40))
    drawn = histogram_chart(similar, others, (0.439, 0.455))
    ticks = [float(each) for each in re.findall(r">([\d.]+) %</text>", drawn)]
    assert ticks[0] == 0
    assert ticks[-1] >= 100 / spread
    assert set(np.diff(ticks)) in ({1.0}, {2.0}, {5.0}, {10.0}, {20.0})
    assert 3 <= len(ticks) <= 6
    assert "threshold 0.439 to 0.455" in drawn
    assert drawn.count('stroke="var(--ink)"') == 2
