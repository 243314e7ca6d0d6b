"""An address of the settings becomes a target of gRPC, or an error that says what would."""

import pytest

from facewire_server.backends.tfserving import target


@pytest.mark.parametrize(
    ("address", "name", "replica_count"),
    [
        ("mtcnn:8500", "dns:///mtcnn:8500", 0),
        ("emb_b.site.example.:8501", "dns:///emb_b.site.example.:8501", 0),
        ("10.0.0.1:8500", "dns:///10.0.0.1:8500", 1),
        ("[fd00::2]:2", "dns:///[fd00::2]:2", 1),
        ("10.0.0.1:8500, 10.0.0.2:8501", "ipv4:10.0.0.1:8500,10.0.0.2:8501", 2),
        ("[fd00::1]:1,[fd00::2]:2", "ipv6:[fd00::1]:1,[fd00::2]:2", 2),
        ("10.0.0.1:1,10.0.0.1:1", "ipv4:10.0.0.1:1,10.0.0.1:1", 1),
    ],
)
def test_an_address_becomes_a_target(address: str, name: str, replica_count: int) -> None:
    assert target(address) == (name, replica_count)


@pytest.mark.parametrize(
    "address",
    [
        *("mtcnn", ":8500", "mtcnn:", "mtcnn:http", "mtcnn:0", "mtcnn:65536", "mtcnn:-1"),
        *("10.0.0.1:8500,", ",", "a:1,,b:1", "a:1 b:1"),
        *("http://mtcnn:80", "mtcnn:80/v1", "dns:///mtcnn:80", "user@mtcnn:80"),
        *("::1:8500", "[::1]", "[mtcnn]:8500", "[10.0.0.1]:8500", "10.0.0.256:1", "10.1:8500"),
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is not host:port, as in"):
        target(address)


@pytest.mark.parametrize(
    "address", ["emb-a:8500,emb-b:8500", "10.0.0.1:8500,emb:8500", "10.0.0.1:1,[fd00::1]:1"]
)
def test_several_hosts_that_grpc_has_no_target_for_are_refused_with_the_other_way(
    address: str,
) -> None:
    with pytest.raises(ValueError, match="or one DNS name that has all their addresses"):
        target(address)


@pytest.mark.parametrize("host", ["mtcnn", "10.0.0.1", "[::1]"])
def test_with_tls_grpc_is_given_the_name_that_certificates_are_made_out_to(host: str) -> None:
    assert target(f"{host}:8500", tls=True).name == f"dns:///{host}:8500"


def test_with_tls_several_hosts_are_refused() -> None:
    with pytest.raises(ValueError, match="one DNS name"):
        target("10.0.0.1:1,10.0.0.2:1", tls=True)
