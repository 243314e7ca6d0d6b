"""`python -m facewire_console.health`: what a container's health check runs."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from harness.certificates import self_signed
from harness.console_running import running_console

_NO_SERVER = "127.0.0.1:1"


def health(**settings: object) -> int:
    variables = {f"FACEWIRE_CONSOLE_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "facewire_console.health"],
        env={**os.environ, **variables},
        timeout=60,
    ).returncode


def test_a_console_that_answers_is_healthy_also_without_its_server() -> None:
    with running_console(_NO_SERVER) as console:
        assert health(port=console.port) == 0
    assert health(port=console.port) == 1


def test_a_console_beyond_loopback_with_tls_is_asked_here(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    login = tmp_path / "login"
    login.write_text("0123456789abcdef0123456789abcdef")
    settings = {
        "host": "0.0.0.0",
        "login_token_file": login,
        "tls_certificate": certificate,
        "tls_key": key,
    }
    with running_console(_NO_SERVER, **settings) as console:
        assert health(port=console.port, **settings) == 0


def test_a_console_that_hangs_or_whose_settings_are_wrong_is_not(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert health(port=silent.getsockname()[1]) == 1
    assert health(port=1, login_token_file=tmp_path / "missing") == 1
