"""`facewire frigate`: a real broker, Frigate's HTTP API on the loopback, and who is known gets a sub-label."""

import asyncio
import contextlib
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import aiomqtt
import cv2
import numpy as np
import pytest

import facewire
from facewire._mqtt.broker import Broker
from facewire._mqtt.frigate import Frigate
from facewire._mqtt.frigate_api import FrigateApi, FrigateError
from fakes.frigate import FakeFrigate, event_message, fake_frigate
from fakes.mosquitto import Mosquitto, missing, mosquitto
from fakes.server import FakeServer
from integration.command import interruptible

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

KNOWN, STRANGER = "1607123955.475377-mxklsc", "1607123956.1-abcdef"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def frigate(astronaut, tmp_path) -> Iterator[FakeFrigate]:
    with fake_frigate() as running:
        running.snapshots = {KNOWN: jpeg(astronaut), STRANGER: jpeg(np.full_like(astronaut, 128))}
        yield running


def jpeg(picture) -> bytes:
    return cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes()


@asynccontextmanager
async def helping(
    server: str, broker: Mosquitto, api: FrigateApi, gallery: str, *, with_names: bool = False
) -> AsyncIterator[asyncio.Queue[str]]:
    """What the command runs, in this process; yields what it reports."""
    reports: asyncio.Queue[str] = asyncio.Queue()
    async with facewire.AsyncClient(server) as client:
        helper = Frigate(
            client,
            Broker("127.0.0.1", broker.port),
            api,
            topic_prefix="frigate",
            gallery=gallery,
            with_names=with_names,
            report=reports.put_nowait,
        )
        running = asyncio.create_task(helper.run())
        try:
            yield reports
            assert not running.done(), running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@contextmanager
def commanded(
    server: str, broker: Mosquitto, frigate: FakeFrigate, *options: object
) -> Iterator[None]:
    """The command as a process."""
    process = interruptible(["frigate", broker.address, frigate.url, *options], server)
    try:
        yield
    finally:
        process.kill()
        process.communicate()


async def until(frigate: FakeFrigate, condition) -> None:
    def wait() -> bool:
        with frigate.changed:
            return frigate.changed.wait_for(condition, timeout=60)

    assert await asyncio.to_thread(wait), (frigate.asked, frigate.sub_labels)


async def publish_until(broker: Mosquitto, payload: bytes, frigate: FakeFrigate, condition) -> None:
    """Publishes a message until it has had its effect: the helper may not have subscribed yet."""
    waiting = asyncio.create_task(until(frigate, condition))
    async with aiomqtt.Client("127.0.0.1", broker.port) as mqtt:
        while not waiting.done():
            await mqtt.publish("frigate/events", payload, qos=1)
            await asyncio.wait([waiting], timeout=0.2)
    await waiting


@pytest.fixture
def enrolled(server, gallery, client, astronaut) -> str:
    client.enroll(
        "id-eileen", np.ascontiguousarray(astronaut), gallery=gallery, display_name="Eileen"
    )
    return gallery


async def test_who_is_known_gets_a_sub_label_and_a_stranger_none(
    server, broker, frigate, enrolled
) -> None:
    async with helping(server.address, broker, FrigateApi(frigate.url), enrolled):
        stranger = event_message(STRANGER)
        await publish_until(
            broker,
            stranger,
            frigate,
            lambda: f"/api/events/{STRANGER}/snapshot.jpg" in frigate.asked,
        )
        await publish_until(broker, event_message(KNOWN), frigate, lambda: frigate.sub_labels)
    label, score = frigate.sub_labels.pop(KNOWN)
    assert label == "id-eileen", "the name leaves the server only if that is allowed"
    assert 0.5 < score <= 1
    assert not frigate.sub_labels
    assert frigate.asked.count(f"/api/events/{KNOWN}/sub_label") == 1
    assert all(
        "bbox=0" in query
        for path, query in zip(frigate.asked, frigate.queries, strict=True)
        if "snapshot" in path
    )


async def test_a_login_that_expired_is_made_again_and_the_name_is_sent_if_allowed(
    server, broker, frigate, enrolled, tmp_path
) -> None:
    frigate.password = "geheim"
    secret = tmp_path / "secret"
    secret.write_text("geheim\n")
    options = (
        "-g",
        enrolled,
        "--names",
        "--frigate-user",
        "admin",
        "--frigate-password-file",
        secret,
    )
    with commanded(server.address, broker, frigate, *options):
        await publish_until(
            broker, event_message(KNOWN), frigate, lambda: KNOWN in frigate.sub_labels
        )
        assert frigate.sub_labels[KNOWN][0] == "Eileen"
        frigate.session = "second"
        other = "1607123957.2-second"
        frigate.snapshots[other] = frigate.snapshots[KNOWN]
        await publish_until(
            broker, event_message(other), frigate, lambda: other in frigate.sub_labels
        )
    assert frigate.logins == 2


async def test_a_wrong_password_is_reported_and_a_token_of_a_file_is_sent(
    frigate, tmp_path
) -> None:
    frigate.password = "geheim"
    secret = tmp_path / "secret"
    secret.write_text("falsch\n")
    api = FrigateApi(frigate.url, user="admin", password_file=secret)
    with pytest.raises(FrigateError, match="responds 401"):
        api.snapshot(KNOWN)
    secret.write_text("geheim\n")
    assert api.snapshot(KNOWN) == frigate.snapshots[KNOWN]
    frigate.session = "second"
    api.set_sub_label(KNOWN, "x" * 101, -0.5)
    assert frigate.sub_labels[KNOWN] == ("x" * 100, 0.01), "within what Frigate takes"
    secret.write_text("second\n")
    assert FrigateApi(frigate.url, token_file=secret).snapshot(KNOWN)
    for bad in ("caf\u00e9", "\u20ac", "a\tb"):
        secret.write_text(bad)
        with pytest.raises(FrigateError, match="printable ASCII") as raised:
            FrigateApi(frigate.url, token_file=secret).snapshot(KNOWN)
        assert bad not in str(raised.value)
    secret.write_text("")
    with pytest.raises(FrigateError, match="is empty"):
        FrigateApi(frigate.url, token_file=secret).snapshot(KNOWN)
    with pytest.raises(FrigateError, match="not reached"):
        FrigateApi("http://127.0.0.1:1").snapshot(KNOWN)


async def test_what_is_no_person_with_a_snapshot_is_not_asked_for(
    server, broker, frigate, enrolled
) -> None:
    """Also not an id that would lead elsewhere: who may publish to the broker must not choose what is called."""
    ids = [
        "../../config",
        "..",
        f"{KNOWN}/../x",
        "",
        7,
        None,
        "1607123955.475377-mxklsc?x",
        "a" * 65,
    ]
    messages = [event_message(KNOWN, id=other) for other in ids]
    messages += [
        event_message(KNOWN, label="dog"), event_message(KNOWN, has_snapshot=False),
        event_message(KNOWN, false_positive=True), event_message(KNOWN, sub_label=["Bo", 0.9]),
        b"", b"[]", b"{}", b"[" * 100_000, b"\xff", b'{"after": 7}', b'{"after": {"id": "' + b"1" * 300_000 + b'"}}',
    ]  # fmt: skip
    last = event_message(STRANGER)
    async with helping(server.address, broker, FrigateApi(frigate.url), enrolled) as reports:
        path = f"/api/events/{STRANGER}/snapshot.jpg"
        await publish_until(broker, last, frigate, lambda: path in frigate.asked)
        async with aiomqtt.Client("127.0.0.1", broker.port) as mqtt:
            for message in messages:
                await mqtt.publish("frigate/events", message, qos=1)
        await publish_until(
            broker, event_message(KNOWN), frigate, lambda: KNOWN in frigate.sub_labels
        )
        assert reports.empty()
    assert set(frigate.asked) == {
        path,
        f"/api/events/{KNOWN}/snapshot.jpg",
        f"/api/events/{KNOWN}/sub_label",
    }


async def test_an_event_is_looked_at_again_only_for_a_better_snapshot(
    server, broker, frigate, enrolled
) -> None:
    path = f"/api/events/{STRANGER}/snapshot.jpg"
    async with helping(server.address, broker, FrigateApi(frigate.url), enrolled):
        await publish_until(broker, event_message(STRANGER), frigate, lambda: path in frigate.asked)
        async with aiomqtt.Client("127.0.0.1", broker.port) as mqtt:
            for number in range(9):
                better = event_message(
                    STRANGER, kind="update", snapshot={"frame_time": number + 1.0}
                )
                await mqtt.publish("frigate/events", event_message(STRANGER, kind="update"), qos=1)
                await mqtt.publish("frigate/events", better, qos=1)
        await publish_until(
            broker, event_message(KNOWN), frigate, lambda: KNOWN in frigate.sub_labels
        )
    assert 1 < frigate.asked.count(path) <= 5


async def test_a_frigate_that_is_away_or_refuses_is_reported_and_waited_for(
    server, broker, frigate, enrolled
) -> None:
    frigate.password = "geheim"
    async with helping(server.address, broker, FrigateApi(frigate.url), enrolled) as reports:
        async with aiomqtt.Client("127.0.0.1", broker.port) as mqtt:
            reading = asyncio.create_task(reports.get())
            while not reading.done():
                await mqtt.publish("frigate/events", event_message(KNOWN), qos=1)
                await asyncio.wait([reading], timeout=0.2)
        assert "Frigate responds 401" in await reading
        frigate.password = ""
        better = event_message(KNOWN, kind="update", snapshot={"frame_time": 2.0})
        await publish_until(broker, better, frigate, lambda: KNOWN in frigate.sub_labels)


@pytest.mark.parametrize(
    "url", ["ftp://frigate", "frigate:5000", "http://u:p@frigate", "http://frigate?x=1", "http://"]
)
def test_an_address_that_cannot_be_is_an_error_of_usage(run, url) -> None:
    with FakeServer() as fake:
        result = run("frigate", "127.0.0.1", url, server=fake.address)
    assert result.returncode == 2, result.stderr
    assert "address of Frigate" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--frigate-password-file", "x"),
        ("--frigate-user", "admin"),
        ("--frigate-token-file", "x", "--frigate-user", "admin", "--frigate-password-file", "x"),
        ("--frigate-ca", "x"),
    ],
)
def test_options_that_would_have_no_effect_are_an_error_of_usage(run, options, tmp_path) -> None:
    (tmp_path / "x").write_text("secret")
    given = [tmp_path / "x" if part == "x" else part for part in options]
    with FakeServer() as fake:
        result = run("frigate", "127.0.0.1", "http://127.0.0.1:1", *given, server=fake.address)
    assert result.returncode == 2, result.stderr
    assert "--frigate-" in result.stderr
    assert "Traceback" not in result.stderr


async def test_a_frigate_that_says_nothing_does_not_keep_the_command_from_its_end(
    server, broker
) -> None:
    with silent_port() as (url, asked):
        process = interruptible(["frigate", broker.address, url], server.address)
        try:
            async with aiomqtt.Client("127.0.0.1", broker.port) as mqtt:
                while not asked.is_set():
                    await mqtt.publish("frigate/events", event_message(KNOWN), qos=1)
                    await asyncio.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            _, errors = await asyncio.to_thread(process.communicate, timeout=60)
        finally:
            process.kill()
            process.communicate()
    assert process.returncode == 0
    assert errors == ""


@contextmanager
def silent_port() -> Iterator[tuple[str, threading.Event]]:
    """An address of which each response goes on for ever, a byte at a time, and what is set by the first request."""
    asked = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            asked.set()
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.1)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        serving = threading.Thread(target=running.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}", asked
        finally:
            running.shutdown()
            serving.join()
