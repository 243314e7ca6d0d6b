"""Addresses of the settings become replicas, which are found wherever their names lead."""

import asyncio

import pytest

from facewire_server.backends.tfserving import addresses, endpoints
from facewire_server.backends.tfserving.addresses import Replicas
from facewire_server.errors import ModelUnavailable


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("mtcnn:8500", [("mtcnn", 8500)]),
        ("emb-a:8500, emb_b.site.example.:8501", [("emb-a", 8500), ("emb_b.site.example.", 8501)]),
        ("10.0.0.1:8500,mtcnn:1,[fd00::2]:2", [("10.0.0.1", 8500), ("mtcnn", 1), ("fd00::2", 2)]),
    ],
)
def test_an_address_names_hosts_and_ports(address: str, wanted: list[tuple[str, int]]) -> None:
    assert list(endpoints(address)) == wanted


@pytest.mark.parametrize(
    "address",
    [
        *("mtcnn", ":8500", "mtcnn:", "mtcnn:http", "mtcnn:0", "mtcnn:65536", "mtcnn:-1"),
        *("10.0.0.1:8500,", ",", "a:1,,b:1", "a:1 b:1"),
        *("http://mtcnn:80", "mtcnn:80/v1", "dns:///mtcnn:80", "user@mtcnn:80"),
        *("::1:8500", "[::1]", "[mtcnn]:8500", "[10.0.0.1]:8500", "10.0.0.256:1", "10.1:8500"),
    ],
)
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(ValueError, match="is not host:port, as in"):
        endpoints(address)


def test_with_tls_several_hosts_are_told_to_be_one_name() -> None:
    assert endpoints("mtcnn:8500", tls=True)
    with pytest.raises(ValueError, match="one DNS name"):
        endpoints("a:1,b:1", tls=True)


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("a:1", "ipv4:10.0.0.1:1"),
        ("a:1,b:2", "ipv4:10.0.0.1:1,10.0.0.2:2,10.0.0.3:2"),
        ("b:2,a:1", "ipv4:10.0.0.1:1,10.0.0.2:2,10.0.0.3:2"),
        ("a:1,a:1", "ipv4:10.0.0.1:1"),
        ("six:1", "ipv6:[fd00::1]:1"),
        ("six:1,a:1", "ipv6:[::ffff:10.0.0.1]:1,[fd00::1]:1"),
        ("gone:1,a:1", "ipv4:10.0.0.1:1"),
    ],
)
async def test_all_addresses_of_all_names_are_one_target(names, address: str, wanted: str) -> None:
    names.update(a=["10.0.0.1"], b=["10.0.0.3", "10.0.0.2"], six=["fd00::1"])
    replicas = Replicas(address, tls=False)
    assert await replicas.target() == wanted
    assert replicas.count == wanted.count(",") + 1


async def test_ip_addresses_need_no_name_server() -> None:
    replicas = Replicas("127.0.0.1:1,[::1]:2", tls=False)
    assert await replicas.target() == "ipv6:[::1]:2,[::ffff:127.0.0.1]:1"


async def test_a_name_that_moves_is_followed_and_one_that_is_gone_keeps_its_addresses(
    names,
) -> None:
    names.update(a=["10.0.0.1"], b=["10.0.0.2"])
    replicas = Replicas("a:1,b:1", tls=False)
    assert await replicas.target() == "ipv4:10.0.0.1:1,10.0.0.2:1"
    names["a"] = ["10.0.0.7", "10.0.0.8"]
    del names["b"]
    assert await replicas.target() == "ipv4:10.0.0.2:1,10.0.0.7:1,10.0.0.8:1"


async def test_a_name_server_that_is_silent_costs_a_bounded_time(
    names, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    names["a"] = ["10.0.0.1"]
    replicas = Replicas("a:1", tls=False)
    target = await replicas.target()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", silent)
    monkeypatch.setattr(addresses, "_LOOK_UP_TIMEOUT_S", 0.01)
    assert await replicas.target() == target


async def test_where_no_name_is_known_the_names_are_told(names) -> None:
    with pytest.raises(ModelUnavailable, match="no address of a, b is found"):
        await Replicas("a:1,b:1", tls=False).target()


@pytest.mark.parametrize("host", ["mtcnn", "10.0.0.1", "[::1]"])
async def test_with_tls_grpc_knows_the_name_that_certificates_are_made_out_to(host: str) -> None:
    assert await Replicas(f"{host}:8500", tls=True).target() == f"dns:///{host}:8500"
