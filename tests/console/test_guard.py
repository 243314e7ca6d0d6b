"""Who may call: hosts, origins, the login, and what every answer says to the browser."""

import pytest

from harness.console_running import RunningConsole, running_console

SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "path", ["/api/status", "/openapi.json", "/docs", "/nothing", "/api/identities?gallery=no"]
)
def test_every_answer_is_safe_for_a_browser(console, path) -> None:
    headers = console.send("GET", path).headers
    assert SAFE.items() <= headers.items()
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:5000", 200),
        ("127.0.0.1", 200),
        ("[::1]:5000", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:5000", 421),
        ("127.0.0.1@evil.example", 421),
        ("", 421),
        ("[", 421),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(console, host, status) -> None:
    answer = console.send("GET", "/api/status", headers={"Host": host})
    assert answer.status == status
    if status != 200:
        assert answer.reason == "WRONG_HOST"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/identities"),
        ("DELETE", "/api/identities/x"),
        ("POST", "/api/login"),
        ("POST", "/v1/frames/x"),
        ("POST", "/sanushost/api/v1.0/remove_face"),
        ("POST", "/nothing"),
    ],
)
def test_another_sites_page_changes_nothing(console, headers, method, path) -> None:
    answer = console.send(method, path, b"{}", headers=headers)
    assert (answer.status, answer.reason) == (403, "FOREIGN_ORIGIN")


@pytest.mark.parametrize("path", ["/api/status", "/api/events/stream", "/openapi.json", "/"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"Origin": "http://evil.example"},
    ],
)
def test_another_sites_page_reads_nothing_and_holds_nothing_open(console, headers, path) -> None:
    answer = console.send("GET", path, headers=headers)
    assert (answer.status, answer.reason) == (403, "FOREIGN_ORIGIN")


def test_another_sites_page_may_link_here(console) -> None:
    link = {
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "navigate",
        "Sec-Fetch-Dest": "document",
    }
    assert console.send("GET", "/", headers=link).status == 200


@pytest.mark.parametrize(
    ("path", "headers", "status", "reason"),
    [
        ("/ws/live", {"Host": "evil.example"}, 421, "WRONG_HOST"),
        ("/ws/live", {"Origin": "http://evil.example"}, 403, "FOREIGN_ORIGIN"),
        ("/ws/live", {}, 401, "LOGIN_REQUIRED"),
        ("/nothing", {}, 404, "NOT_FOUND"),
    ],
)
def test_a_websocket_is_refused_as_a_request_is(guarded, path, headers, status, reason) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer = guarded.send("GET", path, headers={**upgrade, **headers})
    assert (answer.status, answer.reason) == (status, reason)
    assert SAFE.items() <= answer.headers.items()


def test_the_own_page_may(console: RunningConsole) -> None:
    own = {"Origin": console.url, "Sec-Fetch-Site": "same-origin"}
    answer = console.send("DELETE", "/api/identities/nobody", headers=own)
    assert answer.reason == "IDENTITY_NOT_FOUND"


@pytest.fixture(scope="module")
def guarded(server, tmp_path_factory):
    """A console with a login."""
    token = tmp_path_factory.mktemp("login") / "token"
    token.write_text(TOKEN + "\n")
    with running_console(server.address, login_token_file=token) as running:
        yield running


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/status"),
        ("GET", "/api/identities"),
        ("POST", "/api/recognize"),
        ("GET", "/api/events/stream"),
        ("GET", "/api/tracks/1/crop"),
        ("POST", "/v1/frames/door"),
        ("POST", "/sanushost/api/v1.0/entry_img"),
        ("GET", "/api/nothing"),
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Cookie": "facewire_console=guessed"},
        {"X-Api-Key": TOKEN[:-1]},
    ],
)
def test_without_the_login_there_is_nothing_about_people(guarded, method, path, headers) -> None:
    answer = guarded.send(method, path, headers=headers)
    assert (answer.status, answer.reason) == (401, "LOGIN_REQUIRED")
    assert answer.json()["login"] == {"required": True, "logged_in": False}


def test_a_browser_logs_in_and_out(guarded) -> None:
    wrong = guarded.send("POST", "/api/login", content={"token": "x" * 32})
    assert (wrong.status, wrong.reason) == (401, "LOGIN_REQUIRED")
    assert guarded.send("POST", "/api/login", b"[]").status == 400
    answer = guarded.send("POST", "/api/login", content={"token": TOKEN})
    assert answer.status == 204
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    session = {"Cookie": cookie.partition(";")[0]}
    status = guarded.send("GET", "/api/status", headers=session)
    assert status.json()["login"] == {"required": True, "logged_in": True}
    assert guarded.send("POST", "/api/logout", headers=session).status == 204
    assert guarded.send("GET", "/api/status", headers=session).status == 401


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {TOKEN}"}, {"X-Api-Key": TOKEN}])
def test_a_program_sends_the_token(guarded, headers) -> None:
    assert guarded.send("GET", "/api/status", headers=headers).status == 200


def test_the_page_and_the_documents_need_no_login(guarded) -> None:
    assert guarded.send("GET", "/openapi.json").status == 200
    assert guarded.send("GET", "/docs").status == 200


def test_old_cameras_may_be_let_in_without_a_login(server, tmp_path, gray) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    with running_console(
        server.address, login_token_file=token, old_cameras_without_login=True
    ) as console:
        assert console.send("POST", "/sanushost/api/v1.0/entry_img", b"{}").status == 400
        assert console.send("POST", "/sanushost/api/v1.0/remove_face", b"{}").status == 401


def test_no_log_holds_an_id_a_name_or_a_token(server, tmp_path, portrait) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    program = {"Authorization": f"Bearer {TOKEN}"}
    with running_console(server.address, login_token_file=token) as console:
        parts = [("name", "Secretname"), ("identity_id", "secret-id"), ("image", portrait)]
        console.send_form("/api/identities", parts, headers=program)
        console.send("GET", "/api/identities/secret-id?x=secret-query", headers=program)
        console.send("POST", "/v1/frames/secret-camera", portrait, headers=program)
        console.send("DELETE", "/api/identities/secret-id", headers=program)
        console.send("GET", "/api/identities/secret-id", headers=program)
        log = console.log()
    assert "secret" not in log.lower()
    assert TOKEN not in log
