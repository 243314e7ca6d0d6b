"""A certificate that gRPC cannot use is found when it is read."""

from pathlib import Path

import pytest

from facewire_server.rpc.tls import TlsCertificate
from fakes.certificates import self_signed


def test_a_certificate_that_grpc_cannot_use_is_refused_when_it_is_read(tmp_path: Path) -> None:
    chain, key = (file.read_bytes() for file in self_signed(tmp_path))
    shown = TlsCertificate(chain, key)
    marked = b"\xef\xbb\xbf" + chain  # OpenSSL skips the byte order mark
    with pytest.raises(OSError, match="gRPC cannot use"):
        shown.replace(marked, key)
    assert shown._fetch() is None  # the one before stays
    with pytest.raises(OSError, match="gRPC cannot use"):
        TlsCertificate(marked, key)
