"""The C++ camera behind the real Envoy and the real nginx, with the configurations that are shipped."""

from collections.abc import Iterator
from typing import get_args

import pytest

from fakes.certificates import self_signed
from firmware.filmed import FPS, PERSON, enroll
from harness.cpp_camera import CppCamera
from harness.proxied import TOKEN, Proxied, proxied
from harness.proxies import Kind, is_installed

pytestmark = pytest.mark.timeout(900)  # the first test builds the client


@pytest.fixture(params=get_args(Kind))
def both(request, models, tmp_path) -> Iterator[Proxied]:
    """Two servers on one gallery behind each proxy, over TLS and with a token."""
    kind: Kind = request.param
    if not is_installed(kind):
        pytest.skip(f"needs the package of {kind}, which requirements/dev.txt pins")
    with proxied(kind, self_signed(tmp_path), frame_timeout_s=60) as running:
        enroll(running.proxy.address, token=TOKEN, root_certificates=running.certificate)
        yield running


def test_a_camera_goes_on_when_its_server_is_killed_and_the_other_one_drained(
    camera, both, film, tmp_path
):
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    flags = ("--repeat", f"--fps={FPS}", f"--tls-ca={both.certificate}", f"--token-file={token}")
    with CppCamera(camera, film, both.proxy.address, *flags) as run:
        run.until(lambda: PERSON.name in run.names)
        for end in (both.kill, both.drain):
            run.until(lambda: both.is_streaming(0) != both.is_streaming(1))
            index = int(both.is_streaming(1))
            breaks = len(run.reopened)
            end(index)
            run.until_reopened(breaks)
            run.until_results(FPS)
            both.start(index)
        assert run.end() == 0
    assert run.is_in_order(), "a frame was accounted for twice, or never"
    assert run.accounted[-1].names == (PERSON.name,)
    came = [event for event in run.events if event.startswith("came: ")]
    assert len(came) == 1, "one visit, which was announced once"
