"""Prometheus itself scrapes a server, loads the alerts, and answers every panel of the dashboard."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import pytest

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from harness.model_servers import free_port
from harness.running import running_server
from harness.streaming import OneInFlight

CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
scrape_configs:
  - job_name: facewire
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
NOTHING_TO_SHOW = {"Frames not recognized, by reason"}


class Prometheus:
    """A running Prometheus."""

    def __init__(self, port: int) -> None:
        self._at = f"http://127.0.0.1:{port}/api/v1"

    def get(self, path: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._at}/{path}?{query}", timeout=30) as response:
            answer = json.load(response)
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression: str) -> list[Any]:
        """The series of an expression; Grafana's variables are filled in."""
        plain = expression.replace("$__rate_interval", "5m").replace("$job", "facewire")
        result: list[Any] = self.get("query", query=plain)["result"]
        return result

    def until(self, expression: str) -> None:
        """Waits until an expression has a series; the test's time limit ends it."""
        while True:
            try:
                if self.query(expression):
                    return
            except OSError:  # it does not listen yet
                pass
            time.sleep(0.1)


@contextmanager
def prometheus(folder: Path, scraped: int, rules: Path) -> Iterator[Prometheus]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("needs Debian's package prometheus")
    config, port = folder / "prometheus.yml", free_port()
    config.write_text(CONFIG.format(rules=rules, port=scraped))
    flags = [f"--config.file={config}", f"--storage.tsdb.path={folder / 'data'}"]
    process = subprocess.Popen(
        [program, *flags, f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield Prometheus(port)
    finally:
        process.terminate()
        process.wait(30)


def test_prometheus_takes_metrics_alerts_and_dashboard(
    models: Path, repository: Path, tmp_path: Path, astronaut
) -> None:
    picture = cv2.imencode(".jpg", astronaut[:, :, ::-1])[1].tobytes()
    port = free_port()
    rules = repository / "docs" / "prometheus-alerts.yml"
    board = json.loads((repository / "docs" / "grafana-dashboard.json").read_text())
    with (
        prometheus(tmp_path, port, rules) as watcher,
        running_server(models=models, metrics_listen=f"127.0.0.1:{port}") as server,
        server.channel() as channel,
        OneInFlight(channel) as stream,
    ):
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        request = recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=picture))
        watcher.until("up == 1")
        for _ in range(2):  # a rate is of two scrapes, with frames before each
            stream.send(picture)
            stub.Recognize(request, timeout=60)
            ((_, scrapes),) = (
                series["value"] for series in watcher.query("count_over_time(up[5m])")
            )
            watcher.until(f"count_over_time(up[5m]) > {int(scrapes) + 1}")
        watcher.until("sum(rate(facewire_frames_total[5m])) > 0")
        empty = {
            panel["title"]
            for panel in board["panels"]
            for target in panel.get("targets", [])
            if not watcher.query(target["expr"])
        }
        assert empty == NOTHING_TO_SHOW
        (group,) = watcher.get("rules")["groups"]
        assert {rule["health"] for rule in group["rules"]} == {"ok"}
        assert not watcher.query('ALERTS{alertstate="firing"}')
