"""The C++ camera streams a film to a real server, which drains, is killed, and is cut off; the enrolled person's name is printed."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest

from facewire_server.streams.journal import RESUME_WITHIN_S
from fakes.certificates import self_signed
from firmware.filmed import FPS, PERSON, enroll
from harness.certificates import signed
from harness.cpp_camera import CppCamera
from harness.model_servers import free_port
from harness.relay import relay_to
from harness.running import RunningServer, running_server

pytestmark = pytest.mark.timeout(900)  # the first test builds the client

TOKEN = "s3cret-0123456789"


def test_the_name_of_an_enrolled_person_is_printed(camera, models, film):
    with running_server(frame_timeout_s=60) as server:
        enroll(server.address)
        with CppCamera(camera, film, server.address, "--every-frame", f"--fps={FPS}") as run:
            assert run.wait() == 0
    assert [line.status for line in run.accounted] == ["OK"] * 4 * FPS
    assert run.accounted[-1].names == (PERSON.name,)
    came, left = run.events
    assert came.startswith(f"came: {PERSON.name} (track ")
    assert left == came.replace("came", "left")


def test_a_camera_goes_on_through_a_cut_a_drain_and_a_kill(camera, models, film, tmp_path):
    address = f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:

        def start() -> RunningServer:
            settings = {"data": tmp_path / "data", "listen": address, "frame_timeout_s": 60}
            return stack.enter_context(running_server(**settings))

        def survives(*harms: Callable[[], Any]) -> None:
            breaks, begun_s = len(run.reopened), time.monotonic()
            for harm in harms:
                harm()
            run.until_reopened(breaks)
            run.until_results(FPS)
            # On a busy machine: the token may be forgotten.
            if time.monotonic() - begun_s > RESUME_WITHIN_S:
                late.append(breaks)

        def restarted() -> None:
            servers.append(start())

        late: list[int] = []
        servers = [start()]
        enroll(address)
        relay = stack.enter_context(relay_to(int(address.rpartition(":")[2])))
        flags = ("--repeat", f"--fps={FPS}")
        with CppCamera(camera, film, f"127.0.0.1:{relay.port}", *flags) as run:
            run.until(lambda: PERSON.name in run.names)
            survives(relay.cut)
            survives(servers[-1].terminate, servers[-1].wait, restarted)
            survives(servers[-1].kill, restarted)
            assert run.end() == 0
    assert run.is_in_order(), "a frame was accounted for twice, or never"
    assert run.accounted[-1].names == (PERSON.name,)
    assert {"SHUTTING_DOWN", "UNSPECIFIED"} <= {each.reason for each in run.reopened}
    assert all(each.pause_s <= 30 for each in run.reopened)
    came = [event for event in run.events if event.startswith("came: ")]
    assert 1 <= len(came) <= 1 + len(late), "one visit, which was announced once"


def test_tls_a_clients_certificate_and_a_token_are_shown(camera, models, film, tmp_path):
    certificate = self_signed(tmp_path)
    own, key = signed(tmp_path, "door", certificate)
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    token.chmod(0o600)
    settings = {
        "tls_certificate": certificate[0],
        "tls_key": certificate[1],
        "tls_client_ca": certificate[0],
        "token_file": token,
        "frame_timeout_s": 60,
    }
    shown = (f"--tls-ca={certificate[0]}", f"--client-cert={own}", f"--client-key={key}")
    with running_server(**settings) as server:
        enroll(
            server.address,
            token=TOKEN,
            root_certificates=certificate[0],
            client_certificate=own,
            client_key=key,
        )
        flags = ("--every-frame", *shown, f"--token-file={token}")
        with CppCamera(camera, film, server.address, *flags) as run:
            assert run.wait() == 0
        assert PERSON.name in run.names
        for lacking in (shown, (shown[0], f"--token-file={token}")):
            with CppCamera(camera, film, server.address, "--every-frame", *lacking) as refused:
                refused.until(lambda: refused.reopened)
                refused.end()
            assert refused.accounted == []
