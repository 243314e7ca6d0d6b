"""The address is checked, gRPC's texts are read, and a probe says what they do not."""

import socket
import threading
from types import SimpleNamespace

import grpc
import pytest

import facewire
from facewire import ConnectionFault
from facewire._probing import explained as module_of_explained
from facewire._probing.explained import explained
from facewire._probing.probe import probed
from facewire._wire.address import Address
from facewire._wire.fault_texts import fault_of_text
from facewire._wire.forward_proxy import forward_proxy
from facewire._wire.grpc_status import error_from_rpc
from facewire._wire.target import checked_target
from facewire._wire.unreachable import is_unclear
from fakes.odd_cameras import silent


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("", "it is empty"),
        ("host", "it has no port; write host:50051"),
        ("host:", "it has no port"),
        (":50051", "it has no host"),
        ("host:0", "from 1 to 65535"),
        ("host:65536", "from 1 to 65535"),
        ("host:-1", "not a number"),
        ("host:http", "not a number"),
        ("host:５", "not a number"),
        ("host: 50051", "a space"),
        ("host:50051\n", "a space"),
        ("http://host:50051", "without http://, as host:50051"),
        ("https://host", "without https://, as host:50051, and turn TLS on"),
        ("grpc://host:1/path", "without grpc://, as host:1"),
        ("host:50051/", "without a path, as host:50051"),
        ("a:1,b:2", "one server"),
        ("::1", "in brackets, as [::1]:50051"),
        ("2001:db8::1:50051", "in brackets, as [2001:db8::1]:50051"),
        ("[::1]", "it has no port"),
        ("[::1:50051", "brackets"),
        ("[host]:50051", "brackets"),
    ],
)
def test_an_address_that_cannot_be_is_refused_before_anything_is_sent(target, fault):
    for client in (facewire.Client, facewire.AsyncClient):
        with pytest.raises(ValueError, match="is not the address of a server") as caught:
            client(target)
        assert fault in str(caught.value)


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("ada:secret@host:1", "without a user"),
        ("ada:se/secret@host:1", "without a user"),
        ("ada:secret@host/path", "as host:50051"),
        ("http://ada:secret@host", "as host:50051"),
        ("http://ada:a?secret@secret@host:1/", "as host:1"),
        ("https://host:1/?token=secret", "as host:1"),
        ("host:1?secret", "not a number"),
    ],
)
def test_a_password_in_an_address_is_not_shown(target, fault):
    with pytest.raises(ValueError, match="is not the address of a server") as caught:
        facewire.Client(target)
    assert "secret" not in str(caught.value)
    assert "ada" not in str(caught.value)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    "target",
    ["host:1", "127.0.0.1:65535", "[::1]:50051", "[fe80::1%eth0]:1", "a-b.c_d:1", "dns:///a:1",
     "unix:/run/facewire.sock", "ipv4:127.0.0.1:1"],
)  # fmt: skip
def test_an_address_that_can_be_is_taken_as_it_is(target):
    assert checked_target(target) == target


def test_certificates_that_are_none_are_refused_before_anything_is_sent(tmp_path):
    for roots in (b"", b"not PEM", "schlüssel".encode()):
        with pytest.raises(ValueError, match="PEM"):
            facewire.Client(root_certificates=roots)
    with pytest.raises(OSError, match=r"none\.pem"):
        facewire.Client(root_certificates=tmp_path / "none.pem")


_ALL = "failed to connect to all addresses; last error: "
_TLS = (
    "UNKNOWN: ipv4:127.0.0.1:1: {} handshake failed (TSI_PROTOCOL_FAILURE): SSL_ERROR_SSL: error:"
)

TEXTS = {
    # Of grpcio 1.74, then of 1.85.
    ConnectionFault.UNKNOWN_HOST: (
        "DNS resolution failed for no:1: C-ares status is not ARES_SUCCESS qtype=A name=no is_balancer=0: Domain name not found",
        "errors resolving no:1: [field:hostname lookup error:address lookup failed for no:1: Domain name not found]",
    ),
    ConnectionFault.REFUSED: (
        _ALL + "UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to remote host: connect: Connection refused (111)",
        _ALL + "UNKNOWN: ipv4:127.0.0.1:1: Failed to connect to remote host: Connection refused",
    ),
    ConnectionFault.NO_ROUTE: (
        _ALL + "UNKNOWN: ipv4:240.0.0.1:1: Failed to connect to remote host: getsockopt(SO_ERROR): Network is unreachable (101)",
        _ALL + "UNKNOWN: ipv4:240.0.0.1:1: Failed to connect to remote host: getsockopt(SO_ERROR): Network is unreachable",
    ),
    ConnectionFault.NOT_GRPC: (
        _ALL + "INTERNAL: ipv4:127.0.0.1:1: Trying to connect an http1.x server (HTTP status 400)",
        _ALL + "INTERNAL: ipv4:127.0.0.1:1: Failed parsing HTTP/2 (Expected SETTINGS frame as the first frame, got frame type 80) (Trying to connect an http1.x server (HTTP status 400))",
        _ALL + "UNKNOWN: ipv4:127.0.0.1:1: Cannot check peer: missing selected ALPN property.",
    ),
    ConnectionFault.CLOSED: (
        _ALL + "UNAVAILABLE: ipv4:127.0.0.1:1: Socket closed",
        _ALL + "UNAVAILABLE: ipv4:127.0.0.1:1: recvmsg:Connection reset by peer (104)",
    ),
    ConnectionFault.TLS_NOT_SPOKEN: (
        _ALL + _TLS.format("Ssl") + "100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER: Invalid certificate verification context",
        _ALL + _TLS.format("Tls") + "100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER: Invalid certificate verification context: OK",
    ),
    ConnectionFault.UNTRUSTED: (
        _ALL + _TLS.format("Ssl") + "1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED: self signed certificate",
        _ALL + _TLS.format("Tls") + "1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED: self signed certificate: OK",
    ),
    ConnectionFault.EXPIRED: (
        _ALL + _TLS.format("Ssl") + "1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED: certificate has expired",
        _ALL + _TLS.format("Tls") + "1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED: certificate has expired: OK",
    ),
    ConnectionFault.OTHER_NAME: (
        _ALL + "UNKNOWN: ipv4:127.0.0.1:1: Peer name 127.0.0.1 is not in peer certificate",
        _ALL + "UNKNOWN: ipv4:127.0.0.1:1: Custom verification check failed with error: UNAUTHENTICATED: Hostname Verification Check failed.",
    ),
}  # fmt: skip


def unavailable(text, target="127.0.0.1:1", code=grpc.StatusCode.UNAVAILABLE):
    status = SimpleNamespace(code=lambda: code, details=lambda: text, trailing_metadata=lambda: ())
    error = error_from_rpc(status, target=target)
    assert isinstance(error, facewire.UnreachableError)
    return error


@pytest.mark.parametrize(
    ("fault", "text"), [(fault, text) for fault, texts in TEXTS.items() for text in texts]
)
def test_texts_of_the_oldest_and_of_the_newest_grpcio_are_understood(fault, text):
    assert fault_of_text(text) is fault
    error = unavailable(text)
    assert error.fault is fault
    assert "OK" not in str(error)
    assert "last error" not in str(error)


@pytest.mark.parametrize(
    ("code", "text", "fault", "retryable"),
    [
        ("INTERNAL", "Received RST_STREAM with error code 2", ConnectionFault.BROKEN, True),
        ("UNAVAILABLE", "Socket closed", ConnectionFault.BROKEN, True),
        ("UNAVAILABLE", "no healthy upstream", ConnectionFault.BEHIND_PROXY, True),
        ("UNAVAILABLE", "upstream connect error or disconnect/reset before headers", ConnectionFault.BEHIND_PROXY, True),
        ("UNAVAILABLE", "Received http2 header with status: 503", ConnectionFault.BEHIND_PROXY, True),
        ("UNKNOWN", "Received http2 header with status: 500", ConnectionFault.BEHIND_PROXY, True),
        ("UNKNOWN", "Received http2 header with status: 302", ConnectionFault.NOT_GRPC, False),
        ("INTERNAL", "Received http2 header with status: 400", ConnectionFault.NOT_GRPC, False),
        ("UNKNOWN", "Received http2 header with status: 413", ConnectionFault.BEHIND_PROXY, False),
    ],
)  # fmt: skip
def test_what_a_proxy_says_is_understood(code, text, fault, retryable):
    error = unavailable(text, code=grpc.StatusCode[code])
    assert (error.fault, error.retryable) == (fault, retryable)


def test_of_several_addresses_the_one_that_was_reached_says_what_is_wrong(monkeypatch):
    """gRPC's text is about the last one: "Connection refused" also for a certificate that is not trusted."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        places = [silent.getsockname(), ("127.0.0.2", 1)]
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in places],
        )
        address = Address("two.example:1", None, None, False)
        refused = unavailable(TEXTS[ConnectionFault.REFUSED][1], target=address.target)
        problem = explained(refused, address, closed=threading.Event())
    assert isinstance(problem, facewire.UnreachableError)
    assert problem.fault is ConnectionFault.NO_RESPONSE
    assert "sends nothing" in problem.detail


def test_a_name_that_no_host_can_have_is_an_unknown_host():
    late = facewire.DeadlineError("late")
    problem = explained(
        late, Address("cameras..lan:1", None, None, False), closed=threading.Event()
    )
    assert isinstance(problem, facewire.UnreachableError)
    assert problem.fault is ConnectionFault.UNKNOWN_HOST


def test_a_probe_ends_when_its_finding_is_no_longer_wanted():
    with silent() as (place, _):
        address, closed = Address(place, None, None, False), threading.Event()
        finding = probed(address, 0.3, closed)
        assert finding is not None
        assert finding.fault is ConnectionFault.NO_RESPONSE
        closed.set()
        assert probed(address, 0.3, closed) is None


def test_closing_a_client_or_its_stream_ends_the_probe(connect, monkeypatch):
    events: list[threading.Event] = []
    monkeypatch.setattr(module_of_explained, "probed", lambda _, __, closed: events.append(closed))
    with connect("localhost:1") as client:
        for use in (client.gallery, client.stream([]).open):
            with pytest.raises(facewire.UnreachableError):
                use()
    assert len(events) > 1
    assert all(event.is_set() for event in events)


def test_a_refusal_of_a_number_needs_no_probe():
    problem = unavailable(TEXTS[ConnectionFault.REFUSED][0])
    assert not is_unclear(problem, Address("127.0.0.1:1", None, None, False))


def test_a_server_that_is_back_when_it_is_probed_has_no_fault(fake):
    address = Address(fake.address, None, None, False)
    still_open = threading.Event()
    assert probed(address, 2.0, still_open) is None
    closed = unavailable(TEXTS[ConnectionFault.CLOSED][0], target=fake.address)
    assert explained(closed, address, closed=still_open) is closed
    late = facewire.DeadlineError("late")
    assert explained(late, address, closed=still_open) is late


P = "http://proxy:3128"
PROXY_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy")


def set_proxies(monkeypatch, environment):
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("environment", "host", "variable"),
    [
        ({}, "cameras", None),
        ({"http_proxy": "http://ada:secret@proxy:3128/"}, "cameras", "http_proxy"),
        ({"http_proxy": P, "https_proxy": P}, "cameras", "https_proxy"),
        ({"https_proxy": P, "grpc_proxy": P}, "cameras", "grpc_proxy"),
        ({"http_proxy": P, "no_proxy": "127.0.0.1, .lan"}, "cameras.lan", None),
        ({"http_proxy": P, "no_proxy": "127.0.0.1"}, "cameras.lan", "http_proxy"),
        ({"http_proxy": P, "no_proxy": "lan", "no_grpc_proxy": "x"}, "a.lan", "http_proxy"),
        ({"http_proxy": P, "no_proxy": "10.0.0.0/8, fd00::/8"}, "10.1.2.3", None),
        ({"http_proxy": P, "no_proxy": "10.0.0.0/8, fd00::/8"}, "fd00::1", None),
        ({"http_proxy": P, "no_proxy": "10.0.0.0/8, a/b"}, "192.168.0.1", "http_proxy"),
    ],
)
def test_a_proxy_of_the_environment_is_known(monkeypatch, environment, host, variable):
    set_proxies(monkeypatch, environment)
    proxy = forward_proxy(host)
    assert (proxy and (proxy.variable, proxy.address)) == (variable and (variable, "proxy:3128"))


@pytest.mark.parametrize("no_proxy", [None, "", "*", "127.0.0.0/8", "LOCALHOST", "x, localhost"])
@pytest.mark.parametrize("no_grpc_proxy", [None, ""])
@pytest.mark.parametrize(
    "proxies",
    [
        {"http_proxy": "http://127.0.0.1:1"},
        {"http_proxy": "HTTP://127.0.0.1:1"},
        {"http_proxy": "127.0.0.1:1"},
        {"https_proxy": "https://127.0.0.1:1"},
        {"grpc_proxy": "", "http_proxy": "http://127.0.0.1:1"},
        {"https_proxy": "socks5://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"},
    ],
)
def test_a_proxy_is_taken_if_grpc_takes_it(fake, monkeypatch, proxies, no_grpc_proxy, no_proxy):
    exceptions = {"no_grpc_proxy": no_grpc_proxy, "no_proxy": no_proxy}
    exceptions = {name: value for name, value in exceptions.items() if value is not None}
    set_proxies(monkeypatch, proxies | exceptions)
    port = fake.address.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost"):
        with grpc.insecure_channel(f"{host}:{port}") as channel:
            call = channel.unary_unary("/no/method", bytes, bytes)
            with pytest.raises(grpc.RpcError) as caught:
                call(b"", timeout=30)
            reached = caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert reached == (forward_proxy(host) is None)
