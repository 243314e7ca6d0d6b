"""The limit of open files, if the system has none or refuses to raise it."""

import resource
import sys
from pathlib import Path

import pytest

from facewire_server.host.open_files import raise_open_files


def test_no_limit_is_more_than_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    infinite = resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda _: (infinite, infinite))
    assert raise_open_files() == sys.maxsize


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs Linux, which refuses it")
def test_a_limit_that_cannot_be_raised_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with monkeypatch.context() as patched:
        patched.setattr(resource, "getrlimit", lambda _: (256, resource.RLIM_INFINITY))
        assert raise_open_files() == 256
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == before
