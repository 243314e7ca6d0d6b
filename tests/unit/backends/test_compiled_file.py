"""A network that was compiled before is not compiled again, predicts the same, and no damage or other model is taken for it."""

import os
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from facewire_server.backends.compiled_file import CompiledFile
from facewire_server.backends.openvino_engine import OpenVinoModel


@pytest.fixture
def cascade(models: Path, tmp_path: Path) -> Path:
    """A folder of `mtcnn` of the test's own, for which nothing was compiled."""
    shutil.copytree(models / "mtcnn/1", tmp_path / "mtcnn/1")
    return tmp_path / "mtcnn"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What OpenVINO reads meanwhile, in order to compile it."""
    paths: list[object] = []
    reading = ov.Core.read_model

    def read_model(core: ov.Core, path: object) -> ov.Model:
        paths.append(path)
        return reading(core, path)

    monkeypatch.setattr(ov.Core, "read_model", read_model)
    return paths


async def found(cascade: Path, astronaut: NDArray[np.uint8]) -> dict[str, NDArray]:
    inputs: dict[str, NDArray] = {
        "image": astronaut,
        "min_face_px": np.array(40, np.float32),
        "thresholds": np.array([0.6, 0.7, 0.7], np.float32),
    }
    with closing(OpenVinoModel(cascade, threads=2)) as engine:
        return await engine.predict(inputs)


def kept(cascade: Path) -> list[Path]:
    return list((cascade / ".compiled").iterdir())


async def test_the_second_start_compiles_nothing_and_finds_the_same(
    cascade: Path, read: list[object], astronaut: NDArray[np.uint8]
) -> None:
    first = await found(cascade, astronaut)
    assert len(read) == 1
    second = await found(cascade, astronaut)
    assert len(read) == 1
    assert len(first["boxes"])
    assert first.keys() == second.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name])
    (file,) = kept(cascade)
    assert [one.stat().st_mode & 0o777 for one in (file, file.parent)] == [0o600, 0o700]


@pytest.mark.parametrize("damage", ["", "cut", "changed"])
async def test_a_damaged_file_is_compiled_again_and_replaced(
    cascade: Path, read: list[object], astronaut: NDArray[np.uint8], damage: str
) -> None:
    await found(cascade, astronaut)
    (file,) = kept(cascade)
    whole = file.read_bytes()
    middle = len(whole) // 2
    changed = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    file.write_bytes({"": b"", "cut": whole[:middle], "changed": changed}[damage])
    assert len((await found(cascade, astronaut))["boxes"])
    assert len(read) == 2
    await found(cascade, astronaut)
    assert len(read) == 2


async def test_what_openvino_refuses_is_compiled_again(
    cascade: Path, read: list[object], astronaut: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CompiledFile, "read", lambda self: b"of another build")
    assert len((await found(cascade, astronaut))["boxes"])
    assert len(read) == 1


async def test_where_nothing_can_be_kept_each_start_compiles(
    cascade: Path, read: list[object], astronaut: NDArray[np.uint8]
) -> None:
    (cascade / ".compiled").write_text("no folder")
    for count in (1, 2):
        assert len((await found(cascade, astronaut))["boxes"])
        assert len(read) == count


def name_of(version: Path, *facts: str) -> str:
    folder = version.parent / ".compiled"
    before = set(folder.glob("*"))
    file = CompiledFile(version, facts)
    assert file.read() is None
    file.keep(b"compiled")
    assert file.read() == b"compiled"
    (added,) = set(folder.iterdir()) - before
    return added.name


def test_every_part_of_the_model_and_every_fact_has_a_file_of_its_own(tmp_path: Path) -> None:
    version = tmp_path / "1"
    (version / "variables").mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"graph")
    names = {name_of(version, "f32", "follow"), name_of(version, "f32f", "ollow")}
    (version / "variables" / "variables.index").write_bytes(b"weights")
    names.add(name_of(version, "f32", "follow"))
    (version / "variables" / "variables.index").write_bytes(b"others")
    names.add(name_of(version, "f32", "follow"))
    (version / "saved_model.pb").write_bytes(b"graph 2")
    names.add(name_of(version, "f32", "follow"))
    assert len(names) == 5


def test_few_files_are_kept_and_the_oldest_go_first(tmp_path: Path) -> None:
    version = tmp_path / "1"
    version.mkdir()
    (version / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / ".compiled").mkdir()
    (tmp_path / ".compiled" / "written.part").touch()
    before = ["left.part", *map(str, range(19))]
    for age, name in enumerate(before):
        (tmp_path / ".compiled" / name).touch()
        os.utime(tmp_path / ".compiled" / name, ns=(age, age))
    added = name_of(version, "f32")
    # Another process may be writing the young part; one that was killed has left the old one.
    assert {file.name for file in kept(tmp_path)} == {*before[-7:], added, "written.part"}


def test_a_model_of_many_constants_is_not_kept(tmp_path: Path) -> None:
    version = tmp_path / "1"
    version.mkdir()
    (version / "saved_model.pb").touch()
    os.truncate(version / "saved_model.pb", (16 << 20) + 1)
    file = CompiledFile(version, ["f32"])
    assert not file.is_kept
    assert file.read() is None
