"""A board without HTTP/2: the request of docs/firmware.md, as it stands there, is answered by a console before a real server."""

import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from facewire_console.errors import STATUS_OF_REASON
from fakes.certificates import self_signed
from firmware.filmed import PERSON, enroll, written
from harness.console_running import RunningConsole, running_console
from harness.running import running_server

LOGIN = "0123456789abcdef0123456789abcdef"
HOST = "console.example"


class Gateway(NamedTuple):
    """A console over TLS with a login, and the folder of what a board has: `certificate.pem`, `login`, `frame.jpg`."""

    console: RunningConsole
    board: Path


@pytest.fixture(scope="module")
def gateway(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    board = tmp_path_factory.mktemp("board")
    certificate, key = self_signed(board, f"DNS:{HOST}")
    login = board / "login"
    login.write_text(f"{LOGIN}\n")
    login.chmod(0o600)
    pictures = sorted(written(tmp_path_factory.mktemp("film")).iterdir())
    shutil.copy(pictures[0], board / "frame.jpg")
    settings = {
        "tls_certificate": certificate,
        "tls_key": key,
        "login_token_file": login,
        "allowed_hosts": HOST,
    }
    with running_server(frame_timeout_s=60) as server:
        enroll(server.address)
        with running_console(server.address, **settings) as console:
            yield Gateway(console, board)


def blocks(repository: Path) -> dict[str, str]:
    """The blocks of the page's section, by their language."""
    page = (repository / "docs" / "firmware.md").read_text(encoding="utf-8")
    section = page.partition("## Without HTTP/2\n")[2].partition("\n## ")[0]
    found = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    assert sorted(language for language, _ in found) == ["json", "sh", "text"]
    return dict(found)


def posted(gateway: Gateway, request: str, times: int) -> list[tuple[int, Any]]:
    """Sends the request of the page with the board's picture, over one connection; returns each status and body."""
    picture = (gateway.board / "frame.jpg").read_bytes()
    head = request.replace("TOKEN", LOGIN)
    head = re.sub(r"(?<=Content-Length: )\d+", str(len(picture)), head).replace("\n", "\r\n")
    assert head.endswith("\r\n\r\n")
    trust = ssl.create_default_context(cafile=gateway.board / "certificate.pem")
    answers = []
    with (
        gateway.console.connect() as plain,
        trust.wrap_socket(plain, server_hostname=HOST) as connection,
    ):
        for _ in range(times):
            connection.sendall(head.encode() + picture)
            response = HTTPResponse(connection, method="POST")
            response.begin()
            answers.append((response.status, json.loads(response.read())))
    return answers


def lacks(shown: Any, real: Any, path: str = "") -> list[str]:
    """What of a shown value a real one has not: names, and kinds of values."""
    if isinstance(shown, dict):
        return [
            lack
            for name in shown
            for lack in (
                lacks(shown[name], real[name], f"{path}.{name}")
                if name in real
                else [f"{path}.{name}"]
            )
        ]
    if isinstance(shown, list):
        return lacks(shown[0], real[0], f"{path}[0]") if real else [f"{path}[0]"]
    return [] if shown is None or isinstance(real, type(shown)) else [path]


def test_the_request_of_the_page_is_answered_with_what_the_page_shows(gateway, repository):
    shown = blocks(repository)
    answers = posted(gateway, shown["text"], 8)
    assert [status for status, _ in answers] == [200] * 8
    assert [body["sequence"] for _, body in answers] == [*range(1, 9)]
    events = [event for _, body in answers for event in body["events"]]
    came = [event for event in events if event["type"] == "confirmed"]
    assert [event["label"] for event in came] == [PERSON.name], "one visit over all requests"
    last = {**answers[-1][1], "events": came}
    assert last["faces"][0]["label"] == PERSON.name
    assert lacks(json.loads(shown["json"]), last) == []


def test_a_wrong_token_gets_what_the_table_calls_a_wrong_setting(gateway, repository):
    request = blocks(repository)["text"].replace("TOKEN", f"{LOGIN}x")
    ((status, body),) = posted(gateway, request, 1)
    assert (status, body["error"]["reason"]) == (401, "LOGIN_REQUIRED")


def test_the_command_of_the_page_succeeds(gateway, repository):
    if shutil.which("curl") is None:
        pytest.skip("needs curl (requirements/debian.list)")
    port = gateway.console.port
    command = blocks(repository)["sh"].replace(f"{HOST}:5000", f"{HOST}:{port}")
    leads = f"curl --silent --fail --resolve {HOST}:{port}:127.0.0.1 "
    done = subprocess.run(
        ["bash", "-c", command.replace("curl ", leads, 1)],
        cwd=gateway.board,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "OK"


def test_the_table_of_the_page_has_each_status_of_the_console(repository):
    page = (repository / "docs" / "firmware.md").read_text(encoding="utf-8")
    section = page.partition("## Without HTTP/2\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]*\d{3}[^|]*) \|", section, re.MULTILINE)
    stated = [int(status) for row in rows for status in re.findall(r"\d{3}", row)]
    own = {200, 401, 408, 421, 500}  # of the console's own reasons, in API.md
    assert sorted(stated) == sorted(own | set(STATUS_OF_REASON.values()))
