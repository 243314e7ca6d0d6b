"""Who a call comes from, behind a proxy: what is believed, and of whom."""

import pytest

from facewire_server.rpc.forwarded import TrustedProxies, host_of

PROXY = "ipv4:10.0.0.2:4711"
TRUSTED = TrustedProxies.of(["10.0.0.0/24", "2001:db8::2", "192.0.2.7"])


@pytest.mark.parametrize(
    ("peer", "is_trusted"),
    [
        (PROXY, True),
        ("ipv4:10.0.1.2:4711", False),
        ("ipv6:%5B2001:db8::2%5D:80", True),
        ("ipv6:%5B2001:db8::3%5D:80", False),
        ("ipv6:%5B::ffff:10.0.0.9%5D:80", True),
        ("unix:", False),
        ("", False),
    ],
)
def test_only_the_named_addresses_are_trusted(peer: str, is_trusted: bool) -> None:
    assert TRUSTED.has_peer(peer) is is_trusted
    assert TrustedProxies().has_peer(peer) is False


@pytest.mark.parametrize("name", ["::ffff:10.0.0.2", "::ffff:10.0.0.0/120"])
def test_a_proxy_may_be_named_as_an_ipv6_socket_names_it(name: str) -> None:
    assert TrustedProxies.of([name]).has_peer(PROXY)
    assert not TrustedProxies.of([name]).has_peer("ipv4:10.0.1.2:4711")


def test_a_unix_socket_is_trusted_by_its_name() -> None:
    assert TrustedProxies.of(["unix"]).has_peer("unix:")
    assert not TrustedProxies.of(["unix"]).has_peer(PROXY)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("203.0.113.5", "ipv4:203.0.113.5"),
        ("203.0.113.5:50123", "ipv4:203.0.113.5"),
        ("[2001:db8::9]:50123", "ipv6:[2001:db8::9]"),
        ("2001:db8::9", "ipv6:[2001:db8::9]"),
        ("::ffff:203.0.113.5", "ipv4:203.0.113.5"),
        ("203.0.113.5, 192.0.2.7,10.0.0.3", "ipv4:203.0.113.5"),  # through two more of ours
        (
            "198.51.100.1, 203.0.113.5",
            "ipv4:203.0.113.5",
        ),  # the first one is the client's invention
        ("10.0.0.9", "ipv4:10.0.0.9"),  # a proxy that calls for itself
        ("203.0.113.5, nonsense", PROXY),
        ("nonsense, 203.0.113.5", "ipv4:203.0.113.5"),
        ("fe80::1%any text", "ipv6:[fe80::1]"),  # the scope of an address goes into no log
        ("203.0.113.5, 2001:db8::2%eth0", "ipv4:203.0.113.5"),
        ("unknown", PROXY),
        ("", PROXY),
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxy(
    forwarded: str, client: str
) -> None:
    assert TRUSTED.client_of(PROXY, forwarded) == client


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("ipv4:10.0.0.7:80", "ipv4:10.0.0.7"),
        ("ipv4:10.0.0.7", "ipv4:10.0.0.7"),
        ("ipv6:%5B::1%5D:80", "ipv6:%5B::1%5D"),
        ("ipv6:[2001:db8::9]", "ipv6:[2001:db8::9]"),
        ("unix:", "unix:"),
    ],
)
def test_the_connections_of_a_client_have_one_host(peer: str, host: str) -> None:
    assert host_of(peer) == host


def test_a_name_is_no_address() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        TrustedProxies.of(["proxy.example"])
