"""Files that leave nothing behind, while another process looks for what was left behind."""

import os
from pathlib import Path

import pytest

from facewire_server.backends.erasable_files import ErasableFiles


def test_a_file_that_is_replaced_is_never_taken_for_a_stray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, others = (ErasableFiles(tmp_path, ".kept") for _ in range(2))
    files.write(7, b"before")
    os.utime(tmp_path / "7.kept", (1, 1))  # as if it were old
    replace, seen = Path.replace, []

    def replaced(path: Path, target: Path) -> Path:
        others.erase_strays([7])
        seen.append((tmp_path / "7.kept").read_bytes())
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replaced)
    files.write(7, b"after")
    assert seen == [b"before"]
    assert files.read(7) == b"after"
    assert [path.name for path in tmp_path.iterdir()] == ["7.kept"]


def test_its_state_changes_with_its_content(tmp_path: Path) -> None:
    files = ErasableFiles(tmp_path / "new", ".kept")
    assert files.states() == {}
    files.write(7, b"before")
    before = files.states()
    assert files.states() == before
    files.write(7, b"after")
    (tmp_path / "new" / "7.jpg").write_bytes(b"of another kind")
    assert files.states().keys() == {7}
    assert files.states() != before
