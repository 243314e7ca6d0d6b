"""Addresses of the settings become targets that gRPC balances over."""

import pytest

from facewire_server.backends.tfserving import target


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("mtcnn:8500", "dns:///mtcnn:8500"),
        ("localhost:8500", "dns:///localhost:8500"),
        ("10.0.0.1:8500", "ipv4:10.0.0.1:8500"),
        ("10.0.0.1:8500, 10.0.0.2:8501", "ipv4:10.0.0.1:8500,10.0.0.2:8501"),
        ("[::1]:8500,[fd00::2]:8500", "ipv6:[::1]:8500,[fd00::2]:8500"),
    ],
)
def test_an_address_is_a_target(address: str, wanted: str) -> None:
    assert target(address) == wanted


@pytest.mark.parametrize(
    "address",
    ["mtcnn", ":8500", "mtcnn:", "mtcnn:http", "mtcnn:0", "mtcnn:65536", "10.0.0.1:8500,", ","],
)
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ValueError, match="not host:port"):
        target(address)


@pytest.mark.parametrize("address", ["a:1,b:1", "10.0.0.1:1,b:1", "10.0.0.1:1,[::1]:1"])
def test_a_list_that_grpc_cannot_balance_is_told_with_the_remedy(address: str) -> None:
    with pytest.raises(ValueError, match="one DNS name"):
        target(address)
