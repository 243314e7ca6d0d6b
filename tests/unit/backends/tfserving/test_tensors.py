"""Arrays travel as bytes, and come back from either of the two forms that servers answer in."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from facewire_server.backends.tfserving import wire
from facewire_server.backends.tfserving.tensors import from_message, write
from facewire_server.proof.signature import MOST_ROWS, TensorSpec

ROW = TensorSpec("float32", (None,))


def message(shape: tuple[int, ...], **fields: object):
    made = wire.TensorProto(dtype=wire.DT_FLOAT, **fields)
    for size in shape:
        made.tensor_shape.dim.add(size=size)
    return made


@given(
    array=arrays(
        np.float32,
        array_shapes(min_dims=0, min_side=0, max_side=5),
        elements=st.floats(width=32, allow_nan=False),
    )
)
def test_both_forms_give_the_array(array: np.ndarray) -> None:
    written = wire.TensorProto()
    write(array, written)
    as_numbers = message(array.shape, float_val=array.ravel().tolist())
    expected = TensorSpec("float32", (None,) * array.ndim)
    for form in (written, as_numbers):
        found = from_message(form, expected)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, array)
        assert found.flags.writeable


def test_a_view_is_written_as_it_reads() -> None:
    array = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)[:, ::-1]
    written = wire.TensorProto()
    write(array, written)
    assert written.tensor_content == np.ascontiguousarray(array).tobytes()
    assert [one.size for one in written.tensor_shape.dim] == [2, 4, 3]


def test_the_last_number_stands_for_those_left_out() -> None:
    found = from_message(message((4,), float_val=[1, 2]), ROW)
    np.testing.assert_array_equal(found, [1, 2, 2, 2])


@pytest.mark.parametrize(
    "wrong",
    [
        message((3,), tensor_content=b"\0" * 8),
        message((3,), tensor_content=b"\0" * 7),
        message((1,), float_val=[1, 2]),
        message((2,)),
        message((-1,), float_val=[1, 2, 3]),
        wire.TensorProto(dtype=wire.DT_UINT8, tensor_content=b"\0"),
    ],
)
def test_what_is_no_tensor_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match=r"expected|reshape|size"):
        from_message(wrong, ROW)


@pytest.mark.parametrize(
    "shape", [(MOST_ROWS + 1, 2), (1 << 40, 2), (1 << 62, 4), (2, 1 << 28), (2,), (), (2, 2, 1)]
)
def test_a_shape_that_the_signature_does_not_have_is_refused_before_memory_is_taken(shape) -> None:
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"expected float32\[\?,2\]"):
        from_message(message(shape, float_val=[1]), TensorSpec("float32", (None, 2)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 1 << 20
