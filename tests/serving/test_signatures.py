"""serving/README.md against the SavedModels, as each engine sees them."""

import tomllib
from pathlib import Path

import pytest
import tensorflow as tf

README = Path(__file__).parents[2] / "serving" / "README.md"
OPENVINO_TYPES = {"uint8": "u8", "float32": "f32"}


def documented():
    block = README.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    return tomllib.loads(block)


SIGNATURES = documented()


def fixed(shape):
    """A documented shape with None for the dimensions that are free."""
    return [None if isinstance(size, str) else size for size in shape]


@pytest.fixture(scope="module", params=sorted(SIGNATURES))
def servable(request, model_folder):
    return SIGNATURES[request.param], model_folder(request.param)


def test_tensorflow_sees_the_documented_signature(servable):
    expected, folder = servable
    signatures = tf.saved_model.load(str(folder)).signatures
    assert list(signatures) == ["serving_default"]
    signature = signatures["serving_default"]
    _, inputs = signature.structured_input_signature
    for side, found in (("inputs", inputs), ("outputs", signature.structured_outputs)):
        assert {name: (spec.dtype.name, spec.shape.as_list()) for name, spec in found.items()} == {
            name: (tensor["dtype"], fixed(tensor["shape"]))
            for name, tensor in expected[side].items()
        }


def test_openvino_sees_the_documented_signature(servable, in_openvino):
    expected, folder = servable
    model = in_openvino(folder)
    for side, found in (("inputs", model.inputs), ("outputs", model.outputs)):
        tensors = expected[side]
        assert {port.any_name for port in found} == set(tensors)
        for port in found:
            tensor = tensors[port.any_name]
            assert port.element_type.get_type_name() == OPENVINO_TYPES[tensor["dtype"]]
            found_shape = [
                None if size.is_dynamic else size.get_length() for size in port.partial_shape
            ]
            assert found_shape == fixed(tensor["shape"])
