"""The report of an evaluation: axe finds nothing in it, in light and dark, wide and on a phone, and it asks nothing of any place."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from facewire_server.evaluation.galleries import Galleries
from facewire_server.evaluation.identification import Plan
from facewire_server.evaluation.labels import Labels
from facewire_server.evaluation.page import page
from facewire_server.evaluation.results import Evaluation, evaluated
from facewire_server.evaluation.samples import Samples
from facewire_server.evaluation.verification import Thresholds
from facewire_server.evaluation.wanted import Wanted
from facewire_server.types import DecisionPolicy
from fakes.gallery import MemoryGallery
from unit.evaluation.made import samples

ONE_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="


def made_people(spread: float) -> Samples:
    """Thirty people of two groups whose faces are alike by chance, and their own pictures the less so the larger `spread` is."""
    generator = np.random.default_rng(1)
    people: dict[str, list[np.ndarray | None]] = {}
    for number in range(30):
        middle = generator.normal(size=16)
        looks = [middle + spread * generator.normal(size=16) for _ in range(3)]
        people[f"<p{number}>"] = [
            (each / np.linalg.norm(each)).astype(np.float32) for each in looks
        ]
    people["<p0>"][1] = None
    return samples(
        people, {name: "one" if number % 2 else "two" for number, name in enumerate(people)}
    )


async def evaluation(model: str, spread: float) -> Evaluation:
    made = made_people(spread)
    store = MemoryGallery(model_contract_id="c" * 64, dimension=16)
    return await evaluated(
        made,
        Labels(tuple(row.picture for row in made.rows), None, people_are_known=True),
        model=model,
        configuration={"FACEWIRE_MODEL_CONTRACT": model, "a long value": "c" * 300},
        thresholds=Thresholds(0.5, 0.5, 0.0),
        wanted=Wanted(0.003, 1e-4),
        plan=Plan(),
        max_ratio=2.0,
        new_gallery=Galleries(store, DecisionPolicy(0.5, 0.0, 0.0)).new,
        progress=lambda _: None,
    )


MODELS = {"sface": 0.6, "facenet_vggface2": 0.8, f"models/{'long' * 20}/<another>.json": 1.0}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that a report may show, of three models."""
    with ThreadPoolExecutor(1) as thread:  # Playwright's loop runs in this one
        first, *beside = (
            thread.submit(asyncio.run, evaluation(model, spread)).result()
            for model, spread in MODELS.items()
        )
    path = tmp_path_factory.mktemp("report") / "report.html"
    text = page(first, lambda _: ONE_PIXEL, "rm -r report", beside)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, report: Path, scheme: str, width: int) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of two words
        bypass_csp=True,  # for axe's own script
    )
    shown = context.new_page()
    shown.goto(report.as_uri())
    found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_it_asks_nothing_and_shows_its_pictures(browser: Browser, report: Path) -> None:
    context = browser.new_context()
    shown = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    shown.on("request", lambda request: asked.append(request.url))
    shown.on("console", lambda message: faults.append(message.text))
    shown.goto(report.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert not faults
    pictures = shown.locator("img")
    assert pictures.count() > 10
    assert all(pictures.evaluate_all("all => all.map(one => one.naturalWidth > 0)"))
    assert shown.get_by_role("heading", level=1).count() == 1
    assert shown.get_by_text("<p0>/1.jpg: no face was found").count() == 1
    context.close()


def test_models_stand_side_by_side_and_their_lines_differ_also_without_color(
    browser: Browser, report: Path
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    shown = context.new_page()
    shown.goto(report.as_uri())
    shown.get_by_role("link", name="Models side by side").click()
    beside = shown.locator("#beside")
    assert beside.get_by_role("row", name="two, facenet_vggface2").count() == 1
    named = (
        beside.get_by_role("table")
        .first.get_by_role("rowheader")
        .evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
    )
    assert max(named) < 1280 / 3  # a long path leaves room for the rates
    charts = beside.get_by_role("img")
    assert charts.count() == 2
    for chart in charts.all():
        lines = chart.locator("polyline").evaluate_all(
            "all => all.map(one => [getComputedStyle(one).stroke, getComputedStyle(one).strokeDasharray])"
        )
        colors, dashes = ({line[part] for line in lines} for part in (0, 1))
        assert len(colors) == len(dashes) == len(lines) == len(MODELS)
    context.close()
