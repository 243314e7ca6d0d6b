"""The warning of an enrolled picture that also matches another identity: where it points, and who may turn it off."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import facewire
from fakes.server import FakeServer


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        yield fake


@pytest.fixture
def portrait(astronaut: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(astronaut[:256, 96:352])


def line_of(text: str) -> int:
    """Returns the number of the only line of this file that ends like this."""
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    (number,) = [row for row, line in enumerate(lines, 1) if line.endswith(text)]
    return number


def test_the_blocking_clients_warning_names_the_line_that_called_it(
    server: FakeServer, portrait: np.ndarray
) -> None:
    with facewire.Client(server.address) as client:
        client.enroll("ann", portrait)
        with pytest.warns(facewire.SimilarIdentityWarning) as warned:
            client.enroll("anne", portrait)  # the blocking one
    assert (warned[0].filename, warned[0].lineno) == (__file__, line_of("# the blocking one"))


async def test_asyncios_warning_names_the_line_that_awaited_it(
    server: FakeServer, portrait: np.ndarray
) -> None:
    async with facewire.AsyncClient(server.address) as client:
        await client.enroll("ann", portrait)
        with pytest.warns(facewire.SimilarIdentityWarning) as warned:
            await client.enroll("anne", portrait)  # the awaited one
    assert (warned[0].filename, warned[0].lineno) == (__file__, line_of("# the awaited one"))


def test_it_is_told_once_for_all_pictures_of_a_call_and_can_be_turned_off(
    server: FakeServer, portrait: np.ndarray
) -> None:
    with facewire.Client(server.address) as client:
        client.enroll("ann", portrait)
        with pytest.warns(facewire.SimilarIdentityWarning) as warned:
            client.enroll("anne", [portrait] * 11)  # two calls of the contract
        assert len(warned) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", facewire.SimilarIdentityWarning)
            assert client.enroll("anna", portrait).pictures[0].similar_identity_id


def test_nobody_is_warned_of_a_person_who_resembles_only_herself(
    server: FakeServer, portrait: np.ndarray
) -> None:
    with facewire.Client(server.address) as client:
        for _ in range(2):
            assert client.enroll("ann", portrait).accepted_count == 1
