"""docs/running.md names statuses, reasons, settings and log lines: all of them exist."""

import re
from pathlib import Path

import grpc
import pytest

from facewire.v1 import face_pb2, recognition_pb2
from facewire_server.configuration import sources
from facewire_server.configuration.settings import Settings, all_settings
from facewire_server.logs.entries import entry_of
from fakes.events import SAMPLES

ENTRIES = {entry_of(sample).name for sample in SAMPLES} | {"suppressed"}
WORD = r"(?<![\w=-])[A-Z]+(?:_[A-Z]+)+\b"


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs/running.md").read_text(encoding="utf-8")


def test_every_status_and_reason_exists(page: str) -> None:
    known = {"SERVING", "NOT_SERVING", *(code.name for code in grpc.StatusCode)}
    for kind, prefix in (
        (face_pb2.ErrorReason, "ERROR_REASON_"),
        (recognition_pb2.FrameStatus, "FRAME_STATUS_"),
        (recognition_pb2.FramePolicy, "FRAME_POLICY_"),
    ):
        known |= {name.removeprefix(prefix) for name in kind.DESCRIPTOR.values_by_name}
    # Some are part of a longer text: `NAME NOT_SERVING`.
    texts = re.findall(r"`([^`\n]+)`", page)
    named = {word for text in texts for word in re.findall(WORD, text)}
    named = {name for name in named if not name.startswith("FACEWIRE_")}
    assert len(named) > 8, "they are not where they are looked for"
    assert named <= known


def test_every_variable_setting_and_metric_exists(repository: Path, page: str) -> None:
    metrics = (repository / "docs/metrics.md").read_text(encoding="utf-8")
    known = {each.variable for each in all_settings()} | sources.NOT_THE_SERVERS.keys()
    known.add("FACEWIRE_PORT_50051_TCP")  # of Kubernetes
    assert set(re.findall(r"FACEWIRE_\w*\w", page)) - {"FACEWIRE_"} <= known
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", page))
    assert len(named) > 8, "they are not where they are looked for"
    named -= set(re.findall(r"^\| `(facewire_\w+)`", metrics, re.MULTILINE))
    assert named <= {each.name for each in all_settings()} | ENTRIES


def test_the_table_of_settings_that_belong_together_has_their_defaults_and_bounds(
    page: str,
) -> None:
    _, section = page.split("## Settings that belong together\n")
    section = section.split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \| (.*?) \|", section, re.MULTILINE)
    assert len(rows) == 5, "they are not where they are looked for"
    settings = {each.name: each for each in all_settings()}
    for name, default, limited in rows:
        setting = settings[name]
        assert float(default) == getattr(Settings(), name)
        bounds = re.search(r"\(([\d.,]+) to ([\d.,]+)", limited)
        if bounds:
            least, most = (float(bound.replace(",", "")) for bound in bounds.groups())
            assert (least, most) == (setting.about.least, setting.about.most), name
    assert f"`frame_timeout_s` ({Settings().frame_timeout_s:g} s)" in section


def test_every_log_entry_is_one_of_the_servers(page: str) -> None:
    named = re.findall(r"^\| log: `(\w+)`", page, re.MULTILINE)
    assert len(named) > 6, "they are not where they are looked for"
    assert set(named) <= ENTRIES


def test_every_quoted_message_is_one_of_the_servers(repository: Path, page: str) -> None:
    source = " ".join(
        re.sub(r'"\s*f?"', "", path.read_text(encoding="utf-8"))
        for path in sorted((repository / "server").rglob("*.py"))
    )
    quoted = re.findall(r"^\| it does not start: `([^`]+)`", page, re.MULTILINE)
    assert quoted, "they are not where they are looked for"
    for line in quoted:
        for part in line.split("…"):
            assert part.strip() in source, line
