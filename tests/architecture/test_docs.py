"""The pages beside the README: complete, in the site, and true where a machine can tell."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from facewire.v1 import gallery_pb2, recognition_pb2
from tools import licenses

SECTIONS = ["## Context", "## Decision", "## Consequence"]


def pages(repository: Path) -> list[Path]:
    return sorted((repository / "docs").rglob("*.md"))


def test_every_page_is_in_the_site(repository: Path) -> None:
    named = set(
        re.findall(r"([\w/-]+\.md)$", (repository / "mkdocs.yml").read_text(), re.MULTILINE)
    )
    assert named == {str(page.relative_to(repository / "docs")) for page in pages(repository)}


def test_links_of_the_site_stay_in_the_site(repository: Path) -> None:
    for page in pages(repository):
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text(encoding="utf-8")):
            found = (page.parent / target).resolve()
            assert found.is_file(), f"{page.name}: {target}"
            assert found.is_relative_to(repository / "docs"), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as Python-Markdown's `toc` makes them, and GitHub for headings of plain words."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", shown).strip().lower()))
    return found


def test_a_link_to_a_heading_leads_to_one(repository: Path) -> None:
    links = 0
    for page in (*pages(repository), repository / "README.md", repository / "bench" / "README.md"):
        text = page.read_text(encoding="utf-8")
        for target, anchor in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", text):
            found = (page.parent / target).resolve() if target else page
            if found.suffix == ".md":
                links += 1
                assert anchor in anchors(found), f"{page.name}: {target}#{anchor}"
    assert links > 50  # a check that finds no links would pass


def test_a_decision_is_one_page_of_context_decision_consequence(repository: Path) -> None:
    records = sorted((repository / "docs" / "decisions").glob("[0-9]*.md"))
    index = (repository / "docs" / "decisions" / "README.md").read_text(encoding="utf-8")
    assert records
    for number, record in enumerate(records, start=1):
        text = record.read_text(encoding="utf-8")
        lines = text.splitlines()
        title = lines[0].removeprefix(f"# {number}. ")
        assert record.name.startswith(f"{number:04}-"), record.name
        assert title != lines[0], f"{record.name}: the title has another number"
        assert [line for line in lines if line.startswith("## ")] == SECTIONS, record.name
        assert len(text.split()) < 400, f"{record.name} is longer than a page"
        assert f"{number}. [{title}]({record.name})\n" in index, record.name


def test_the_page_from_the_shell_shows_every_method(repository: Path) -> None:
    shown = (repository / "docs" / "shell.md").read_text(encoding="utf-8")
    for file in (recognition_pb2, gallery_pb2):
        for service in file.DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                assert f"{service.full_name}/{method.name}" in shown, method.full_name


def test_the_licenses_are_those_of_the_installed_packages() -> None:
    shown = licenses.PAGE.read_text(encoding="utf-8")
    assert shown == licenses.page(), "out of date: run .venv/bin/python tools/licenses.py"


def test_the_installed_packages_are_the_pinned_ones(repository: Path) -> None:
    pinned = (repository / "requirements" / "dev.txt").read_text().lower().replace("_", "-")
    for name, version in re.findall(
        r"^\| ([\w-]+) \| ([\d.]+) \| ", licenses.PAGE.read_text(), re.MULTILINE
    ):
        assert f"\n{name.lower().replace('_', '-')}=={version} \\\n" in pinned, name


def test_the_glossary_has_at_most_twelve_house_words(repository: Path) -> None:
    page = (repository / "docs" / "glossary.md").read_text(encoding="utf-8")
    house = page[page.index("## House words") : page.index("## Terms from elsewhere")]
    words = re.findall(r"^\| ([a-z ]+) \| ", house, re.MULTILINE)[1:]
    assert len(words) == len(set(words))
    assert words == sorted(words)
    assert 1 <= len(words) <= 12


def test_what_runs_is_pinned_without_the_tools(repository: Path) -> None:
    lines = (repository / "requirements" / "run.txt").read_text().splitlines()
    pinned = {canonicalize_name(line.split("==")[0]) for line in lines if "==" in line}
    packages = licenses.runtime_packages(without=frozenset({"dlib", "heic", "otel"}))
    asked = {canonicalize_name(one.metadata["Name"]) for one in packages}
    # setuptools installs our packages; openvino-telemetry is asked for by OpenVINO's converter only.
    assert pinned == asked - {"openvino-telemetry"} | {"setuptools"}


def test_the_changelog_is_kept(repository: Path) -> None:
    text = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", text, re.MULTILINE)
    assert released[0] == "Unreleased"
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= kinds


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_a_page_names_only_targets_that_make_has(repository: Path, name: str) -> None:
    text = (repository / name).read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text(), re.MULTILINE))
    lines = re.findall(r"(?:^|`)make ([a-z -]+)", text, re.MULTILINE)
    assert lines
    for line in lines:
        assert set(line.split()) <= targets, line


def test_the_picture_is_small_and_is_there(repository: Path) -> None:
    picture = repository / "docs" / "recognized.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 150_000


def test_sizes_are_told(repository: Path) -> None:
    done = subprocess.run(
        [sys.executable, "tools/sizes.py"], cwd=repository, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("code: ")
