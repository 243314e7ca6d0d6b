"""What the page carries of others is what its page of licenses names, and nothing is asked of another host."""

import hashlib
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "clients/console/facewire_console/static"
OWN = sorted(
    path
    for path in STATIC.rglob("*")
    if path.suffix in {".html", ".js", ".css", ".svg"} and path.parent.name != "vendor"
)


def test_the_files_of_others_are_those_that_are_named() -> None:
    vendor = STATIC / "vendor"
    named = dict(
        re.findall(
            r"^\| `(\S+)` .*`([0-9a-f]{64})` \|$", (vendor / "README.md").read_text(), re.MULTILINE
        )
    )
    carried = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in vendor.glob("*.js")
    }
    assert carried == named


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_nothing_is_asked_of_another_host(path: Path) -> None:
    addresses = set(re.findall(r"https?://[^\s\"'`)]+|[\"'(]//[^\s\"'`)]+", path.read_text())) - {
        "http://www.w3.org/2000/svg"
    }
    assert addresses == set()


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_a_file_has_one_idea_and_is_short(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 250
    if path.suffix in {".js", ".css"}:
        assert text.startswith(("// ", "/* ")), "its first line says what it is"
