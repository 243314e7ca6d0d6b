"""Faces are kept between runs, by configuration, where only their owner can read them."""

from pathlib import Path

import numpy as np
import pytest

from facewire_server.evaluation.cache import face_cache
from facewire_server.pipeline.acquire import Acquired
from facewire_server.types import Quality


def face() -> Acquired:
    generator = np.random.default_rng(1)
    box, probe, template = (generator.normal(size=size).astype(np.float32) for size in (4, 8, 8))
    return Acquired(
        3, box, Quality(41.5, 2.0, 3.0, 4.0, yaw=0.1, pitch=-0.2), 0.9, 9.25, probe, template
    )


def test_what_was_kept_is_found_in_the_next_run(tmp_path: Path) -> None:
    kept = face()
    with face_cache(tmp_path / "new", "contract a") as cache:
        assert cache.find("picture") is None
        cache.keep("picture", kept)
        cache.keep("nobody", 0)
    with face_cache(tmp_path / "new", "contract a") as cache:
        found = cache.find("picture")
        assert isinstance(found, Acquired)
        assert (found.face_count, found.quality, found.norm) == (3, kept.quality, kept.norm)
        for name in ("box", "probe", "template"):
            np.testing.assert_array_equal(getattr(found, name), getattr(kept, name))
        assert cache.find("nobody") == 0


def test_another_configuration_finds_nothing(tmp_path: Path) -> None:
    with face_cache(tmp_path, "contract a") as cache:
        cache.keep("picture", face())
    with face_cache(tmp_path, "contract b") as cache:
        assert cache.find("picture") is None


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with face_cache(folder, "a") as cache:
        cache.keep("picture", face())
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_without_a_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with face_cache(None, "a") as cache:
        cache.keep("picture", 0)
        assert cache.find("picture") == 0
    assert not list(tmp_path.iterdir())


def test_a_folder_that_holds_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "faces.sqlite").write_text(
        "this is no database, and long enough to look like one " * 20
    )
    with pytest.raises(OSError, match=str(tmp_path)), face_cache(tmp_path, "a"):
        pass
