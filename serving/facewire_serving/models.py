"""Builds the SavedModels of the servables: `facewire-models --out models`.

The weights are downloaded, checked by their hashes and put into the committed graphs (`graph.py`); TensorFlow is not
needed. A version folder appears complete or not at all. It carries a stamp of the weights and the graph that it was
built from, so a second run does nothing.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from facewire_serving import weights
from facewire_serving.carrier import FetchError
from facewire_serving.graph import GRAPHS, Graph, GraphError
from facewire_serving.servables import SERVABLES, Servable

__all__ = ["STAMP", "build", "command", "main", "stamp"]

STAMP: Final = Path("assets.extra") / "facewire.json"
"""Path of the stamp in a version folder; TensorFlow Serving and OpenVINO do not read this folder."""

_VERSION: Final = "1"


def build(
    servable: Servable, out: Path, cache: Path, console: Console, graphs: Path = GRAPHS
) -> bool:
    """Builds a servable unless it is current.

    Args:
        servable: what to build.
        out: the folder of models; the result is `<out>/<name>/1`.
        cache: the folder of downloaded weights.
        console: where progress is shown.
        graphs: the folder of graphs.

    Returns:
        Whether the servable was built.

    Raises:
        FetchError: the weights cannot be downloaded, or are not those of the manifest.
        GraphError: the weights do not fit the graph.
        OSError: the result cannot be written.
    """
    target = out / servable.name / _VERSION
    graph = Graph.read(graphs / f"{servable.name}.zip")
    current = stamp(servable, graph)
    if _stamped(target) == current:
        console.print(f"{target}: up to date")
        return False
    constants = servable.constants(cache, console)
    started = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True)
    # Inside the target's parent, so that the rename stays on one file system. TensorFlow Serving
    # looks at numeric names only.
    with tempfile.TemporaryDirectory(prefix=".building-", dir=target.parent) as scratch:
        built = Path(scratch) / "new"
        graph.fill(constants, built)
        (built / STAMP).write_text(json.dumps(current, indent=2) + "\n", encoding="utf-8")
        if target.exists():
            target.rename(Path(scratch) / "old")
        built.rename(target)
    console.print(f"{target}: built in {time.monotonic() - started:.1f} s")
    return True


def stamp(servable: Servable, graph: Graph) -> dict[str, Any]:
    """Returns what a build is made from; a build with another stamp is not current."""
    return {
        "weights": {file.name: file.sha256 for file in servable.files},
        "graph": graph.digest(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the command line and builds; returns the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        wanted = [
            one
            for one in SERVABLES
            if (one.is_default if options.only is None else one.name == options.only)
        ]
        if not options.accept_non_commercial and (refusal := _refusal(wanted)):
            console.print(refusal, style="red", markup=False)
            return 2
        for servable in wanted:
            build(servable, options.out, options.cache, console)
    except KeyboardInterrupt:
        console.print("Stopped. No half-built model is left; run it again to go on.")
        return 128 + signal.SIGINT
    except (FetchError, GraphError, OSError) as error:
        console.print(f"The models could not be built: {error}", style="red", markup=False)
        return 1
    return 0


def command() -> None:
    """Runs the command `facewire-models`."""
    # A terminated run cleans up like an interrupted one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())


def _stamped(target: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((target / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="facewire-models",
        description="Build the SavedModels that facewire serves. A second run does nothing.",
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("models"), help="folder to write (default: %(default)s)")
    add(
        "--cache",
        type=Path,
        default=weights.DEFAULT_CACHE,
        help="folder of downloaded weights (default: %(default)s)",
    )
    add(
        "--only",
        choices=[servable.name for servable in SERVABLES],
        help="build just this one, which may be one that is not built otherwise",
    )
    add(
        "--accept-non-commercial",
        action="store_true",
        help="build weights that are licensed for non-commercial use only: you say that yours is such a use",
    )
    return parser


def _refusal(wanted: Sequence[Servable]) -> str:
    """Returns why a servable may not be built without the user's word; "" = all may."""
    for servable in wanted:
        for file in servable.files:
            if not file.is_commercial:
                return (
                    f"{servable.name} was not built: its license is {file.license}. Pass --accept-non-commercial if your use is "
                    "not commercial."
                )
    return ""


if __name__ == "__main__":
    command()
