"""Both clients name what is wrong with a connection, alike for calls and for streams, before servers that really fail so."""

import shutil

import pytest

from facewire import ConnectionFault
from harness.failing_servers import Failing, unreachable_servers


@pytest.fixture(scope="module")
def servers():
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make certificates")
    with unreachable_servers() as running:
        yield running


@pytest.fixture
def connected(connect, monkeypatch):
    """Makes a client of a server, with the environment that belongs to it."""

    def connected(failing: Failing):
        for name, value in failing.environment.items():
            monkeypatch.setenv(name, value)
        return connect(
            failing.address, tls=failing.tls, root_certificates=failing.roots, timeout_s=3.0
        )

    return connected


def test_a_call_names_what_is_wrong(servers, connected, monkeypatch):
    for each in servers:
        with connected(each) as client, pytest.raises(each.kind) as caught:
            client.gallery()
        monkeypatch.undo()
        assert type(caught.value) is each.kind, each
        assert getattr(caught.value, "fault", None) is each.fault, (each, caught.value)
        if each.fault is not None:
            assert each.address in str(caught.value)
            assert caught.value.retryable == each.fault.passes or "413" in str(caught.value)


def test_a_stream_names_the_same(servers, connected, monkeypatch):
    for each in servers:
        with connected(each) as client, pytest.raises(each.kind) as caught:
            client.stream([]).open()
        monkeypatch.undo()
        assert getattr(caught.value, "fault", None) is each.fault, (each, caught.value)


def test_what_another_setting_would_mend_is_not_tried_again_and_the_rest_is():
    lasting = {fault for fault in ConnectionFault if not fault.passes}
    assert lasting == {
        ConnectionFault.NOT_GRPC, ConnectionFault.TLS_NEEDED, ConnectionFault.TLS_NOT_SPOKEN,
        ConnectionFault.UNTRUSTED, ConnectionFault.OTHER_NAME, ConnectionFault.EXPIRED,
        ConnectionFault.CLIENT_CERTIFICATE,
    }  # fmt: skip
