"""Builds the C++ client: the program `camera` and its unit tests, in a folder that is kept."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from harness import REPOSITORY

__all__ = ["BUILD", "SANITIZERS", "build", "missing"]

BUILD: Final = REPOSITORY / "build" / "cpp"
"""Where `make cpp` builds it."""

SANITIZERS: Final = "address,undefined"
"""Of a build that finds faults of memory and undefined behavior."""

_TOOLS: Final = ("c++", "cmake", "protoc", "grpc_cpp_plugin")
_HEADERS: Final = ("grpcpp/grpcpp.h", "gtest/gtest.h")
_INCLUDED: Final = ("/usr/include", "/usr/local/include")


def missing() -> str:
    """Returns the name of something that the build needs and this machine lacks, or ""."""
    for tool in _TOOLS:
        if shutil.which(tool) is None:
            return tool
    for header in _HEADERS:
        if not any((Path(folder) / header).is_file() for folder in _INCLUDED):
            return header
    return ""


def build(into: Path = BUILD, *, sanitize: str = "", build_type: str = "Release") -> Path:
    """Builds what has changed, and returns the folder: `camera`, `tests/unit_tests`.

    Args:
        into: the folder; it is made.
        sanitize: sanitizers of the client's own code, as `-fsanitize=` takes them; gRPC is the system's.
        build_type: of CMake.

    Raises:
        RuntimeError: it does not build; the text ends with what the compiler printed.
    """
    flags = [
        f"-DCMAKE_BUILD_TYPE={build_type}",
        "-DCMAKE_CXX_FLAGS_RELEASE=-O1",  # three quarters of the time of -O2, and no slower: gRPC does the work
        "-DFACEWIRE_BUILD_TESTS=ON",
        f"-DFACEWIRE_SANITIZE={sanitize}",
    ]
    _run(["cmake", "-S", str(REPOSITORY / "clients/cpp"), "-B", str(into), *flags])
    _run(["cmake", "--build", str(into), "--parallel", str(os.cpu_count() or 1)])
    return into


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{command[1]}: {(done.stdout + done.stderr)[-4000:]}")


if __name__ == "__main__":
    print(build())
