"""The end of a certificate's validity is read as openssl wrote it; of what is damaged nothing is read, and nothing raised."""

import base64
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facewire_server.access.certificate_expiry import expiry_of
from fakes.certificates import self_signed
from harness import certificates


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return self_signed(tmp_path_factory.mktemp("authority"))


@pytest.mark.parametrize(
    "end",
    [
        datetime(2027, 1, 31, 12, 0, 1, tzinfo=UTC),
        datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2050, 1, 1, tzinfo=UTC),  # from here on the other form of a time
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
def test_the_end_is_what_was_signed(
    authority: tuple[Path, Path], tmp_path: Path, end: datetime
) -> None:
    names = "URI:facewire://role/camera," + ",".join(f"DNS:host-{n}.example" for n in range(40))
    certificate, _ = certificates.signed(tmp_path, "door", authority, names, end)
    assert expiry_of(certificate.read_bytes()) == end


@given(data=st.data())
def test_a_damaged_one_has_an_end_or_none(
    authority: tuple[Path, Path], data: st.DataObject
) -> None:
    der = bytearray(ssl.PEM_cert_to_DER_cert(authority[0].read_text()))
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(der[: data.draw(st.integers(0, len(der)))])
    for one in (bytes(der), cut):
        body = base64.encodebytes(one)
        expiry_of(b"-----BEGIN CERTIFICATE-----\n" + body + b"-----END CERTIFICATE-----\n")
