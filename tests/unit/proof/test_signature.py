"""The signatures that the server expects are the documented ones."""

import tomllib
from pathlib import Path

import pytest

from facewire_server.proof import signature
from facewire_server.proof.signature import Signature, TensorSpec

FACES = TensorSpec("uint8", (None, 112, 112, 3))


@pytest.mark.parametrize(
    ("name", "expected"), [("mtcnn", signature.MTCNN), ("embedding", signature.embedding(128))]
)
def test_the_signatures_are_those_of_the_page(
    repository: Path, name: str, expected: Signature
) -> None:
    text = (repository / "serving/README.md").read_text(encoding="utf-8")
    page = tomllib.loads(text.split("```toml\n")[1].split("```")[0])[name]
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
    assert Signature(inputs, outputs, optional=optional) == expected


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
