import json
import os
import shutil
import subprocess
import sys

import pytest

from facewire_serving import embedding, export, weights


@pytest.fixture
def spoilt_cache(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / weights.SFACE.name).write_bytes(b"not the weights")
    return cache


@pytest.fixture
def built(model_folder, tmp_path):
    """A copy of the built `embedding` model, and the command line that made it."""
    shutil.copytree(model_folder("embedding"), tmp_path / "models" / "embedding" / "1")
    return tmp_path / "models", ["--out", str(tmp_path / "models"), "--only", "embedding"]


def entries(folder):
    return {
        path.relative_to(folder): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_second_run_changes_nothing_and_does_not_import_tensorflow(built, capfd):
    models, arguments = built
    before = entries(models)
    program = (
        "import sys; from facewire_serving import export; "
        "status = export.main(sys.argv[1:]); print('tensorflow' in sys.modules); sys.exit(status)"
    )
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, env=environment())
    said = capfd.readouterr()
    assert said.out.strip() == "False"
    assert "up to date" in said.err
    assert entries(models) == before


def test_a_changed_source_builds_anew(built, cache):
    models, arguments = built
    stamp = models / "embedding" / "1" / export.STAMP
    current = json.loads(stamp.read_text())
    stamp.write_text(json.dumps(current | {"sources": "of another day"}))
    assert export.main([*arguments, "--cache", str(cache)]) == 0
    assert json.loads(stamp.read_text()) == current
    assert [path.name for path in (models / "embedding").iterdir()] == ["1"]


def test_the_stamp_names_the_weights_and_every_source(built, monkeypatch, tmp_path):
    models, _ = built
    stamp = json.loads((models / "embedding" / "1" / export.STAMP).read_text())
    assert stamp["weights"] == {weights.SFACE.name: weights.SFACE.sha256}
    for servable in export.SERVABLES:
        sources = tmp_path / servable.name
        shutil.copytree(export._SOURCES, sources)
        monkeypatch.setattr(export, "_SOURCES", sources)
        for path in sorted(path for pattern in servable.sources for path in sources.glob(pattern)):
            before = servable.stamp()
            path.write_text(path.read_text() + "# changed\n")
            assert servable.stamp() != before, path.name
        monkeypatch.undo()


def test_weights_of_another_hash_fail_loudly_and_build_nothing(spoilt_cache, tmp_path, capsys):
    models = tmp_path / "models"
    arguments = ["--out", str(models), "--only", "embedding", "--cache", str(spoilt_cache)]
    assert export.main(arguments) == 1
    said = capsys.readouterr().err
    assert f"expected sha256 {weights.SFACE.sha256}" in said
    assert "found    sha256" in said
    assert not models.exists()


@pytest.mark.parametrize(
    ("accident", "status"),
    [(KeyboardInterrupt(), 130), (OSError(28, "No space left on device"), 1)],
    ids=["interrupted", "disk_full"],
)
def test_a_run_that_is_cut_short_leaves_nothing_half_built(
    accident, status, cache, tmp_path, monkeypatch, capsys
):
    def half(parameters, directory):
        directory.mkdir()
        (directory / "saved_model.pb").write_bytes(b"half")
        raise accident

    monkeypatch.setattr(embedding, "export", half)
    models = tmp_path / "models"
    assert (
        export.main(["--out", str(models), "--only", "embedding", "--cache", str(cache)]) == status
    )
    assert list((models / "embedding").iterdir()) == []
    assert "Traceback" not in capsys.readouterr().err


def test_a_rebuild_that_fails_keeps_the_model_that_was_there(built, cache, monkeypatch):
    models, arguments = built
    stamp = models / "embedding" / "1" / export.STAMP
    stamp.write_text("{}")
    before = entries(models)

    def fail(parameters, directory):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(embedding, "export", fail)
    assert export.main([*arguments, "--cache", str(cache)]) == 1
    assert entries(models) == before


def test_a_missing_tensorflow_is_told_with_the_remedy(tmp_path, cache, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.delitem(sys.modules, "facewire_serving.embedding")
    arguments = ["--out", str(tmp_path), "--only", "embedding", "--cache", str(cache)]
    assert export.main(arguments) == 1
    assert "pip install --no-deps -r serving/requirements.txt" in capsys.readouterr().err


def environment():
    """This process's imports, for a child."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
