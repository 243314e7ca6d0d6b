"""`make run` brings up server and console together, and neither is left without the other."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.console_running import Browser


@contextmanager
def both(repository: Path, folder: Path, **variables: str) -> Iterator[subprocess.Popen[str]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACEWIRE_")}
    rooms = ("server", "clients/python", "clients/console", ".")
    environment = {
        **kept,
        "FACEWIRE_LISTEN": "127.0.0.1:0",
        "FACEWIRE_DATA": str(folder / "data"),
        "FACEWIRE_MODELS": str(repository / "models"),
        "FACEWIRE_CONSOLE_PORT": "0",
        "PYTHONPATH": os.pathsep.join(str(repository / room) for room in rooms),
        **variables,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tools.run"],
        cwd=repository,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        children: list[psutil.Process] = []
        try:
            yield running
        finally:
            children += psutil.Process(running.pid).children() if running.poll() is None else []
            for process in children:
                process.kill()
            running.kill()


def lines(running: subprocess.Popen[str]) -> tuple[str, int]:
    """The server's address and the console's port, as printed."""
    assert running.stdout is not None
    server, console = (running.stdout.readline().strip() for _ in range(2))
    assert server.startswith("facewire.v1 on 127.0.0.1:"), server
    assert console.startswith("facewire console on http://127.0.0.1:"), console
    return server.removeprefix("facewire.v1 on "), int(console.rpartition(":")[2])


def test_both_come_up_and_end_on_ctrl_c(models, repository, tmp_path) -> None:
    with both(repository, tmp_path) as running:
        server, port = lines(running)
        with Browser("127.0.0.1", port) as browser:
            found = browser.send("GET", "/api/status").json()
        assert found["server"]["address"] == server
        assert found["server"]["reachable"] is True
        children = psutil.Process(running.pid).children()
        assert len(children) == 2
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
        assert not any(child.is_running() for child in children)


def health(port: int) -> tuple[dict[str, Any], str | None]:
    """What Health shows of the server's page of metrics, and why it shows nothing."""
    with Browser("127.0.0.1", port) as browser:
        found = browser.send("GET", "/api/metrics").json()
    return found["metrics"], found["problem"]


def test_health_shows_the_servers_workers_and_models_without_a_setting(
    models, repository, tmp_path
) -> None:
    with both(repository, tmp_path) as running:
        _, port = lines(running)
        shown, problem = health(port)
        assert problem is None
        assert shown["workers"] == {"count": 1, "deaths": 0}
        assert {each["servable"] for each in shown["models"]} >= {"mtcnn", "embedding"}


@pytest.mark.parametrize(
    ("listen", "is_shown"), [("0.0.0.0:{port}", True), ("127.0.0.1:0", False), ("", False)]
)
def test_a_page_of_metrics_that_a_variable_names_is_the_one_that_is_shown(
    models, repository, tmp_path, listen, is_shown
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    variables = {"FACEWIRE_METRICS_LISTEN": listen.format(port=port)}
    with both(repository, tmp_path, **variables) as running:
        _, port = lines(running)
        shown, problem = health(port)
        assert (shown is not None, problem) == (is_shown, None)


@pytest.mark.parametrize("name", ["facewire_server", "facewire_console"])
def test_if_one_dies_the_other_ends(models, repository, tmp_path, name) -> None:
    with both(repository, tmp_path) as running:
        lines(running)
        children = psutil.Process(running.pid).children()
        (victim,) = [child for child in children if name in child.cmdline()]
        victim.kill()
        assert running.wait(60) != 0
        assert not any(child.is_running() for child in children)


def test_a_server_that_does_not_start_starts_no_console(models, repository, tmp_path) -> None:
    with both(repository, tmp_path, FACEWIRE_LISTEN="nonsense") as running:
        out, err = running.communicate(timeout=60)
        assert running.returncode != 0
        assert out == ""
        assert "listen" in err
