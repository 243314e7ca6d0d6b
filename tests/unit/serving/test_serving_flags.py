"""Arguments that `tensorflow_model_server` reads, and those that it would pass over without a word to whoever wrote them."""

import pytest

from facewire_serving.serving_flags import fault


@pytest.mark.parametrize(
    "argument",
    [
        "--port=8500",
        "--load_retry_interval_micros=-1",
        "--enable_batching",
        "--enable_batching=true",
        "--enable_model_warmup=false",
        "--model_name=mtcnn",
        "--ssl_config_file=",
        "--grpc_channel_arguments=grpc.max_connection_age_ms=30000,grpc.max_concurrent_streams=8",
        "--per_process_gpu_memory_fraction=0.4",
    ],
)
def test_an_argument_that_is_read_as_it_is_meant(argument: str) -> None:
    assert fault(argument) is None


@pytest.mark.parametrize(
    ("argument", "why"),
    [
        ("--grpc_max_thread=64", "no such flag"),
        ("--grpc-max-threads=64", "no such flag"),
        ("-port=8500", "no such flag"),
        ("port=8500", "no such flag"),
        ("--", "no such flag"),
        ("8500", "no such flag"),  # the second word of `--port 8500`
        ("--port", "in one word; the value is int"),
        ("--port=", "the value is int"),
        ("--port=85a", "the value is int"),
        ("--model_name", "in one word; the value is text"),
        ("--enable_batching=1", "the value is true or false"),
        ("--enable_batching=True", "the value is true or false"),
        ("--per_process_gpu_memory_fraction=half", "the value is float"),
    ],
)
def test_an_argument_that_would_be_passed_over_or_misread(argument: str, why: str) -> None:
    text = fault(argument)
    assert text is not None
    assert text.startswith(argument)
    assert why in text
