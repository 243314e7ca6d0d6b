"""Secrets that every user may read are found."""

from pathlib import Path

from facewire_server.host.file_modes import readable_by_others


def test_what_others_may_use_is_named_with_its_mode(tmp_path: Path) -> None:
    modes = {"private": 0o600, "group": 0o640, "key": 0o644, "folder": 0o701}
    for name, mode in modes.items():
        path = tmp_path / name
        path.mkdir() if name == "folder" else path.touch()
        path.chmod(mode)
    paths = [*(tmp_path / name for name in modes), tmp_path / "missing", None]
    assert readable_by_others(paths) == [
        (str(tmp_path / "key"), "0644"),
        (str(tmp_path / "folder"), "0701"),
    ]
