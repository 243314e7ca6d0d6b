"""`/api/metrics`: the server's workers, models and latency, from its own page of metrics."""

import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import facewire
from console.described import checked
from facewire_console.metrics import Histogram, parsed
from harness.console_running import running_console
from harness.running import running_server

METRICS = ("GET", "/api/metrics")


def test_workers_models_and_latency_are_those_of_the_server(models: Path, portrait: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (
        running_server(metrics_listen=address, frame_timeout_s=60) as server,
        running_console(server.address, server_metrics=address) as console,
    ):
        before = checked(console.send(*METRICS), *METRICS)["metrics"]
        assert before["workers"] == {"count": 1, "deaths": 0}
        assert before["streams"]["open"] == 0
        assert {each["servable"] for each in before["models"]} >= {"mtcnn", "embedding"}
        for model in before["models"]:
            assert (model["serves"], model["replicas"], model["left_out"]) == (True, 1, 0)
        with facewire.Client(server.address) as client, client.stream([portrait]) as stream:
            assert [each for each in stream if isinstance(each, facewire.FrameResult)]
        while not (after := console.send(*METRICS).json()["metrics"])["frames"]["count"]:
            pass  # a page is kept for some seconds
        assert after["frames"]["count"] == 1
        assert after["frames"]["half_below_ms"] > 0


def test_without_a_setting_and_without_a_server_nothing_is_made_up() -> None:
    with running_console("127.0.0.1:1") as console:
        assert checked(console.send(*METRICS), *METRICS) == {"metrics": None, "problem": None}
    with running_console("127.0.0.1:1", server_metrics="127.0.0.1:1") as console:
        found = checked(console.send(*METRICS), *METRICS)
        assert found == {"metrics": None, "problem": "the server's metrics cannot be reached"}


@contextmanager
def page(status: int, text: bytes) -> Iterator[str]:
    """A server of one page, and its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(
    ("status", "text", "problem"),
    [
        (503, b"", "cannot show its metrics now"),
        (200, b"<html>", "not a facewire server's"),
        (200, b"\xff" * (5 << 20), "more than 4194304 bytes"),
    ],
)
def test_another_page_is_no_page_of_metrics(status: int, text: bytes, problem: str) -> None:
    with (
        page(status, text) as address,
        running_console("127.0.0.1:1", server_metrics=address) as console,
    ):
        found = checked(console.send(*METRICS), *METRICS)
        assert found["metrics"] is None
        assert problem in found["problem"]
        assert console.log() == ""


def test_lines_of_prometheus_are_read() -> None:
    text = '# HELP x y\nx 1.0\nx_total{a="b",c="d \\" e"} 2e+03\nno number\n'
    assert [(each.name, each.labels, each.value) for each in parsed(text)] == [
        ("x", {}, 1.0),
        ("x_total", {"a": "b", "c": 'd \\" e'}, 2000.0),
    ]


def test_shares_of_a_histogram_are_those_of_prometheus() -> None:
    inf = float("inf")
    whole = Histogram({0.1: 10.0, 0.2: 20.0, inf: 20.0})
    assert whole.quantile_s(0.5) == pytest.approx(0.1)
    assert whole.quantile_s(0.75) == pytest.approx(0.15)
    assert Histogram({0.1: 0.0, inf: 4.0}).quantile_s(0.5) == pytest.approx(0.1)
    assert Histogram({0.1: 0.0, inf: 0.0}).quantile_s(0.5) is None
    added = Histogram({0.1: 10.0, 0.2: 30.0, inf: 30.0}).since(whole)
    assert added.below == {0.1: 0.0, 0.2: 10.0, inf: 10.0}
    assert whole.since(Histogram({0.1: 11.0, 0.2: 20.0, inf: 20.0})) is whole
