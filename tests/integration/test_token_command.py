"""`facewire-server token` as operators run it: add, list, revoke; and a server that takes the change."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.command import environment

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def token(tmp_path: Path) -> Run:
    """Runs the command on a file of the test's own."""

    def run(*arguments: str, file: str = "tokens") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-W", "error", "-m", "facewire_server", "token", *arguments]
        return subprocess.run(
            [*command, *(["--token-file", str(tmp_path / file)] if file else [])],
            env=environment(""),
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_a_token_is_printed_once_listed_without_it_and_revoked(token: Run, tmp_path: Path) -> None:
    limits = ("--gallery", "staff", "--gallery", "guests", "--expires-days", "365")
    added = token("add", "door", "--role", "camera", "--role", "enroller", *limits)
    assert added.returncode == 0, added.stderr
    secret = added.stdout.strip()
    assert secret.startswith("fw_")
    assert secret not in added.stderr
    token("add", "backup", "--role", "exporter")
    listed = token("list")
    first, second = (line.split("\t") for line in listed.stdout.splitlines())
    assert first[:3] == ["door", "camera,enroller", "guests,staff"]
    assert first[3].startswith("expires 20")
    assert second == ["backup", "exporter", "all galleries", "never expires"]
    assert secret not in listed.stdout + (tmp_path / "tokens").read_text()
    assert token("revoke", "door").returncode == 0
    assert [line.split("\t")[0] for line in token("list").stdout.splitlines()] == ["backup"]


def test_plain_tokens_are_hashed_and_it_says_so(token: Run, tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("s3cret-0123456789\n")
    assert token("list").stdout.split("\t")[:2] == ["plain-1", "camera,enroller,exporter,operator"]
    added = token("add", "door", "--role", "camera")
    assert "the 1 plain tokens of" in added.stderr
    assert "stay valid" in added.stderr
    assert "s3cret" not in (tmp_path / "tokens").read_text()


@pytest.mark.parametrize(
    ("arguments", "file", "status", "text"),
    [
        (("add", "door"), "tokens", 2, "needs --role"),
        (("add", "--role", "camera"), "tokens", 2, "need the label"),
        (("add", "a b", "--role", "camera"), "tokens", 2, "a label is"),
        (("add", "door", "--role", "root"), "tokens", 2, "invalid choice"),
        (("add", "door", "--role", "camera", "--gallery", "A B"), "tokens", 2, "a gallery id is"),
        (("add", "door", "--role", "camera", "--expires-days", "nan"), "tokens", 2, "days above 0"),
        (("add", "door", "--role", "camera", "--expires-days", "1e9"), "tokens", 2, "days above 0"),
        (("add", "door", "--role", "camera"), "", 2, "token_file is not set"),
        (("add", "door", "--role", "camera"), "missing/tokens", 1, "No such file"),
        (("list", "door"), "tokens", 2, "list has none"),
        (("list", "--role", "camera"), "tokens", 2, "belong to token add"),
        (("list",), "tokens", 1, "No such file"),
        (("revoke", "door"), "tokens", 1, "there is no token door"),
    ],
)
def test_what_is_wrong_is_said(
    token: Run, arguments: tuple[str, ...], file: str, status: int, text: str
) -> None:
    done = token(*arguments, file=file)
    assert (done.returncode, done.stdout) == (status, "")
    assert text in done.stderr
