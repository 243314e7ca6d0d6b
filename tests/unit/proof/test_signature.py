"""The signatures that the server expects are the documented ones."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from facewire_server.proof import signature
from facewire_server.proof.signature import Signature, TensorSpec

FACES = TensorSpec("uint8", (None, 112, 112, 3))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mtcnn", signature.MTCNN),
        ("mtcnn", signature.FOLLOW),
        ("embedding", signature.embedding(128)),
    ],
)
def test_the_signatures_are_those_of_the_page(
    repository: Path, name: str, expected: Signature
) -> None:
    text = (repository / "serving/README.md").read_text(encoding="utf-8")
    page = tomllib.loads(text.split("```toml\n")[1].split("```")[0])[name][expected.name]
    inputs, outputs = (
        {
            tensor: TensorSpec(
                about["dtype"],
                tuple(None if isinstance(one, str) else one for one in about["shape"]),
            )
            for tensor, about in page[side].items()
        }
        for side in ("inputs", "outputs")
    )
    optional = frozenset(name for name, about in page["outputs"].items() if about.get("optional"))
    # The same name of a length means the same number.
    (length,) = {about["shape"][0] for about in page["outputs"].values()}
    rows_of = "".join(name for name, one in page["inputs"].items() if one["shape"][:1] == [length])
    assert Signature(inputs, outputs, expected.name, optional, rows_of) == expected


@pytest.mark.parametrize(
    ("spec", "accepted"),
    [
        (FACES, True),
        (TensorSpec("uint8", (None, None, None, None)), True),
        (TensorSpec("uint8", (8, 112, 112, 3)), True),
        (TensorSpec("uint8", (None, 160, 160, 3)), False),
        (TensorSpec("uint8", (None, 112, 112)), False),
        (TensorSpec("float32", (None, 112, 112, 3)), False),
    ],
)
def test_free_lengths_fit_all_and_others_only_themselves(spec: TensorSpec, accepted: bool) -> None:
    assert FACES.accepts(spec) is accepted


def test_a_signature_may_give_more_and_must_not_ask_for_more() -> None:
    expected = signature.embedding(128)
    vectors = expected.outputs["embeddings"]
    assert expected.accepts(
        Signature(expected.inputs, {**expected.outputs, "quality": TensorSpec("float32", ())})
    )
    assert not expected.accepts(
        Signature({**expected.inputs, "masks": FACES}, {"embeddings": vectors})
    )
    assert not expected.accepts(Signature(expected.inputs, {"vectors": vectors}))


def test_an_optional_output_may_be_absent_and_must_be_of_its_kind_if_it_is_there() -> None:
    expected = signature.embedding(128)
    vectors = {"embeddings": expected.outputs["embeddings"]}
    for norms in (None, (), (8,), (None,), (None, 1)):
        found = vectors if norms is None else vectors | {"norms": TensorSpec("float32", norms)}
        is_right = norms is None or len(norms) == 1
        assert expected.accepts(Signature(expected.inputs, found)) is is_right, norms
    required = Signature(expected.inputs, expected.outputs)
    assert not required.accepts(Signature(expected.inputs, vectors))


def test_a_signature_is_written_in_one_line() -> None:
    assert str(signature.embedding(128)) == (
        "serving_default(faces: uint8[?,112,112,3]) -> "
        "(embeddings: float32[?,128], optional norms: float32[?])"
    )


def outputs(rows: int, **others: np.ndarray) -> dict[str, np.ndarray]:
    """Of the embedding model, for this many crops."""
    vectors = np.ones((rows, 128), np.float32)
    return {"embeddings": vectors, "norms": vectors[:, 0], **others}


@pytest.mark.parametrize(
    ("returned", "fault"),
    [
        (outputs(2), ""),
        ({"embeddings": outputs(2)["embeddings"]}, ""),
        ({"norms": outputs(2)["norms"]}, "no embeddings"),
        (outputs(3), "different numbers of rows: {'embeddings': 3, 'norms': 3, 'faces': 2}"),
        (outputs(2, norms=np.ones(1, np.float32)), "different numbers of rows"),
        (outputs(2, norms=np.array([1, np.nan], np.float32)), "numbers in norms that are not"),
        (outputs(2, embeddings=np.full((2, 128), np.inf, np.float32)), "numbers in embeddings"),
    ],
)
def test_outputs_that_no_right_model_returns_have_a_fault(returned, fault: str) -> None:
    crops = {"faces": np.zeros((2, 112, 112, 3), np.uint8)}
    found = signature.embedding(128).fault(crops, returned)
    assert found.startswith(fault)
    assert bool(found) == bool(fault)


def test_no_face_is_no_fault() -> None:
    crops = {"faces": np.zeros((0, 112, 112, 3), np.uint8)}
    assert signature.embedding(128).fault(crops, outputs(0)) == ""
