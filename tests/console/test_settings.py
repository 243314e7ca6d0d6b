"""What a console is not started with."""

import pytest

from facewire_console.settings import Settings, SettingsError, is_loopback, read

TOKEN = b"0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--host=0.0.0.0"], "--login-token-file"),
        (["--host=0.0.0.0", "--login-token-file={token}"], "--tls-certificate"),
        (["--host=camera-host", "--insecure-listen"], "--login-token-file"),
        (["--login-token-file={short}"], "23 bytes"),
        (["--login-token-file={missing}"], "cannot be read"),
        (["--tls-certificate={token}"], "go together"),
        (["--port=65536"], "between 0 and 65535"),
        (["--port=http"], "whole number"),
        (["--max-cameras=0"], "at least 1"),
        (["--insecure-listen=maybe"], "true or false"),
    ],
)
def test_what_would_be_open_or_cannot_work_is_refused(flags, text, tmp_path) -> None:
    files = {name: tmp_path / name for name in ("token", "short", "missing")}
    files["token"].write_bytes(TOKEN)
    files["short"].write_bytes(TOKEN[1:])
    with pytest.raises(SettingsError, match=text):
        read([flag.format(**files) for flag in flags], {})


def test_beyond_loopback_with_a_login_and_behind_a_proxy_is_allowed(tmp_path) -> None:
    (tmp_path / "token").write_bytes(TOKEN)
    flags = ["--host=0.0.0.0", f"--login-token-file={tmp_path / 'token'}", "--insecure-listen"]
    assert read(flags, {}).login_token() == TOKEN


def test_a_flag_wins_over_a_variable_and_that_over_the_default() -> None:
    environment = {
        "FACEWIRE_CONSOLE_PORT": "5001",
        "FACEWIRE_CONSOLE_GALLERY": "staff",
        "FACEWIRE_CONSOLE_OLD_CAMERAS_WITHOUT_LOGIN": "yes",
        "FACEWIRE_DATA": "the server's",
        "PATH": "/bin",
    }
    settings = read(["--port", "5002"], environment)
    assert settings == Settings(port=5002, gallery="staff", old_cameras_without_login=True)


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(SettingsError, match="FACEWIRE_CONSOLE_PROT"):
        read([], {"FACEWIRE_CONSOLE_PROT": "5001"})


def test_variables_that_kubernetes_sets_for_a_service_are_left_alone() -> None:
    names = ("SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT", "PORT_5000_TCP_ADDR")
    link = {f"FACEWIRE_CONSOLE_{name}": "tcp://10.0.0.1:5000" for name in names}
    assert read([], link) == Settings()


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_loopback_is_known(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
