"""The table of servables: every row is opened, proven and addressed by what it says itself."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from facewire_server.configuration.settings import Settings
from facewire_server.errors import ModelUnavailable
from facewire_server.proof import signature
from facewire_server.proof.model_contract import ModelContract
from facewire_server.proof.servables import DETECTOR, EMBEDDER, FOLLOWER, servables

CONTRACT = ModelContract("c", 8, np.eye(4, 8, dtype=np.float32))


class Answering:
    """A model that returns the same outputs for any input."""

    def __init__(self, **outputs: np.ndarray) -> None:
        self._outputs = outputs

    async def predict(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        return self._outputs


def test_the_rows_have_labels_of_their_own_and_settings_that_exist() -> None:
    rows = servables(CONTRACT)
    assert [row.label for row in rows] == [DETECTOR, FOLLOWER, EMBEDDER]
    settings = Settings()
    assert [getattr(settings, row.address_setting) for row in rows] == ["", "", ""]


def test_the_embedding_row_is_of_the_model_contract() -> None:
    (row,) = (row for row in servables(CONTRACT) if row.label == EMBEDDER)
    assert (row.name, row.signature) == ("embedding", signature.embedding(8))


def test_the_contract_says_which_servable_it_is_and_the_row_keeps_its_label() -> None:
    *_, row = servables(replace(CONTRACT, servable="another"))
    assert (row.label, row.name) == (EMBEDDER, "another")


def test_a_second_signature_of_a_servable_is_a_row_that_shares_its_address_and_may_be_absent() -> (
    None
):
    searching, following, _ = servables(CONTRACT)
    assert (following.name, following.label) == (searching.name, "mtcnn/follow")
    assert following.address_setting == searching.address_setting
    assert [row.is_required for row in servables(CONTRACT)] == [True, False, True]


@pytest.mark.parametrize(
    ("label", "outputs", "reason"),
    [
        (EMBEDDER, {"embeddings": np.eye(4, 8, k=1, dtype=np.float32)}, "of the model contract"),
        (
            DETECTOR,
            {
                "boxes": np.zeros((0, 4), np.float32),
                "scores": np.zeros(0, np.float32),
                "landmarks": np.zeros((0, 5, 2), np.float32),
            },
            "0 faces in a drawing of one",
        ),
        (
            FOLLOWER,
            {
                "boxes": np.zeros((3, 4), np.float32),
                "scores": np.ones(3, np.float32),
                "landmarks": np.zeros((3, 5, 2), np.float32),
            },
            "followed to another place",
        ),
    ],
)
async def test_each_row_refuses_another_model(label: str, outputs, reason: str) -> None:
    (row,) = (row for row in servables(CONTRACT) if row.label == label)
    with pytest.raises(ModelUnavailable, match=reason):
        await row.prove(Answering(**outputs))


def test_the_rows_are_the_servables_that_are_documented(repository: Path) -> None:
    text = (repository / "serving/README.md").read_text(encoding="utf-8")
    for row in servables(CONTRACT):
        assert f"[{row.name}.{row.signature.name}.inputs]" in text
