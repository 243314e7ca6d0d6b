"""The local model server takes the command line of TensorFlow Serving, and no other."""

import logging
import signal

import pytest

from facewire_serving import model_server

MODEL = ("--model_name=mtcnn", "--model_base_path=/nowhere")


@pytest.fixture(autouse=True)
def handlers_restored():
    """`main` sets its own, for the whole process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    "argument",
    ["--grpc_max_thread=64", "--enable_batchin", "--tensorflow_intra_op_parallelism", "64"],
)
def test_what_tensorflow_serving_would_misread_is_refused(argument, capsys):
    with pytest.raises(SystemExit) as ended:
        model_server.main([*MODEL, argument])
    assert ended.value.code == 2
    assert f"{argument}: TensorFlow Serving" in capsys.readouterr().err


@pytest.mark.parametrize("count", [-1, 0, 1])
def test_threads_of_which_none_is_left_for_a_call_are_refused(count, capsys):
    with pytest.raises(SystemExit) as ended:
        model_server.main([*MODEL, f"--grpc_max_threads={count}"])
    assert ended.value.code == 2
    assert "declines every call" in capsys.readouterr().err


def test_what_it_does_not_follow_is_named(caplog):
    with caplog.at_level(logging.INFO):
        assert model_server.main([*MODEL, "--tensorflow_inter_op_parallelism=2"]) == 1  # no model
    assert "not followed here: --tensorflow_inter_op_parallelism=2" in caplog.text


@pytest.mark.parametrize(
    ("text", "flags", "why"),
    [
        ("max_batch_size: 64", ["--enable_batching"], "not the text of a BatchingParameters"),
        ("num_batch_threads { value: 0 }", ["--enable_batching=true"], "at least 1"),
        ("num_batch_threads { value: 2 }", [], "without --enable_batching"),
        (
            "num_batch_threads { value: 2 }",
            ["--enable_batching=false"],
            "without --enable_batching",
        ),
        (None, ["--enable_batching"], "No such file"),
    ],
)
def test_batching_parameters_that_tensorflow_serving_refuses(tmp_path, capsys, text, flags, why):
    path = tmp_path / "batching.config"
    if text is not None:
        path.write_text(text)
    flags = [*MODEL, f"--batching_parameters_file={path}", *flags]
    assert model_server.main(flags) == 2
    assert why in capsys.readouterr().err
