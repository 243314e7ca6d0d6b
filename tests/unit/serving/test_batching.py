"""Files of batching parameters that TensorFlow Serving takes, and those at which it would end."""

import pytest

from facewire_serving import batching


def test_every_field_is_read_in_its_own_form() -> None:
    parameters = batching.read(
        """
        # a comment
        max_batch_size { value: 64 }
        batch_timeout_micros { value: 0 }
        max_enqueued_batches { value: 0 }
        num_batch_threads { value: 2 }
        thread_pool_name { value: "faces" }
        enable_large_batch_splitting { value: true }
        max_execution_batch_size { value: 16 }
        allowed_batch_sizes: 4
        allowed_batch_sizes: 16
        pad_variable_length_inputs: true
        """
    )
    assert parameters.max_batch_size.value == 64
    assert parameters.thread_pool_name.value == "faces"
    assert parameters.max_execution_batch_size.value == 16
    assert list(parameters.allowed_batch_sizes) == [4, 16]
    assert parameters.pad_variable_length_inputs


def test_what_is_not_set_is_left_to_the_scheduler() -> None:
    parameters = batching.read("")
    assert not parameters.HasField("max_batch_size")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("max_batch_size: 64", "not the text of a BatchingParameters"),
        ("max_batchsize { value: 64 }", "not the text of a BatchingParameters"),
        ("max_batch_size { value: 64", "not the text of a BatchingParameters"),
        ("allowed_batch_sizes { value: 4 }", "not the text of a BatchingParameters"),
        ("max_batch_size { value: 0 }", "max_batch_size is 0: at least 1"),
        ("num_batch_threads { value: 0 }", "num_batch_threads is 0: at least 1"),
        ("batch_timeout_micros { value: -1 }", "batch_timeout_micros is -1: at least 0"),
        (
            "max_batch_size { value: 8 } allowed_batch_sizes: 8 allowed_batch_sizes: 4",
            "do not rise",
        ),
        ("max_batch_size { value: 8 } allowed_batch_sizes: 4", "4; max_batch_size is 8"),
        (
            "max_batch_size { value: 8 } enable_large_batch_splitting { value: true } "
            "max_execution_batch_size { value: 4 } allowed_batch_sizes: 8",
            "8; max_execution_batch_size is 4",
        ),
        ("allowed_batch_sizes: 4", "4; max_batch_size is 1000"),
        (
            "max_batch_size { value: 8 } enable_large_batch_splitting { value: true } "
            "max_execution_batch_size { value: 16 }",
            "max_execution_batch_size is 16, above max_batch_size",
        ),
    ],
)
def test_what_the_scheduler_would_refuse(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        batching.read(text)
