"""The wheels hold what they must, and work without a checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire import __version__

# What the wheel depends on, and what these depend on.
_NEEDED = ("grpc", "google", "typing_extensions.py")


@pytest.fixture(scope="module")
def wheels(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each package, by name. Built from copies: a build leaves folders behind."""
    sources, target = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("wheels")
    ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
    for room in ("clients/python", "clients/console", "server", "serving"):
        shutil.copytree(repository / room, sources / room, ignore=ignored)
        command = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", target]
        subprocess.run([sys.executable, "-m", *map(str, command), sources / room], check=True)
    return {path.name.split("-")[0]: path for path in target.glob("*.whl")}


@pytest.fixture(scope="module")
def wheel(wheels: dict[str, Path]) -> Path:
    return wheels["facewire"]


def site_packages(home: Path) -> Path:
    return Path(sysconfig.get_paths(vars={"base": str(home), "platbase": str(home)})["purelib"])


def installed(home: Path, *wheels: Path) -> Path:
    """A new environment with wheels in it and nothing that they depend on; returns its commands."""
    venv.create(home, with_pip=False, symlinks=True)
    install = ["pip", "--python", home, "install", "--quiet", "--no-deps", "--no-index", *wheels]
    subprocess.run([sys.executable, "-m", *map(str, install)], check=True)
    return home / "bin"


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


def test_the_console_has_its_document_and_its_page_with_it(
    wheels: dict[str, Path], repository: Path
) -> None:
    package = repository / "clients" / "console" / "facewire_console"
    ours = {
        str(path.relative_to(package.parent))
        for path in package.rglob("*")
        if path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")
    }
    packed = zipfile.ZipFile(wheels["facewire_console"]).namelist()
    assert {name for name in packed if ".dist-info/" not in name} == ours


def test_it_carries_the_license_of_the_repository(wheel: Path, repository: Path) -> None:
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
    commands = installed(home, wheel)
    for name in _NEEDED:
        (site_packages(home) / name).symlink_to(Path(sysconfig.get_paths()["purelib"]) / name)
    code = (
        "import sys, facewire; facewire.Client('127.0.0.1:1').close(); "
        "print([m for m in ('numpy', 'cv2', 'typer', 'rich') if m in sys.modules])"
    )
    imported = subprocess.run(
        [commands / "python", "-W", "error", "-c", code], capture_output=True, text=True
    )
    assert (imported.stdout.strip(), imported.stderr) == ("[]", "")
    command = subprocess.run([commands / "facewire"], capture_output=True, text=True)
    assert command.returncode == 2
    assert "pip install 'WHEEL[cli]'" in command.stderr
    code = "import facewire.video"
    video = subprocess.run([commands / "python", "-c", code], capture_output=True, text=True)
    assert "pip install 'WHEEL[video]'" in video.stderr


@pytest.mark.parametrize(
    ("package", "room"), [("facewire_server", "server"), ("facewire_serving", "serving")]
)
def test_the_wheel_has_every_file_that_git_has(
    wheels: dict[str, Path], repository: Path, package: str, room: str
) -> None:
    listed = subprocess.run(
        ["git", "ls-files", package],
        cwd=repository / room,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    packed = {
        name for name in zipfile.ZipFile(wheels[package]).namelist() if ".dist-info/" not in name
    }
    sources = {name for name in listed if Path(name).suffix == ".proto"}
    assert packed == set(listed) - sources


def test_a_server_from_wheels_gets_its_models_by_one_command_and_recognizes(
    wheels: dict[str, Path], tmp_path: Path, astronaut: NDArray[np.uint8]
) -> None:
    home, empty = tmp_path / "environment", tmp_path / "empty"
    empty.mkdir()
    commands = installed(home, *wheels.values())
    # What the wheels depend on; the editable installs of this checkout are not on such a path.
    (site_packages(home) / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run: dict[str, Any] = {"cwd": empty, "env": environment, "text": True}
    code = "import facewire, facewire_server as a, facewire_serving as b; print(facewire.__file__, a.__file__, b.__file__)"
    found = subprocess.run([commands / "python", "-c", code], stdout=subprocess.PIPE, **run)
    assert all(Path(each).is_relative_to(home) for each in found.stdout.split()), found.stdout

    subprocess.run([commands / "facewire-models"], check=True, **run)
    command: list[str | Path] = [commands / "facewire-server", "run", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, **run) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1]
            picture = np.ascontiguousarray(astronaut)
            with facewire.Client(address) as client:
                client.enroll("eileen", picture)
                (face,) = client.recognize(picture).faces
            assert face.name == "eileen"
            server.terminate()
            assert server.wait() == 0
        finally:
            server.kill()
