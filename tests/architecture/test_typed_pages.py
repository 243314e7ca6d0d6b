"""The Python that a page shows is typed as strictly as the product: who copies it has no error to suppress."""

import subprocess
import sys
from pathlib import Path

import pytest

from architecture.test_readme import PAGES, blocks

PYTHON = {
    f"{page}_{number}".replace("/", "_").replace(".", "_").replace("-", "_"): block.code
    for page in PAGES
    for number, block in enumerate(blocks(page))
    if block.language == "python"
}


def errors_of(repository: Path, folder: Path, sources: dict[str, str]) -> str:
    """What mypy reports of some files, by the settings of this repository; "" if nothing."""
    for name, code in sources.items():
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", str(folder)],
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=100,
    )
    return done.stdout + done.stderr


def test_the_python_of_all_pages_is_typed(repository: Path, tmp_path: Path) -> None:
    assert len(PYTHON) >= 4
    assert errors_of(repository, tmp_path, PYTHON) == ""


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import facewire\n\nfacewire.Client(1)\n", "arg-type"),
        ("async def main():\n    pass\n", "no-untyped-def"),
    ],
)
def test_what_is_not_typed_would_be_found(
    repository: Path, tmp_path: Path, code: str, error: str
) -> None:
    assert error in errors_of(repository, tmp_path, {"page": code})
