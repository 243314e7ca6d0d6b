"""Builds the SavedModels of the servables: `python -m facewire_serving.export --out models`.

A version folder appears complete or not at all. It carries a stamp, the sha256 of the weights and
of the sources that it was built from: a second run sees that there is nothing to do and returns
before TensorFlow is even imported; a changed exporter builds anew.
"""

import argparse
import hashlib
import importlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from facewire_serving import weights

__all__ = ["SERVABLES", "STAMP", "Servable", "build", "main"]

# TensorFlow Serving and OpenVINO leave `assets.extra` of a SavedModel alone.
STAMP: Final = Path("assets.extra") / "facewire.json"
"""Where the stamp lies inside a version folder."""

_VERSION: Final = "1"
_SOURCES: Final = Path(__file__).parent


@dataclass(frozen=True)
class Servable:
    """How one servable is built.

    Attributes:
        name: Its name, of its folder and in a request.
        module: The module whose `export(parameters, directory)` writes it.
        sources: Patterns of the source files that shape it.
        files: The weights that it is made of.
        parameters: Takes the cache folder and the console and gives what `export` takes.
    """

    name: str
    module: str
    sources: tuple[str, ...]
    files: tuple[weights.Weights, ...]
    parameters: Callable[[Path, Console], Mapping[str, Any]]

    def stamp(self) -> dict[str, Any]:
        """What decides whether a build is current."""
        digest = hashlib.sha256()
        for path in sorted(path for pattern in self.sources for path in _SOURCES.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return {
            "weights": {file.name: file.sha256 for file in self.files},
            "sources": digest.hexdigest(),
        }


SERVABLES: Final = (
    Servable(
        name="mtcnn",
        module="facewire_serving.mtcnn",
        sources=("mtcnn*.py", "warm_up.py", "weights.py"),
        files=tuple(weights.MTCNN.values()),
        parameters=weights.mtcnn_parameters,
    ),
    Servable(
        name="embedding",
        module="facewire_serving.embedding",
        sources=("embedding.py", "warm_up.py", "weights.py"),
        files=(weights.SFACE,),
        parameters=lambda cache, console: weights.initializers(weights.sface_onnx(cache, console)),
    ),
)
"""All servables, in the order in which they are built."""


def build(servable: Servable, out: Path, cache: Path, console: Console) -> bool:
    """Builds a servable unless it is current.

    Args:
        servable: What to build.
        out: The folder of models; the result is `<out>/<name>/1`.
        cache: The folder of downloaded weights.
        console: Where progress is shown.

    Returns:
        Whether there was anything to do.

    Raises:
        weights.WeightsError: The weights cannot be had, or are not the ones of the manifest.
        OSError: The result cannot be written.
    """
    target = out / servable.name / _VERSION
    stamp = servable.stamp()
    if _stamped(target) == stamp:
        console.print(f"{target}: up to date")
        return False
    parameters = servable.parameters(cache, console)
    started = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Inside the target's parent, so that the rename stays on one file system. TensorFlow Serving
    # looks at numeric names only.
    with (
        tempfile.TemporaryDirectory(prefix=".building-", dir=target.parent) as scratch,
        console.status(f"Building {target}"),
    ):
        built = Path(scratch) / "new"
        _imported(servable.module).export(parameters, built)
        _imported("facewire_serving.warm_up").write(built, servable.name)
        (built / STAMP).write_text(json.dumps(stamp, indent=2) + "\n", encoding="utf-8")
        if target.exists():
            target.rename(Path(scratch) / "old")
        built.rename(target)
    console.print(f"{target}: built in {time.monotonic() - started:.0f} s")
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; answers the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        for servable in SERVABLES:
            if options.only in (None, servable.name):
                build(servable, options.out, options.cache, console)
    except KeyboardInterrupt:
        console.print("Stopped. Nothing half-built was left; run it again to go on.")
        return 128 + signal.SIGINT
    except (weights.WeightsError, ModuleNotFoundError, OSError) as error:
        console.print(f"The models could not be built: {_told(error)}", style="red", markup=False)
        return 1
    return 0


def _stamped(target: Path) -> dict[str, Any] | None:
    try:
        return json.loads((target / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _imported(module: str) -> Any:
    """Imports a module that needs TensorFlow, quietly."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Nothing is computed here; without oneDNN TensorFlow does not announce it either.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    imported = importlib.import_module(module)
    sys.modules["tensorflow"].get_logger().setLevel("ERROR")
    return imported


def _told(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError):
        return (
            f"Python has no module {error.name!r} here.\n"
            "The exporter has an environment of its own: pip install --no-deps -r serving/requirements.txt"
        )
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m facewire_serving.export",
        description="Build the SavedModels that facewire serves. A second run does nothing.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of models to write")
    parser.add_argument(
        "--cache",
        type=Path,
        default=weights.DEFAULT_CACHE,
        help="folder of downloaded weights (default: %(default)s)",
    )
    parser.add_argument(
        "--only", choices=[servable.name for servable in SERVABLES], help="build just this one"
    )
    return parser


if __name__ == "__main__":
    # A terminated run clears up like an interrupted one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
