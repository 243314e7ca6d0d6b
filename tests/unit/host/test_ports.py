"""Why a server cannot listen is said, whatever the reason is; a reserved port is no other server's."""

import resource
import socket
from pathlib import Path

import pytest

from facewire_server.host.ports import reserved_port, why_not


def test_another_server_is_blamed_only_if_there_is_one() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert why_not(f"127.0.0.1:{port}") == "another server is there already"
    assert "lines in the log" in why_not("127.0.0.1:0")
    assert why_not("192.0.2.1:50051") == "Cannot assign requested address"
    assert "not known" in why_not("no-such-host.invalid:50051")


def test_a_limit_of_files_is_named() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        assert why_not("127.0.0.1:0") == "Too many open files"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_path_that_is_taken_is_named(tmp_path: Path) -> None:
    assert why_not(f"unix:{tmp_path}") == "another server is there already"


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "[::]", "[::1]"])
def test_a_reserved_port_is_no_other_servers_before_a_worker_listens(host: str) -> None:
    with reserved_port(f"{host}:0") as port:
        address = f"{host}:{port}"
        assert why_not(address) == "another server is there already"
        with pytest.raises(OSError, match=f":{port}: another server"), reserved_port(address):
            pass
    assert "the address is free" in why_not(address)


def test_workers_listen_on_a_reserved_port_together() -> None:
    with reserved_port("127.0.0.1:0") as port, socket.socket() as one, socket.socket() as two:
        for worker in (one, two):
            worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            worker.bind(("127.0.0.1", port))
            worker.listen()
        with pytest.raises(OSError, match="another server"), reserved_port(f"127.0.0.1:{port}"):
            pass


def test_a_port_that_a_server_has_cannot_be_reserved() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(OSError, match="another server"), reserved_port(address):
            pass


@pytest.mark.parametrize("shared", [0, 1])
def test_connections_that_ended_a_moment_ago_do_not_keep_a_port(shared: int) -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as gRPC does
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = server.getsockname()
        with socket.create_connection(address) as client:
            accepted, _ = server.accept()
            accepted.close()  # first: this end keeps the port in TIME_WAIT
            assert not client.recv(1)
    with reserved_port(f"127.0.0.1:{address[1]}") as port:
        assert port == address[1]
