"""`facewire-server health` says whether the server of the same settings is live and ready, over TLS too."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from facewire_server.__main__ import main
from facewire_server.configuration.settings import Settings
from facewire_server.healthcheck import NoAnswer, health
from facewire_server.rpc.health import HEALTH_NAMES
from fakes.wire import served


async def test_each_service_is_reported_as_it_is() -> None:
    async with served(token="secret") as wire:
        settings = Settings(listen=f"0.0.0.0:{wire.port}")
        assert await asyncio.to_thread(health, settings) == dict.fromkeys(HEALTH_NAMES, False)
        wire.server.health.set("facewire.v1.GalleryService", True)
        serving = await asyncio.to_thread(health, settings)
        assert [name for name, healthy in serving.items() if healthy] == [
            "facewire.v1.GalleryService"
        ]


async def test_a_certificate_for_any_name_below_any_root_will_do(tmp_path: Path) -> None:
    certificate, key = issue(tmp_path, "cameras.example")
    async with served(tls=(certificate.read_bytes(), key.read_bytes())) as wire:
        settings = Settings(listen=f"0.0.0.0:{wire.port}", tls_certificate=certificate, tls_key=key)
        assert set(await asyncio.to_thread(health, settings)) == set(HEALTH_NAMES)
        # The files are replaced, and the server has not been sent SIGHUP yet.
        issue(tmp_path, "other.example")
        assert set(await asyncio.to_thread(health, settings)) == set(HEALTH_NAMES)


@pytest.mark.parametrize("tls", [False, True])
def test_a_server_that_is_not_there_is_reported(unused_tcp_port: int, tls: bool) -> None:
    settings = Settings(
        listen=f"127.0.0.1:{unused_tcp_port}", tls_certificate=Path("any.pem") if tls else None
    )
    with pytest.raises(NoAnswer, match="refused" if tls else "UNAVAILABLE"):
        health(settings)


async def test_the_exit_status_says_whether_it_is_live_and_ready(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served() as wire:

        async def statuses() -> tuple[int, ...]:
            """With --live, with --ready, and with neither."""
            found = []
            for check in (["--live"], ["--ready"], []):
                listen = f"--listen=127.0.0.1:{wire.port}"
                monkeypatch.setattr("sys.argv", ["facewire-server", "health", listen, *check])
                found.append(await asyncio.to_thread(main))
            return tuple(found)

        assert await statuses() == (0, 1, 1)
        for name in HEALTH_NAMES[:-1]:
            wire.server.health.set(name, True)
        assert await statuses() == (0, 1, 1)
        assert f"{HEALTH_NAMES[-1]} NOT_SERVING" in capsys.readouterr().out
        wire.server.health.set(HEALTH_NAMES[-1], True)
        assert await statuses() == (0, 0, 0)
        wire.server.health.shut_down()
        assert await statuses() == (0, 1, 1), "a server that drains must not be restarted"


@pytest.mark.parametrize("check", ["--live", "--ready"])
def test_without_a_server_it_is_neither(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int, check: str
) -> None:
    listen = f"--listen=127.0.0.1:{unused_tcp_port}"
    monkeypatch.setattr("sys.argv", ["facewire-server", "health", listen, check])
    assert main() == 1


@pytest.mark.parametrize("flags", [["--live", "--ready"], ["--alive"]])
def test_a_wrong_command_line_has_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["facewire-server", "health", *flags])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2


def issue(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for `name`, signed by an authority whose own is not kept, and its key."""
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    authority = ["-out", "root.pem", "-keyout", "root.key", "-subj", "/CN=root"]
    signed = ["-days", "1", "-in", "leaf.csr", "-out", "leaf.pem"]
    signed_by = ["-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial"]
    for command in (
        ["req", "-x509", "-days", "1", *new_key, *authority],
        ["req", "-new", *new_key, *subject, "-out", "leaf.csr", "-keyout", "leaf.key"],
        ["x509", "-req", *signed_by, "-copy_extensions", "copy", *signed],
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True, cwd=folder)
    return folder / "leaf.pem", folder / "leaf.key"
