"""Telemetry is what the settings ask for, and nothing by default."""

import sys

import pytest

from facewire_server.telemetry.opened import Telemetry, TracesNotInstalled


def test_nothing_listens_by_default() -> None:
    telemetry = Telemetry(version="1")
    assert telemetry.listeners == []
    assert telemetry.interceptors == []


def test_several_servers_of_a_process_have_metrics_of_their_own() -> None:
    one, other = (Telemetry(version="1", metrics_listen="127.0.0.1:0") for _ in range(2))
    assert (len(one.listeners), len(one.interceptors)) == (1, 1)
    assert (len(other.listeners), len(other.interceptors)) == (1, 1)


def test_traces_without_their_packages_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "facewire_server.telemetry.traces", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(TracesNotInstalled, match=r"pip install 'facewire-server\[otel\]'"):
        Telemetry(version="1", traces_endpoint="http://127.0.0.1:4317")
