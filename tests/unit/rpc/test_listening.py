"""Why a server cannot listen is said, whatever the reason is."""

import resource
import socket
from pathlib import Path

import pytest

from facewire_server.rpc.listening import why_not
from facewire_server.rpc.tls import TlsCertificate
from fakes.certificates import self_signed


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


def test_a_certificate_that_grpc_cannot_use_is_refused_when_it_is_read(tmp_path: Path) -> None:
    chain, key = (file.read_bytes() for file in self_signed(tmp_path))
    shown = TlsCertificate(chain, key)
    marked = b"\xef\xbb\xbf" + chain  # OpenSSL skips the byte order mark
    with pytest.raises(OSError, match="gRPC cannot use"):
        shown.replace(marked, key)
    assert shown._fetch() is None  # the one before stays
    with pytest.raises(OSError, match="gRPC cannot use"):
        TlsCertificate(marked, key)
