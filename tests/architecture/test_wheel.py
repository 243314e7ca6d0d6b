"""The wheel of the client holds what it must, and works where there is nothing else."""

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from facewire import __version__

# What the wheel depends on, and what these depend on.
_NEEDED = ("grpc", "google", "typing_extensions.py")


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy: a build leaves folders behind."""
    source = tmp_path_factory.mktemp("source") / "python"
    shutil.copytree(
        repository / "clients" / "python",
        source,
        ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"),
    )
    target = tmp_path_factory.mktemp("wheel")
    command = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", target, source]
    subprocess.run([sys.executable, "-m", *map(str, command)], check=True)
    (built,) = target.glob("facewire-*.whl")
    return built


def test_its_types_and_stubs_are_in_it_and_nothing_else_is(wheel: Path, repository: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    package = repository / "clients" / "python" / "facewire"
    ours = {
        str(path.relative_to(package.parent))
        for pattern in ("*.py", "*.pyi", "py.typed")
        for path in package.rglob(pattern)
    }
    packed = {name for name in names if ".dist-info/" not in name}
    assert packed == ours
    assert {"facewire/py.typed", "facewire/v1/face_pb2.pyi"} <= packed


def test_it_carries_the_licence_of_the_repository(wheel: Path, repository: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith("/licenses/LICENSE"))
        assert archive.read(name) == (repository / "LICENSE").read_bytes()


def test_it_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith("/METADATA"))
        text = archive.read(name).decode()
    lines = text.partition("\n\n")[0].splitlines()
    assert f"Version: {__version__}" in lines
    plain = [line for line in lines if line.startswith("Requires-Dist:") and "extra" not in line]
    assert plain == ["Requires-Dist: grpcio>=1.74", "Requires-Dist: protobuf>=6.31.1"]


def test_it_works_in_an_empty_environment_and_the_command_says_what_it_lacks(
    wheel: Path, tmp_path: Path
) -> None:
    home = tmp_path / "empty"
    venv.create(home, with_pip=False, symlinks=True)
    install = ["pip", "--python", home, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run([sys.executable, "-m", *map(str, install)], check=True)
    site = Path(sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})["purelib"])
    for name in _NEEDED:
        (site / name).symlink_to(Path(sysconfig.get_paths()["purelib"]) / name)
    code = (
        "import sys, facewire; facewire.Client('127.0.0.1:1').close(); "
        "print([m for m in ('numpy', 'cv2', 'typer', 'rich') if m in sys.modules])"
    )
    imported = subprocess.run(
        [home / "bin" / "python", "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert (imported.stdout.strip(), imported.stderr) == ("[]", "")
    command = subprocess.run([home / "bin" / "facewire"], capture_output=True, text=True)
    assert command.returncode == 2
    assert "pip install 'facewire[cli]'" in command.stderr
    code = "import facewire.video"
    video = subprocess.run([home / "bin" / "python", "-c", code], capture_output=True, text=True)
    assert "pip install 'facewire[video]'" in video.stderr
