"""A stand-in for TensorFlow Serving on machines without containers: for development and tests.

It serves `PredictionService` and `ModelService` as `tensorflow_model_server` does, with the real
SavedModels in TensorFlow, and follows some of that program's flags (`--help` shows them; `--listen` and `--engine` are
its own). The others it takes without following them, and it refuses what the real one would misread. It is written
in Python, has no batching and no REST, and is not hardened: production runs the real one.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

# Set before anything imports TensorFlow, which would log to standard error.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
from tensorflow_serving.config import model_server_config_pb2

from facewire_serving import batching
from facewire_serving.engines import ENGINES
from facewire_serving.services import ModelService, PredictionService
from facewire_serving.serving_flags import fault
from facewire_serving.versions import Versions

__all__ = ["main"]

_THREADS_PER_PROCESSOR: Final = 4
"""Default of `--grpc_max_threads`, TensorFlow Serving's: tensorflow_serving/model_servers/server.h."""

_POLLING_THREADS: Final = 1
"""Of these threads, one always waits for calls: src/cpp/thread_manager/thread_manager.cc of gRPC. A call for which no thread is left
is declined with RESOURCE_EXHAUSTED, whatever its method."""

_GRACE_S: Final = 5.0
"""Seconds that calls in progress have to end when the server stops. Chosen, not measured."""

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit status.

    When every model is loaded it prints one line: "PredictionService on ADDRESS:PORT".
    """
    parser = _parser()
    options, others = parser.parse_known_args(arguments)
    if faults := [text for text in map(fault, others) if text]:
        parser.error("; ".join(faults))
    if options.grpc_max_threads <= _POLLING_THREADS:
        parser.error("--grpc_max_threads: with one thread TensorFlow Serving declines every call")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    tf.get_logger().setLevel("ERROR")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        folders = _folders(options)
        _check_batching(options, others)
    except (OSError, ValueError, text_format.ParseError) as error:
        print(f"model_server: {error}", file=sys.stderr)
        return 2
    if others:
        _log.info("flags of TensorFlow Serving, not followed here: %s", " ".join(others))
    models = {name: Versions(name, path, ENGINES[options.engine]) for name, path in folders.items()}
    for model in models.values():
        model.poll()
        if model.get(None) is None:
            print(f"model_server: {model.name} cannot be served", file=sys.stderr)
            return 1
    server = _server(options, models)
    port = server.add_insecure_port(f"{options.listen}:{options.port}")
    server.start()
    print(f"PredictionService on {options.listen}:{port}", flush=True)
    while not stop.wait(options.file_system_poll_wait_seconds):
        for model in models.values():
            model.poll()
    server.stop(_GRACE_S).wait()
    return 0


def _server(options: argparse.Namespace, models: dict[str, Versions]) -> grpc.Server:
    calls_at_once = options.grpc_max_threads - _POLLING_THREADS
    server = grpc.server(
        ThreadPoolExecutor(calls_at_once),
        maximum_concurrent_rpcs=calls_at_once,
        options=(
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            # A second server on the port must fail, not share it.
            ("grpc.so_reuseport", 0),
        ),
    )
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(models, as_tensor_content=options.enable_serialization_as_tensor_content),
        server,
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(models), server)
    return server


def _folders(options: argparse.Namespace) -> dict[str, Path]:
    """Name and base path of each model."""
    if not options.model_config_file:
        return {options.model_name: options.model_base_path}
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(options.model_config_file.read_text(encoding="utf-8"), config)
    models = config.model_config_list.config
    if any(model.HasField("model_version_policy") for model in models):
        raise ValueError("only the newest version is served here: no model_version_policy")
    return {model.name: Path(model.base_path) for model in models}


def _check_batching(options: argparse.Namespace, others: list[str]) -> None:
    """Reads the batching parameters, which are not followed here, and logs that."""
    if (path := options.batching_parameters_file) is None:
        return
    if not {"--enable_batching", "--enable_batching=true"} & set(others):
        raise ValueError("--batching_parameters_file without --enable_batching")
    try:
        batching.read(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    _log.info("%s: read as TensorFlow Serving reads it; predictions are not joined here", path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m facewire_serving.model_server", description=__doc__, allow_abbrev=False
    )
    add = parser.add_argument
    add("--listen", default="127.0.0.1", help="address; TensorFlow Serving listens on all")
    add("--port", type=int, default=8500, help="0 = any free one (default: %(default)s)")
    add("--model_name", default="default")
    add("--model_base_path", type=Path, help="folder of the version folders")
    add("--model_config_file", type=Path, help="several models, instead of the two above")
    add("--file_system_poll_wait_seconds", type=float, default=1.0)
    add("--enable_serialization_as_tensor_content", action="store_true")
    add("--batching_parameters_file", type=Path, help="checked, and not followed")
    add(
        "--grpc_max_threads",
        type=int,
        default=_THREADS_PER_PROCESSOR * len(os.sched_getaffinity(0)),
        help="calls at once, and one; further ones are declined (default here: %(default)s)",
    )
    add("--engine", choices=sorted(ENGINES), default="tensorflow", help="for comparisons")
    return parser


if __name__ == "__main__":
    sys.exit(main())
