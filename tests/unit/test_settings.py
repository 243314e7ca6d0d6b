"""Settings come from flags, then the environment, then defaults; a wrong one is told clearly."""

from pathlib import Path

import pytest

from facewire_server.settings import Settings, SettingsError


def read(*flags: str, **environment: str) -> Settings:
    return Settings.read(flags, environment, program="test")


def test_nothing_need_be_set() -> None:
    settings = read()
    assert settings.listen == "127.0.0.1:50051"
    assert settings.is_loopback


def test_the_flag_wins_over_the_environment() -> None:
    assert read(FACEWIRE_MAX_STREAMS="7").max_streams == 7
    assert read("--max-streams", "9", FACEWIRE_MAX_STREAMS="7").max_streams == 9


def test_types_are_read() -> None:
    settings = read("--data", "x/y", "--threshold=0.5", "--insecure-listen", FACEWIRE_THREADS="3")
    assert (settings.data, settings.threshold, settings.threads) == (Path("x/y"), 0.5, 3)
    assert settings.insecure_listen is True
    assert read(FACEWIRE_INSECURE_LISTEN="no").insecure_listen is False


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--max-streams", "many"), "--max-streams is 'many'; it must be a whole number"),
        (("--max-streams", "0"), "at least 1"),
        (("--threshold", "1.5"), "at most 1"),
        (("--threshold", "nan"), "at least"),
        (("--insecure-listen", "perhaps"), "true or false"),
        (("--log-format", "xml"), "text or json"),
        (("--tls-key", "key.pem"), "belong together"),
    ],
)
def test_a_wrong_value_is_told(flags: tuple[str, ...], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        read(*flags)


@pytest.mark.parametrize(
    "listen", ["0.0.0.0:50051", "[::]:50051", "192.0.2.7:1", "camera-host:50051"]
)
def test_an_open_port_needs_tls_and_a_token(listen: str) -> None:
    with pytest.raises(SettingsError, match="token_file"):
        read("--listen", listen)
    secured = ("--tls-certificate", "c.pem", "--tls-key", "k.pem", "--token-file", "t")
    assert read("--listen", listen, *secured).listen == listen
    assert read("--listen", listen, "--insecure-listen").listen == listen
    with pytest.raises(SettingsError):
        read("--listen", listen, *secured[:4])


@pytest.mark.parametrize("listen", ["localhost:1", "127.0.0.9:1", "[::1]:1", "unix:/run/facewire"])
def test_loopback_needs_neither(listen: str) -> None:
    assert read("--listen", listen).is_loopback


def test_every_setting_is_described_with_its_value() -> None:
    described = {variable: value for variable, value, about in read("--max-faces", "5").described()}
    assert described["FACEWIRE_MAX_FACES"] == "5"
    assert described["FACEWIRE_TOKEN_FILE"] == "not set"
    assert len(described) == len(Settings.__dataclass_fields__)
