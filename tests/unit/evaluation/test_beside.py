"""Several models side by side: the table, the curves, the document and the terminal's lines are those of each model."""

import re

import pytest

from facewire_server.evaluation.charts import MOST_LINES
from facewire_server.evaluation.document import document
from facewire_server.evaluation.elements import rate_cell
from facewire_server.evaluation.page import page
from facewire_server.evaluation.results import Evaluation
from facewire_server.evaluation.summary import summary
from facewire_server.evaluation.wanted import Wanted
from unit.evaluation.made import evaluation, people


@pytest.fixture
async def three() -> list[Evaluation]:
    """Three models: the first one distinguishes people, the second one takes some for each other, the third one more of them."""
    return [
        await evaluation(people(12, common), Wanted(0.003, 1e-4), max_ratio=2.0, model=model)
        for model, common in (("good", 0.0), ("<poor>", 0.45), ("worse", 0.8))
    ]


def section(shown: str, anchor: str) -> str:
    found = re.search(f'<section id="{anchor}">.*?</section>', shown, re.DOTALL)
    assert found is not None
    return found[0].replace("\u00a0", " ")


async def test_the_table_has_a_row_for_each_group_and_model(three: list[Evaluation]) -> None:
    shown = section(page(three[0], lambda _: "", "", three[1:]), "beside")
    rates, conditions = re.findall(r"<tbody>(.*?)</tbody>", shown)
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', rates)
    assert [name for name, _ in rows] == [
        f"{scope}, {model}"
        for scope in ("all", "one", "two")
        for model in ("good", "&lt;poor&gt;", "worse")
    ]
    cells = {name: re.findall("<td>(.*?)</td>", cells) for name, cells in rows}
    worse = three[2]
    assert cells["two, worse"] == [
        rate_cell(each)
        for each in (
            worse.acquired["two"].to_acquire,
            worse.acquired["two"].to_enroll,
            worse.compared.scopes["two"].fmr,
            worse.compared.scopes["two"].fnmr,
            worse.identified["two"].fpir,
            worse.identified["two"].fnir,
        )
    ]
    assert cells["all, good"][2].startswith("0 %")
    assert cells["all, worse"][2].startswith("100.0 %")
    assert conditions.count("<tr>") == 3
    assert "about good." in shown


async def test_each_chart_has_one_line_a_model_that_differs_without_color(
    three: list[Evaluation],
) -> None:
    shown = section(page(three[0], lambda _: "", "", three[1:]), "beside")
    charts = re.findall("<figure>.*?</figure>", shown)
    assert len(charts) == 2
    for chart in charts:
        lines = re.findall(
            r'<polyline .*?stroke="(.*?)".*?stroke-dasharray="(.*?)"><title>(.*?)<', chart
        )
        assert [name for _, _, name in lines] == ["good", "&lt;poor&gt;", "worse"]
        assert len({color for color, _, _ in lines}) == 3
        assert len({dashes for _, dashes, _ in lines}) == 3
        assert len(re.findall("at the threshold in force", chart)) == 3
        legend = chart[chart.index('class="legend"') :]
        assert [legend.index(name) for _, _, name in lines] == sorted(
            legend.index(name) for _, _, name in lines
        )
    assert MOST_LINES >= 3


async def test_the_document_has_the_rates_of_each_model_and_no_picture_twice(
    three: list[Evaluation],
) -> None:
    found = document(three[0], three[1:])
    assert found["model_contract"] == "good"
    assert [each["model_contract"] for each in found["beside"]] == ["<poor>", "worse"]
    for each, result in zip(found["beside"], three[1:], strict=True):
        alone = document(result)
        assert alone.pop("beside") == []
        listed = {"format", "labels", "errors", "failures"}
        assert each == {name: value for name, value in alone.items() if name not in listed}


async def test_the_terminal_shows_each_rate_of_each_model_before_what_to_know_first(
    three: list[Evaluation],
) -> None:
    printed = summary(three[0], three[1:])
    lines = printed.splitlines()
    begin = lines.index("side by side, all")
    assert lines[begin + 9] == "  FMR"
    rate = three[2].compared.scopes[""].fmr
    assert rate is not None
    assert lines[begin + 10].startswith("    good    0 %")
    assert lines[begin + 12].startswith("    worse   100.0 %")
    assert lines[begin + 12].endswith(f"{rate.hits} of {rate.looks}")
    assert lines[-1].startswith("The gate passes")
    assert "side by side" not in summary(three[0])


async def test_without_other_models_the_page_does_not_mention_them(
    three: list[Evaluation],
) -> None:
    shown = page(three[0], lambda _: "", "")
    assert "side by side" not in shown
    assert 'href="#beside"' not in shown
    assert 'href="#beside"' in page(three[0], lambda _: "", "", three[1:])
