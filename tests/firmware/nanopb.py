"""nanopb as Debian has it: generates the messages of a profile, and compiles C as for a microcontroller."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

__all__ = ["FLAGS", "PROFILES", "ROOM", "built", "compiled", "generated", "missing"]

REPOSITORY = Path(__file__).parents[2]
ROOM = REPOSITORY / "clients" / "nanopb"
PROTOS = REPOSITORY / "protos"
PROFILES = {"small": PROTOS, "full": ROOM / "full"}
"""Where the options of each profile are."""

FLAGS = ("-Os", "-Wall", "-Wextra", "-Werror", "-std=c99")
_NAMES = ("facewire/v1/face", "facewire/v1/recognition")


def missing() -> str:
    """Returns what these tests need and is not there; "" if all of it is."""
    lacking = [
        name for name in ("cc", "nm", "protoc", "protoc-gen-nanopb") if not shutil.which(name)
    ]
    if not Path("/usr/include/pb_decode.h").is_file():
        lacking.append("libnanopb-dev")
    return f"needs {', '.join(lacking)} (requirements/debian.list)" if lacking else ""


def _run(*command: object, cwd: Path = REPOSITORY) -> str:
    # Debian's generator is a program of Debian's own Python.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def generated(options: Path, into: Path) -> list[Path]:
    """Generates the messages by the options below a folder; returns the C files."""
    into.mkdir(parents=True, exist_ok=True)
    said = _run(
        "protoc", "-I", PROTOS, f"--nanopb_opt=-I{options}", f"--nanopb_out={into}",
        *(f"{name}.proto" for name in _NAMES),
    )  # fmt: skip
    assert not said, said  # such as an option that fits no field
    return [into / f"{name}.pb.c" for name in _NAMES]


def compiled(source: Path, into: Path) -> Path:
    """Compiles a file beside the generated messages in `into`; returns the object."""
    result = into / f"{source.stem}.o"
    _run(
        "cc",
        *FLAGS,
        "-D_POSIX_C_SOURCE=200809L",
        f"-I{ROOM}",
        f"-I{into}",
        "-c",
        source,
        "-o",
        result,
    )
    return result


def built(objects: Sequence[Path], result: Path, *options: str) -> Path:
    """Links a program with nanopb's library."""
    _run("cc", *objects, *options, "-lprotobuf-nanopb", "-o", result)
    return result


def undefined(object_file: Path) -> set[str]:
    """Returns the names that an object wants from elsewhere."""
    return {
        line.split()[-1]
        for line in _run("nm", "--undefined-only", object_file).splitlines()
        if line
    }
