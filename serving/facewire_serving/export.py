"""Writes the graphs of the servables in TensorFlow: `python -m facewire_serving.export`.

Run it after a change of a graph, a constant, a warm-up request or the version of TensorFlow (`make graphs`), and
commit what changes in `graphs/`. tests/serving/test_graphs.py fails until then.
"""

import argparse
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Final

# Set before anything imports TensorFlow, which would log to standard error.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import tensorflow as tf
from rich.console import Console
from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef

from facewire_serving import embedding, facenet, minifasnet, mobilefacenet, mtcnn, warm_up, weights
from facewire_serving.graph import GRAPHS, Graph
from facewire_serving.servables import SERVABLES

__all__ = ["main"]

_EXPORTS = {
    "mtcnn": mtcnn.export,
    "embedding": embedding.export,
    "facenet_vggface2": facenet.export,
    "facenet_casia": facenet.export,
    "w600k_mbf": mobilefacenet.export,
    "presentation_attack": minifasnet.export,
}

_AT_ONCE: Final = 2
"""Servables at once: each process takes 1 GB."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = _parser().parse_args(arguments)
    # A fresh process for each: TensorFlow numbers the functions of a graph through the whole process.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(
        max_workers=_AT_ONCE, mp_context=spawn, max_tasks_per_child=1
    ) as processes:
        running = [
            processes.submit(_export, index, options.out, options.cache)
            for index in range(len(SERVABLES))
        ]
        for each in running:
            each.result()
    return 0


def _export(index: int, out: Path, cache: Path) -> None:
    tf.get_logger().setLevel("ERROR")
    servable = SERVABLES[index]
    name = servable.name
    constants = servable.constants(cache, Console(stderr=True))
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        _EXPORTS[name](constants, directory)
        warm_up.write(directory, name)
        _without_uuid(directory / "fingerprint.pb")
        graph = Graph.cut(directory, constants, tf.__version__)
    out.mkdir(parents=True, exist_ok=True)
    graph.write(out / f"{name}.zip")


def _without_uuid(path: Path) -> None:
    """Removes the one random number of a SavedModel, so that two exports are the same."""
    fingerprint = FingerprintDef.FromString(path.read_bytes())
    fingerprint.ClearField("uuid")
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m facewire_serving.export",
        description="Write the graphs of the servables, without weights, in TensorFlow.",
    )
    add = parser.add_argument
    add("--out", type=Path, default=GRAPHS, help="folder of graphs (default: %(default)s)")
    add("--cache", type=Path, default=weights.DEFAULT_CACHE, help="folder of downloaded weights")
    return parser


if __name__ == "__main__":
    sys.exit(main())
