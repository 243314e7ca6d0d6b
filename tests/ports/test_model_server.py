"""The local model server speaks as TensorFlow Serving does, to the real grpcurl."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facewire_server.proof import canary, detector_proof, follow_proof
from facewire_server.proof.model_contract import ModelContract
from harness.model_servers import ModelServer

PREDICT = "tensorflow.serving.PredictionService/Predict"
METADATA = "tensorflow.serving.PredictionService/GetModelMetadata"
STATUS = "tensorflow.serving.ModelService/GetModelStatus"
FIELD = {"metadata_field": ["signature_def"]}
GRPCURL = Path(sys.executable).with_name("grpcurl")


@pytest.fixture
def call(repository: Path, served_models: tuple[ModelServer, ModelServer]):
    """Calls the server of a model; returns the answer, or the text of grpcurl's error."""
    protoset = repository / "server/facewire_server/backends/tfserving/wire.binpb"

    servers = {one.name: one for one in served_models}

    def call(method: str, request: dict[str, Any], of: str = "embedding") -> Any:
        command: list[str | Path] = [GRPCURL, "-plaintext", "-protoset", protoset, "-d", "@"]
        done = subprocess.run(
            [*command, servers[of].address, method],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stderr if done.returncode else json.loads(done.stdout)

    return call


def tensor(dtype: str, array: np.ndarray) -> dict[str, Any]:
    return {
        "dtype": dtype,
        "tensor_shape": {"dim": [{"size": size} for size in array.shape]},
        "tensor_content": base64.b64encode(array.tobytes()).decode(),
    }


def faces(crops: np.ndarray) -> dict[str, Any]:
    return tensor("DT_UINT8", crops)


def test_grpcurl_asks_for_the_status(call) -> None:
    (version,) = call(STATUS, {"model_spec": {"name": "embedding"}})["model_version_status"]
    assert (version["version"], version["state"]) == ("1", "AVAILABLE")


def test_grpcurl_predicts_and_gets_the_golden_embeddings(call, repository: Path) -> None:
    crops = canary.crops()
    request = {"model_spec": {"name": "embedding"}, "inputs": {"faces": faces(crops)}}
    answer = call(PREDICT, request)
    assert answer["model_spec"] == {
        "name": "embedding",
        "signature_name": "serving_default",
        "version": "1",
    }
    output = answer["outputs"]["embeddings"]
    assert output["tensor_shape"] == {"dim": [{"size": "4"}, {"size": "128"}]}
    # TensorFlow Serving's default: numbers, not bytes.
    embeddings = np.array(output["float_val"], np.float32).reshape(4, 128)
    contract = (repository / "server/facewire_server/model_contracts/sface.json").read_text()
    golden = ModelContract.from_json(contract).golden
    assert canary.check(embeddings, golden) >= canary.CANARY_MIN_COSINE


def test_grpcurl_follows_by_the_name_of_the_signature(call) -> None:
    windows = follow_proof.windows()
    request = {
        "model_spec": {"name": "mtcnn", "signature_name": "follow"},
        "inputs": {
            "image": tensor("DT_UINT8", detector_proof.draw()),
            "boxes": tensor("DT_FLOAT", windows),
        },
    }
    answer = call(PREDICT, request, of="mtcnn")
    assert answer["model_spec"]["signature_name"] == "follow"
    boxes = np.array(answer["outputs"]["boxes"]["float_val"], np.float32).reshape(-1, 4)
    np.testing.assert_allclose(boxes[:-1], follow_proof.GOLDEN_BOXES, atol=0.05)
    signatures = call(METADATA, {"model_spec": {"name": "mtcnn"}, **FIELD}, of="mtcnn")
    assert {"follow", "serving_default"} <= signatures["metadata"]["signature_def"][
        "signature_def"
    ].keys()


def test_grpcurl_reads_the_signature(call) -> None:
    request = {"model_spec": {"name": "embedding"}, "metadata_field": ["signature_def"]}
    signatures = call(METADATA, request)["metadata"]["signature_def"]["signature_def"]
    assert signatures["serving_default"]["inputs"]["faces"]["dtype"] == "DT_UINT8"


SPEC = {"model_spec": {"name": "embedding"}}
FACE = faces(canary.crops()[:1])
SMALL = faces(canary.crops()[:1, :64])
SENT_EXTRA = (
    "input size does not match signature: 2!=1 len({faces,y}) != len({faces}). Sent extra: {y}. "
    "Missing but required: {}."
)


@pytest.mark.parametrize(
    ("method", "request_", "code", "named"),
    [
        (PREDICT, {}, "InvalidArgument", "Missing ModelSpec"),
        (
            PREDICT,
            {"model_spec": {"name": "nobody"}},
            "NotFound",
            "Servable not found for request: Latest(nobody)",
        ),
        (
            PREDICT,
            {"model_spec": {"name": "embedding", "version": 7}},
            "NotFound",
            "Servable not found for request: Specific(embedding, 7)",
        ),
        (
            PREDICT,
            {"model_spec": {"name": "embedding", "signature_name": "embed"}},
            "FailedPrecondition",
            'Serving signature key "embed" not found.',
        ),
        (
            PREDICT,
            {"model_spec": {"name": "embedding", "version_label": "stable"}},
            "InvalidArgument",
            "label",
        ),
        (PREDICT, SPEC | {"inputs": {"faces": FACE, "y": FACE}}, "InvalidArgument", SENT_EXTRA),
        (
            PREDICT,
            SPEC | {"inputs": {"y": FACE}},
            "InvalidArgument",
            "input tensor alias not found in signature: y. Inputs expected to be in the set {faces}.",
        ),
        (
            PREDICT,
            SPEC | {"inputs": {"faces": FACE | {"tensor_content": "AAAA"}}},
            "InvalidArgument",
            "faces",
        ),
        (
            PREDICT,
            SPEC | {"inputs": {"faces": {"dtype": "DT_FLOAT", "float_val": [1]}}},
            "InvalidArgument",
            "DT_FLOAT",
        ),
        (PREDICT, SPEC | {"inputs": {"faces": SMALL}}, "InvalidArgument", "requested shape"),
        (
            PREDICT,
            SPEC | {"inputs": {"faces": FACE}, "output_filter": ["x"]},
            "InvalidArgument",
            "output tensor alias not found in signature: x Outputs expected to be in the set {embeddings,norms}.",
        ),
        (STATUS, {}, "InvalidArgument", "Missing ModelSpec"),
        (STATUS, {"model_spec": {"name": "nobody"}}, "NotFound", "nobody"),
        (STATUS, {"model_spec": {"name": "embedding", "version": 7}}, "NotFound", "7"),
        (METADATA, SPEC, "InvalidArgument", "metadata_field"),
        (METADATA, SPEC | {"metadata_field": ["x"]}, "InvalidArgument", "metadata_field"),
    ],
)
def test_errors_have_tensorflow_servings_codes_and_name_what_is_wrong(
    call, method: str, request_: dict[str, Any], code: str, named: str
) -> None:
    said = call(method, request_)
    assert isinstance(said, str), said
    assert f"Code: {code}\n" in said
    assert named in said.rpartition("Message: ")[2]
