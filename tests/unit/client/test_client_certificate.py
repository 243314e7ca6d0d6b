"""A client's certificate is checked when it is given, and read again for each connection."""

import shutil

import pytest

import facewire
from facewire._wire.client_certificate import ClientCertificate
from fakes.certificates import self_signed


@pytest.fixture
def files(tmp_path):
    """A certificate and its key, and those of another one."""
    for name in ("own", "other"):
        (tmp_path / name).mkdir()
    return self_signed(tmp_path / "own"), self_signed(tmp_path / "other")


@pytest.mark.parametrize("client", [facewire.Client, facewire.AsyncClient])
def test_what_is_no_certificate_and_its_key_is_refused_before_anything_is_sent(client, files):
    (certificate, key), (_, other_key) = files
    for given, text in (
        ({"client_certificate": certificate, "client_key": other_key}, "do not belong together"),
        ({"client_certificate": certificate}, "do not belong together"),
        ({"client_certificate": key, "client_key": key}, "not in PEM"),
        ({"client_key": key}, "and not its certificate"),
    ):
        with pytest.raises(ValueError, match=text):
            client("127.0.0.1:1", **given)
    with pytest.raises(FileNotFoundError):
        client("127.0.0.1:1", client_certificate=certificate, client_key=key.with_name("none"))


def test_each_connection_takes_what_is_in_the_files_and_a_change_that_is_half_made_waits(files):
    own, other = files
    shown = ClientCertificate(*own)
    before = shown.current()
    assert before == (own[1].read_bytes(), own[0].read_bytes())
    shutil.copy(other[0], own[0])  # and not its key yet
    assert shown.current() == before
    shutil.copy(other[1], own[1])
    assert shown.current() == (other[1].read_bytes(), other[0].read_bytes())
    own[1].unlink()
    assert shown.current() == (other[1].read_bytes(), other[0].read_bytes())


def test_no_one_sees_a_key_in_a_repr(files):
    (certificate, key), _ = files
    assert "PRIVATE" not in repr(ClientCertificate(certificate, key))
