"""The calls that the console's page shows work as shown."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

COMMANDS = re.findall(
    r"^curl .*$",
    (Path(__file__).parents[2] / "docs/console.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, portrait: bytes) -> Path:
    """The pictures that the page speaks of."""
    made = tmp_path_factory.mktemp("pictures")
    for name in ("ada.jpg", "party.jpg"):
        (made / name).write_bytes(portrait)
    return made


def test_the_commands_are_where_they_are_looked_for() -> None:
    assert len(COMMANDS) == 5


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_succeeds(console, folder, command) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl, which is not on this machine")
    shown = command.replace("http://127.0.0.1:5000", console.url)
    assert shown != command
    done = subprocess.run(
        ["bash", "-c", shown.replace("curl ", "curl --silent --fail ", 1)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in json.loads(done.stdout)
