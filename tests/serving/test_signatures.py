"""serving/README.md against the SavedModels, as each engine sees them."""

import tomllib
from pathlib import Path

import pytest
import tensorflow as tf

from facewire_server.backends.saved_model import OUTPUT, as_default

README = Path(__file__).parents[2] / "serving" / "README.md"
OPENVINO_TYPES = {"uint8": "u8", "float32": "f32"}


def documented():
    block = README.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    return tomllib.loads(block)


SIGNATURES = documented()


def fixed(shape):
    """A documented shape with None for the dimensions that are free."""
    return [None if isinstance(size, str) else size for size in shape]


PAIRS = [(servable, name) for servable, signatures in SIGNATURES.items() for name in signatures]


@pytest.fixture(scope="module", params=PAIRS, ids="/".join)
def signature(request, model_folder):
    """What is documented of a signature, its servable, its name, and the folder of the SavedModel."""
    servable, name = request.param
    return SIGNATURES[servable][name], servable, name, model_folder(servable)


def test_tensorflow_sees_the_documented_signature(signature):
    expected, servable, name, folder = signature
    signatures = tf.saved_model.load(str(folder)).signatures
    assert set(signatures) == set(SIGNATURES[servable])
    _, inputs = signatures[name].structured_input_signature
    outputs = signatures[name].structured_outputs
    for side, found in (("inputs", inputs), ("outputs", outputs)):
        assert {one: (spec.dtype.name, spec.shape.as_list()) for one, spec in found.items()} == {
            one: (tensor["dtype"], fixed(tensor["shape"])) for one, tensor in expected[side].items()
        }


def test_openvino_sees_the_documented_signature(signature, in_openvino):
    expected, _, name, folder = signature
    with as_default(folder, name) as copy:
        model = in_openvino(copy)
    for side, found in (("inputs", model.inputs), ("outputs", model.outputs)):
        tensors = expected[side]
        ports = {port.any_name.removeprefix(OUTPUT): port for port in found}
        assert ports.keys() == tensors.keys()
        for one, port in ports.items():
            assert port.element_type.get_type_name() == OPENVINO_TYPES[tensors[one]["dtype"]]
            found_shape = [
                None if size.is_dynamic else size.get_length() for size in port.partial_shape
            ]
            assert found_shape == fixed(tensors[one]["shape"])
