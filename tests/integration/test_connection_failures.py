"""Every way to miss a server, or to be refused by one, is named for what it is: by the SDK and by the command.

`tests/unit/client/test_unreachable.py` holds both clients to it, for calls and for streams.
"""

import re
import shutil
from pathlib import Path

import pytest

import facewire
from facewire import ConnectionFault
from tools.connection_failures import Said, failing_servers, said_of, table

pytestmark = pytest.mark.timeout(300)  # thirty commands, on a busy machine
PAGE = Path(__file__).parents[2] / "docs" / "errors.md"


@pytest.fixture(scope="module")
def servers(models):
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make certificates")
    with failing_servers() as running:
        yield running


@pytest.fixture(scope="module")
def said(servers) -> list[Said]:
    return said_of(servers)


def test_the_sdk_names_what_failed(said):
    for each in said:
        assert type(each.error) is each.failing.kind, each
        assert getattr(each.error, "fault", None) is each.failing.fault, each


def test_the_command_says_the_same_in_its_own_terms(said):
    for each in said:
        assert "Traceback" not in each.command
        detail = getattr(each.error, "detail", str(each.error))
        assert f"facewire: {detail}" in each.command
        for word in ("root_certificates", "tls=True", "token="):
            assert word not in each.command, each
        exit_codes = {ValueError: 2, facewire.AuthenticationError: 4, facewire.NotSupportedError: 5}
        assert each.exit_code == exit_codes.get(each.failing.kind, 3), each


def test_a_flag_or_a_variable_to_change_is_named(said):
    for each in said:
        fault = each.failing.fault
        if fault in (
            ConnectionFault.TLS_NEEDED,
            ConnectionFault.TLS_NOT_SPOKEN,
            ConnectionFault.UNTRUSTED,
        ):
            assert "root_certificates=" in str(each.error)
            assert "--tls-ca" in each.command
            assert "FACEWIRE_TLS_CA" in each.command
        elif fault in (ConnectionFault.UNKNOWN_HOST, ConnectionFault.REFUSED, None):
            variable = {
                facewire.AuthenticationError: "FACEWIRE_TOKEN",
                facewire.LimitError: "",
                facewire.UnavailableError: "",
                facewire.NotSupportedError: "",
            }
            assert variable.get(each.failing.kind, "FACEWIRE_SERVER") in each.command


def test_a_full_server_and_a_busy_worker_say_when_to_try_again(said):
    full, busy = (each.error for each in said if each.failing.streams)
    assert isinstance(full, facewire.LimitError)
    assert (full.retryable, full.retry_after_s) == (True, 5.0)
    assert busy.reason is facewire.ErrorReason.WORKER_BUSY
    assert busy.retryable


def test_no_password_of_a_proxy_is_shown(said):
    for each in said:
        assert "secret" not in f"{each.error} {each.command}"


def test_the_table_of_the_page_is_what_was_said(said):
    page = PAGE.read_text(encoding="utf-8")
    (shown,) = re.findall(r"<!-- failures -->\n(.*?)<!-- /failures -->", page, re.DOTALL)
    assert shown == table(said), "write it again: python -m tools.connection_failures"
