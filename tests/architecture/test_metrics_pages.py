"""The page of metrics, the alerts and the dashboard speak of metrics that this server has."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from facewire_server.telemetry.catalog import ROWS, Row

SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}
SERIES = {row.name + suffix: row for row in ROWS for suffix in SUFFIXES[row.kind]}
OF_PROMETHEUS = {"up"}  # made by Prometheus itself, at each scrape
TARGET_LABELS = {"job", "instance"}  # put on by Prometheus


def page(repository: Path) -> str:
    return (repository / "docs" / "metrics.md").read_text(encoding="utf-8")


def alerts(repository: Path) -> list[dict[str, Any]]:
    file = yaml.safe_load((repository / "docs" / "prometheus-alerts.yml").read_text())
    (group,) = file["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def panels(repository: Path) -> list[dict[str, Any]]:
    board = json.loads((repository / "docs" / "grafana-dashboard.json").read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """The metrics that an expression asks for; Grafana's variables are filled in."""
    plain = expression.replace("$__rate_interval", "5m").replace("$job", "facewire")
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(promql_parser.parse(plain), visit)
    return found


def grouped_by(expression: str) -> set[str]:
    """The labels after every `by (...)`."""
    return {
        label.strip()
        for labels in re.findall(r"\bby \(([^)]*)\)", expression)
        for label in labels.split(",")
    }


def labels_of(row: Row) -> set[str]:
    return {*row.labels, *TARGET_LABELS, *({"le"} if row.kind == "histogram" else set())}


def faults(expression: str) -> Iterator[str]:
    """What an expression asks for that is not there."""
    asked = selectors(expression)
    if not asked:
        yield "asks for no metric"
    known: set[str] = set(TARGET_LABELS)
    for selector in asked:
        if selector.name in OF_PROMETHEUS:
            continue
        if selector.name not in SERIES:
            yield f"there is no {selector.name}"
            continue
        labels = labels_of(SERIES[selector.name])
        known |= labels
        for matcher in selector.matchers.matchers:
            if matcher.name not in labels:
                yield f"{selector.name} has no label {matcher.name}"
    for label in grouped_by(expression) - known:
        yield f"no metric of it has the label {label}"


def test_the_table_is_the_catalog(repository: Path) -> None:
    (table,) = re.findall(r"<!-- metrics -->\n(.*?)<!-- /metrics -->", page(repository), re.DOTALL)
    rows = [
        f"| `{row.name}` | {row.kind} | {', '.join(row.labels) or '–'} | {row.about} |"
        for row in ROWS
    ]
    assert table.splitlines()[2:] == rows


def test_every_alert_is_explained_as_it_is(repository: Path) -> None:
    shown = [
        (name, expression.replace("\\|", "|"))
        for name, expression in re.findall(
            r"^\| (Facewire\w+) \| `(.*?)` \| .+ \| .+ \|$", page(repository), re.MULTILINE
        )
    ]
    assert shown == [(rule["alert"], rule["expr"]) for rule in alerts(repository)]


def test_alerts_ask_for_metrics_that_exist(repository: Path) -> None:
    rules = alerts(repository)
    assert len(rules) > 10
    found = [(rule["alert"], fault) for rule in rules for fault in faults(rule["expr"])]
    assert found == []


def test_panels_ask_for_metrics_that_exist(repository: Path) -> None:
    shown = panels(repository)
    assert len(shown) > 15
    found = [
        (panel["title"], fault)
        for panel in shown
        for target in panel["targets"]
        for fault in faults(target["expr"])
    ]
    assert found == []


def test_every_panel_has_a_title_a_unit_and_a_query(repository: Path) -> None:
    shown = panels(repository)
    for panel in shown:
        assert panel["title"], panel
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
    assert len({panel["title"] for panel in shown}) == len(shown)


def test_panels_do_not_overlap(repository: Path) -> None:
    board = json.loads((repository / "docs" / "grafana-dashboard.json").read_text())
    cells = [
        (x, y)
        for panel in board["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize(
    "expression",
    [
        "facewire_frames",
        "rate(facewire_frame_latency_seconds[5m])",
        'facewire_frames_total{state="OK"}',
        "sum by (servable) (facewire_frames_total)",
        "1",
    ],
)
def test_a_planted_fault_is_found(expression: str) -> None:
    assert list(faults(expression))


def test_names_are_those_that_prometheus_wants() -> None:
    for row in ROWS:
        assert row.name.startswith(("facewire_", "grpc_server_", "process_")), row.name
        assert row.name.endswith("_total") == (row.kind == "counter"), row.name
        assert row.kind != "histogram" or row.name.endswith("_seconds"), row.name
        assert "name" not in row.labels
        assert "identity" not in row.labels


def test_the_alerts_are_rules_of_prometheus(repository: Path) -> None:
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("needs promtool, of Debian's package prometheus")
    file = repository / "docs" / "prometheus-alerts.yml"
    done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
