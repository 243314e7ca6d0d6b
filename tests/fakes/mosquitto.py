"""A real MQTT broker, Debian's mosquitto, on a loopback port: with or without password and TLS, stopped and started again."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["Mosquitto", "missing", "mosquitto"]

_PROGRAM = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
_START_TIMEOUT_S = 20.0


def missing() -> str:
    """Returns what these tests need and is not there; "" if it is."""
    return "" if _PROGRAM else "needs mosquitto (requirements/debian.list)"


class Mosquitto:
    """One broker.

    Attributes:
        port: of 127.0.0.1, also after it was started again.
        user: who may log in; "": everybody without a login.
        password_file: that user's password.
        ca_file: what a client must trust; None without TLS.
    """

    def __init__(
        self, folder: Path, *, user: str, password: str, certificate: tuple[Path, Path] | None
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.user = user
        self.password_file = folder / "password"
        self.ca_file = certificate[0] if certificate else None
        self._process: subprocess.Popen[bytes] | None = None
        self._config = folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "persistence false"]
        if os.getuid() == 0:
            lines.append("user root")  # else it could not read the test's folder
        if user:
            self.password_file.write_text(f"{password}\n")
            users = folder / "users"
            users.touch(mode=0o600)
            create = ["mosquitto_passwd", "-b", users, user, password]
            subprocess.run([str(part) for part in create], check=True, capture_output=True)
            lines += ["allow_anonymous false", f"password_file {users}"]
        else:
            lines.append("allow_anonymous true")
        if certificate:
            lines += [f"certfile {certificate[0]}", f"keyfile {certificate[1]}"]
        self._config.write_text("\n".join(lines) + "\n")

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        assert _PROGRAM
        self._process = subprocess.Popen(
            [_PROGRAM, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + _START_TIMEOUT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self._process.poll() is None, "mosquitto did not start"
                assert time.monotonic() < end, "mosquitto does not listen"
                time.sleep(0.02)
            else:
                return

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Reads and writes nothing until the end of the block, though its connections stay."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Kills it: what it retained is lost, and connections break."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def mosquitto(
    folder: Path,
    *,
    user: str = "",
    password: str = "",
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[Mosquitto]:
    """A broker that runs."""
    broker = Mosquitto(folder, user=user, password=password, certificate=certificate)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()
