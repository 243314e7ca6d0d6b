"""The flags of `tensorflow_model_server`, by which a wrong one is found before that program passes over it.

It prints `unknown argument` and serves on, without what the flag was to do; it also takes `--flag value`, in two words, for
an unknown argument.

Sources: `flag_list` in tensorflow_serving/model_servers/main.cc, read in a copy of April 2025 (between the releases 2.18 and
2.19; neither the program nor the file of release 2.21 was available), and `tsl/util/command_line_flags.cc` for how values are read.
"""

import re
from typing import Final, Literal, TypeAlias

__all__ = ["FLAGS", "fault"]

Kind: TypeAlias = Literal["bool", "int", "float", "text"]

FLAGS: Final[dict[str, Kind]] = {
    # Ports and threads of the two APIs.
    "port": "int",
    "grpc_socket_path": "text",
    "grpc_channel_arguments": "text",
    "grpc_max_threads": "int",
    "enable_grpc_healthcheck_service": "bool",
    "use_alts_credentials": "bool",
    "ssl_config_file": "text",
    "rest_api_port": "int",
    "rest_api_num_threads": "int",
    "rest_api_timeout_in_ms": "int",
    "rest_api_enable_cors_support": "bool",
    # Models and their versions.
    "model_name": "text",
    "model_base_path": "text",
    "model_config_file": "text",
    "model_config_file_poll_wait_seconds": "int",
    "allow_version_labels_for_unavailable_models": "bool",
    "file_system_poll_wait_seconds": "int",
    "flush_filesystem_caches": "bool",
    "saved_model_tags": "text",
    "num_load_threads": "int",
    "num_unload_threads": "int",
    "max_num_load_retries": "int",
    "load_retry_interval_micros": "int",
    "enable_model_warmup": "bool",
    "num_request_iterations_for_warmup": "int",
    "enable_signature_method_name_check": "bool",
    "enable_serialization_as_tensor_content": "bool",
    "remove_unused_fields_from_bundle_metagraph": "bool",
    # How predictions run.
    "enable_batching": "bool",
    "batching_parameters_file": "text",
    "enable_per_model_batching_parameters": "bool",
    "tensorflow_session_parallelism": "int",
    "tensorflow_session_config_file": "text",
    "tensorflow_intra_op_parallelism": "int",
    "tensorflow_inter_op_parallelism": "int",
    "thread_pool_factory_config_file": "text",
    "platform_config_file": "text",
    "per_process_gpu_memory_fraction": "float",
    "mixed_precision": "text",
    "skip_initialize_tpu": "bool",
    "xla_cpu_compilation_enabled": "bool",
    "xla_gpu_compilation_enabled": "bool",
    "prefer_tflite_model": "bool",
    "num_tflite_pools": "int",
    "num_tflite_interpreters_per_pool": "int",
    # About the process.
    "monitoring_config_file": "text",
    "enable_profiler": "bool",
    "version": "bool",
}
"""Name, without the dashes, and kind of each flag."""

_VALUES: Final[dict[Kind, str]] = {
    "bool": r"(=(true|false))?",
    "int": r"=[+-]?\d+",
    "float": r"=[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?",
    "text": r"=.*",
}
"""What follows the name, as a regular expression."""


def fault(argument: str) -> str | None:
    """Returns why `tensorflow_model_server` would not read an argument as it is meant; None if it does."""
    name = argument.removeprefix("--").partition("=")[0]
    if not argument.startswith("--") or name not in FLAGS:
        return f"{argument}: TensorFlow Serving has no such flag, and would pass over it"
    kind = FLAGS[name]
    if re.fullmatch(_VALUES[kind], argument.removeprefix(f"--{name}")):
        return None
    wanted = "true or false" if kind == "bool" else kind
    return (
        f"{argument}: TensorFlow Serving reads --{name}=VALUE, in one word; the value is {wanted}"
    )
