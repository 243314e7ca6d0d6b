"""An address of the settings becomes hosts, or an error that says what would."""

import pytest

from facewire_server.backends.tfserving import hosts


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("mtcnn:8500", [("mtcnn", 8500, True)]),
        ("emb_b.site.example.:8501", [("emb_b.site.example.", 8501, True)]),
        ("10.0.0.1:8500", [("10.0.0.1", 8500, False)]),
        ("[fd00::0:2]:2", [("fd00::2", 2, False)]),
        (
            "10.0.0.1:8500, emb-a:1,[fd00::1]:1,emb-b:1",
            [
                ("10.0.0.1", 8500, False),
                ("emb-a", 1, True),
                ("fd00::1", 1, False),
                ("emb-b", 1, True),
            ],
        ),
        ("10.0.0.1:1,10.0.0.1:1", [("10.0.0.1", 1, False)]),
    ],
)
def test_an_address_becomes_hosts(address: str, found: list[tuple[str, int, bool]]) -> None:
    assert list(hosts(address)) == found


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
        hosts(address)
