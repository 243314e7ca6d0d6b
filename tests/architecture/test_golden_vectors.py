"""The bytes on the wire are those that were agreed on, in every language."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from google.protobuf.message import Message

from facewire.v1 import recognition_pb2

FOLDER = Path(__file__).parents[2] / "protos" / "testdata"
VECTORS = sorted(FOLDER.glob("*.textproto"))


def message_in(vector: Path) -> Message:
    message = getattr(recognition_pb2, vector.name.split(".")[0])()
    return text_format.Parse(vector.read_text(encoding="utf-8"), message)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.stem)
def test_text_and_bytes_are_one_message(vector: Path) -> None:
    golden = vector.with_suffix(".binpb").read_bytes()
    message = message_in(vector)
    assert message.SerializeToString(deterministic=True) == golden
    assert type(message).FromString(golden) == message


def test_every_message_that_a_camera_meets_has_a_vector() -> None:
    kinds = {
        message_in(vector).WhichOneof("message") for vector in VECTORS if "Stream" in vector.name
    }
    request, response = (
        recognition_pb2.StreamRecognizeRequest,
        recognition_pb2.StreamRecognizeResponse,
    )
    fields = {
        field.name
        for message in (request, response)
        for field in message.DESCRIPTOR.oneofs_by_name["message"].fields
    }
    assert kinds == fields
