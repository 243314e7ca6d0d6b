"""`facewire mqtt` between a server and a real broker: what Home Assistant sees, whatever is away meanwhile."""

import asyncio
import json
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packaging.utils import canonicalize_name

import facewire
from facewire import TrackState
from facewire._mqtt import connection
from facewire._mqtt.bridge import Bridge, Shown
from facewire._mqtt.broker import Broker
from facewire._mqtt.feed import EventFeed
from facewire._mqtt.position import Position
from facewire._mqtt.together import first_of
from facewire._mqtt.topics import Topics
from facewire.v1 import face_pb2, recognition_pb2
from fakes.home_assistant import HomeAssistant, home_assistant, retained_messages
from fakes.mosquitto import Mosquitto, missing, mosquitto
from fakes.server import TRACKED, FakeServer
from harness.relay import relay_to
from integration.command import ended_by_ctrl_c, environment, interruptible

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with FakeServer(features=TRACKED) as server:
        yield server


def happens(
    fake,
    state="CONFIRMED",
    *,
    camera="front door",
    name="Ada",
    outcome="PENDING",
    before="",
    track=7,
):
    event = recognition_pb2.TrackEvent(
        camera_id=camera, track_id=track, visit_id=track, state=f"TRACK_STATE_{state}", gallery_id="default",
        reason="TRACK_REASON_EVIDENCE", previous_identity_id=before,
    )  # fmt: skip
    if name:
        event.decision.outcome = face_pb2.OUTCOME_KNOWN
        event.decision.identity_id, event.decision.display_name = f"id-{name.lower()}", name
    else:
        event.decision.MergeFrom(face_pb2.Decision(outcome=f"OUTCOME_{outcome}"))
    return fake.journal.record(event).event_id


async def until_true(condition, process):
    while not condition():
        assert process.poll() is None, process.communicate()
        await asyncio.sleep(0.01)


class Command:
    """The command as a process."""

    def __init__(self, server: str, broker: Mosquitto, *options: object) -> None:
        self.process = interruptible(["mqtt", broker.address, *options], server)

    def stop(self) -> str:
        """Ends it by SIGTERM; what it printed."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, errors
        return errors


@asynccontextmanager
async def commanded(
    fake: FakeServer, broker: Mosquitto, *options: object
) -> AsyncIterator[Command]:
    """The command, from when it follows the server until the end of the block."""
    before = len(fake.watched)
    bridge = Command(fake.address, broker, *options)
    try:
        await until_true(lambda: len(fake.watched) > before, bridge.process)
        yield bridge
    finally:
        bridge.process.kill()
        bridge.process.communicate()


@asynccontextmanager
async def bridged(
    fake: FakeServer,
    broker: Mosquitto,
    *,
    port: int = 0,
    position: Path | None = None,
    **shown: Any,
) -> AsyncIterator[asyncio.Queue[str]]:
    """What the command runs, in this process, from when it follows the server; yields what it reports."""
    reports: asyncio.Queue[str] = asyncio.Queue()
    kept = Position(position)
    where = Broker(
        "127.0.0.1",
        port or broker.port,
        user=broker.user,
        password_file=broker.password_file if broker.user else None,
        is_encrypted=broker.ca_file is not None,
        ca_file=broker.ca_file,
    )
    before = len(fake.watched)
    async with facewire.AsyncClient(fake.address) as client:
        feed = EventFeed(
            client,
            cameras=(),
            after_event=kept.read(),
            report=lambda error, _: reports.put_nowait(str(error)),
        )
        topics = Topics("facewire", "homeassistant")
        bridge = Bridge(
            feed, where, topics, Shown(**shown), report=reports.put_nowait, published=kept.note
        )
        running = asyncio.create_task(first_of(feed.read(), bridge.publish()))
        try:
            while len(fake.watched) == before:
                assert not running.done(), running
                await asyncio.sleep(0.01)
            yield reports
        finally:
            running.cancel()
            async with asyncio.timeout(60):
                await asyncio.gather(running, return_exceptions=True)


async def reported(reports: asyncio.Queue[str]) -> str:
    async with asyncio.timeout(60):
        return await reports.get()


def ids(home: HomeAssistant) -> list[int]:
    return [event["event_id"] for event in home.events]


async def test_home_assistant_sees_a_camera_as_an_event_entity(fake, broker) -> None:
    async with home_assistant(broker) as home, bridged(fake, broker):
        numbers = [happens(fake, "TENTATIVE", name=""), happens(fake), happens(fake, "ENDED")]
        await home.until(lambda: len(home.events) == 3)
        assert ids(home) == numbers
        await home.until(lambda: home.entities and len(home.entity("front door").states) == 3)
        door = home.entity("front door")
        assert door.states == ["tentative", "confirmed", "ended"]
        assert door.attributes["identity_id"] == "id-ada"
        assert "name" not in door.attributes, "a name leaves the server only if that is allowed"
        assert "Ada" not in repr(home.events)
        assert home.names() == {"front door"}, "no sensor of a person without --people"
        assert home.is_available


async def test_home_assistant_counts_the_people_before_each_camera(fake, broker) -> None:
    async with home_assistant(broker) as home, bridged(fake, broker, expire_after_s=2):
        happens(fake, "TENTATIVE", name="", track=1)
        await home.until(lambda: home.entities and home.counts("front door") == ("1", "0", "0"))
        happens(fake, track=1)
        happens(fake, name="", outcome="UNKNOWN", track=2)
        happens(fake, camera="yard", track=3)
        await home.until(lambda: home.counts("front door") == ("2", "1", "1"))
        await home.until(lambda: "yard" in home.names() and home.counts("yard") == ("1", "1", "0"))
        happens(fake, "RETRACTED", name="", before="id-ada", track=1)
        await home.until(lambda: home.counts("front door") == ("2", "0", "1"))
        await home.start_again()
        await home.until(lambda: home.names() == {"front door", "yard"})
        await home.until(lambda: home.counts("front door") == ("2", "0", "1"))
        happens(fake, "ENDED", track=1)
        happens(fake, "ENDED", track=2)
        await home.until(lambda: home.counts("front door") == ("0", "0", "0"))
        assert home.counts("yard") == ("1", "1", "0")
    assert not [topic for topic in await retained_messages(broker) if topic.endswith("/people")]


async def test_pauses_grow_before_a_broker_that_drops_and_begin_short_after_a_connection_that_lasted(
    fake, broker, monkeypatch
) -> None:
    with relay_to(broker.port) as relay:
        async with (
            home_assistant(broker) as home,
            bridged(fake, broker, port=relay.port) as reports,
        ):

            async def pause_after_connection(number: int) -> float:
                await home.until(lambda: home.availabilities.count("online") == number)
                relay.cut()
                text = await reported(reports)
                return float(text.rpartition("again in ")[2].removesuffix(" s."))

            pauses = [await pause_after_connection(number) for number in (1, 2, 3)]
            for pause_s, longest_s in zip(pauses, (1, 2, 4), strict=True):
                assert longest_s / 2 <= pause_s <= longest_s, pauses
            monkeypatch.setattr(connection, "_LASTING_S", 0.0)
            assert await pause_after_connection(4) <= 1, "the connection lasted"


async def test_nothing_that_is_retained_says_who_is_known(fake, broker) -> None:
    async with home_assistant(broker) as home, bridged(fake, broker, names=True, people=True):
        happens(fake)
        await home.until(lambda: "Ada" in home.names() and home.entity("Ada").states)
        assert home.entity("Ada").states[-1] == "front door"
        assert home.events[0]["name"] == "Ada"
        kept = await retained_messages(broker)
    assert set(kept) == {"facewire/available", "homeassistant/device/facewire/config"}
    assert "ada" not in repr(kept).lower()


async def test_a_person_is_a_sensor_that_expires_and_is_announced_again_to_who_starts(
    fake, broker
) -> None:
    async with home_assistant(broker) as home, bridged(fake, broker, people=True):
        happens(fake)
        await home.until(lambda: "id-ada" in home.names() and home.entity("id-ada").states)
        assert home.entity("id-ada").config["expire_after"] == 60
        await home.start_again()
        await home.until(lambda: {"id-ada", "front door"} <= home.names())
        happens(fake, "RETRACTED", name="", before="id-ada")
        await home.until(lambda: home.entity("id-ada").states[-1:] == ["unknown"])
        happens(fake, camera="yard", track=8)
        await home.until(lambda: home.entity("id-ada").states[-1:] == ["yard"])


async def test_who_stays_is_said_to_be_there_again_before_the_sensor_expires(fake, broker) -> None:
    async with (
        home_assistant(broker) as home,
        bridged(fake, broker, people=True, expire_after_s=2),
    ):
        happens(fake)
        await home.until(
            lambda: home.names() >= {"id-ada"} and len(home.entity("id-ada").states) >= 2
        )
        assert set(home.entity("id-ada").states) == {"front door"}


async def test_no_event_is_lost_while_the_broker_is_away(fake, broker) -> None:
    with relay_to(broker.port) as relay:
        async with (
            home_assistant(broker) as home,
            bridged(fake, broker, port=relay.port) as reports,
        ):
            numbers = [happens(fake)]
            await home.until(lambda: ids(home) == numbers)
            relay.hold()
            numbers += [happens(fake, track=track) for track in range(8, 28)]
            relay.cut()
            assert "the broker is lost" in await reported(reports)
            await home.until(lambda: home.is_available is False)
            relay.go_on()
            await home.until(lambda: set(ids(home)) == set(numbers) and home.is_available)
            assert [*dict.fromkeys(ids(home))] == numbers, "in order; one may come twice"


async def test_a_broker_that_has_forgotten_everything_is_told_again(fake, broker) -> None:
    async with bridged(fake, broker):
        async with home_assistant(broker) as home:
            happens(fake)
            await home.until(lambda: len(home.events) == 1)
            broker.stop()
            broker.start()
        async with home_assistant(broker) as home:
            await home.until(lambda: home.is_available and home.names() == {"front door"})


async def test_no_event_is_lost_while_the_server_is_away(fake, broker) -> None:
    async with home_assistant(broker) as home, bridged(fake, broker):
        numbers = [happens(fake)]
        await home.until(lambda: len(home.events) == 1)
        port = int(fake.address.rpartition(":")[2])
        fake.__exit__()
        numbers += [happens(fake, track=8), happens(fake, track=9)]
        with FakeServer(features=TRACKED, port=port, journal=fake.journal) as again:
            numbers.append(happens(again, track=10))
            await home.until(lambda: len(home.events) == len(numbers))
            assert ids(home) == numbers


async def test_a_server_and_a_broker_that_are_not_there_yet_are_waited_for(broker) -> None:
    broker.stop()
    with FakeServer(features=TRACKED) as gone:
        address = gone.address
    bridge = Command(address, broker)
    try:
        lines = [await asyncio.to_thread(bridge.process.stderr.readline) for _ in range(2)]
        assert all("Trying again in" in line for line in lines), lines
        broker.start()
        with FakeServer(features=TRACKED, port=int(address.rpartition(":")[2])) as fake:
            async with home_assistant(broker) as home:
                await until_true(lambda: fake.watched, bridge.process)
                number = happens(fake)
                await home.until(lambda: ids(home) == [number])
    finally:
        bridge.process.kill()
        bridge.process.communicate()


async def test_a_bridge_that_ends_says_so_and_one_that_is_killed_leaves_its_will(
    fake, broker
) -> None:
    async with home_assistant(broker) as home:
        async with commanded(fake, broker) as bridge:
            await home.until(lambda: home.is_available)
            errors = await asyncio.to_thread(bridge.stop)
            assert errors == ""
            await home.until(lambda: home.is_available is False)
        async with commanded(fake, broker) as bridge:
            await home.until(lambda: home.is_available)
            _, errors = await asyncio.to_thread(ended_by_ctrl_c, bridge.process)
            assert (bridge.process.returncode, errors) == (0, "")
            await home.until(lambda: home.is_available is False)
        async with commanded(fake, broker) as bridge:
            await home.until(lambda: home.is_available)
            bridge.process.kill()
            await home.until(lambda: home.is_available is False)


async def test_a_bridge_goes_on_after_the_last_event_that_it_published(
    fake, broker, tmp_path
) -> None:
    position = tmp_path / "position"
    async with home_assistant(broker) as home:
        async with commanded(fake, broker, "--position", position) as bridge:
            first = happens(fake)
            noted = f"{first}\n"
            await until_true(
                lambda: position.exists() and position.read_text() == noted, bridge.process
            )
            await asyncio.to_thread(bridge.stop)
        missed = happens(fake)
        async with bridged(fake, broker, position=position):
            await home.until(lambda: ids(home) == [first, missed])


async def test_the_cameras_of_the_bridge_before_stay_announced(fake, broker) -> None:
    """Home Assistant that starts later gets what is retained: a camera that sees no one for a while must be in it."""
    async with home_assistant(broker) as home:
        async with bridged(fake, broker):
            happens(fake, camera="front door")
            happens(fake, camera="")
            await home.until(lambda: len(home.names()) == len(home.events) == 2)
        async with bridged(fake, broker):
            happens(fake, camera="yard")
            await home.until(lambda: len(home.events) == 3)
            names = {"front door", "yard", "Camera without a name"}
            await home.until(lambda: home.names() == names)
            while set(retained_names(await retained_messages(broker))) != names:
                await asyncio.sleep(0.05)


def retained_names(kept: dict[str, str]) -> list[str]:
    device = json.loads(kept["homeassistant/device/facewire/config"])
    components = device["components"].values()
    return [component["name"] for component in components if component["platform"] == "event"]


@pytest.mark.timeout(300)
async def test_a_broker_that_stands_still_is_left_and_no_event_is_lost(fake, broker) -> None:
    async with bridged(fake, broker) as reports, home_assistant(broker) as home:
        numbers = [happens(fake)]
        await home.until(lambda: len(home.events) == 1)
        with broker.standing_still():
            numbers.append(happens(fake, track=8))
            assert "the broker is lost" in await reported(reports)
        await home.until(lambda: set(ids(home)) == set(numbers))
        await home.until(lambda: home.availabilities[-1] == "online")


def test_a_token_that_is_refused_ends_the_command(broker, run) -> None:
    with FakeServer(features=TRACKED, token="s3cret") as guarded:
        result = run("mqtt", broker.address, server=guarded.address)
    assert result.returncode == 4, result.stderr
    assert "token" in result.stderr


def test_without_the_extra_the_command_says_what_it_lacks(fake) -> None:
    code = "import sys; sys.modules['aiomqtt'] = None; from facewire.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "mqtt", "127.0.0.1"],
        env=environment(fake.address), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'WHEEL[mqtt]'" in done.stderr


async def test_the_packages_of_make_run_are_all_that_the_command_needs(
    fake, broker, repository
) -> None:
    """No other can be imported; the command follows the server, publishes, and ends."""
    lines = (repository / "requirements" / "run.txt").read_text().splitlines()
    pinned = {canonicalize_name(line.split("==")[0]) for line in lines if "==" in line}
    others = [
        name
        for name, packages in packages_distributions().items()
        if not pinned & {canonicalize_name(each) for each in packages}
        and not name.startswith("facewire")
    ]
    assert {"pytest", "mypy"} <= set(others)
    code = f"import sys; sys.modules.update(dict.fromkeys({others})); from facewire.cli import main; main()"
    bridge = subprocess.Popen(
        [sys.executable, "-c", code, "mqtt", broker.address],
        env=environment(fake.address), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with bridge:
        try:
            async with home_assistant(broker) as home:
                await until_true(lambda: fake.watched, bridge)
                number = happens(fake)
                await home.until(lambda: ids(home) == [number])
            bridge.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(bridge.wait, 60) == 0
        finally:
            bridge.kill()


async def test_password_and_tls_are_used_and_another_password_ends_the_command(
    fake, tmp_path, certificate
) -> None:
    with mosquitto(
        tmp_path, user="bridge", password="pass wörd", certificate=certificate
    ) as broker:
        async with home_assistant(broker) as home, bridged(fake, broker):
            number = happens(fake)
            await home.until(lambda: ids(home) == [number])
        wrong = tmp_path / "wrong"
        wrong.write_text("another\n")
        options = ("--user", "bridge", "--password-file", wrong, "--mqtt-ca", broker.ca_file)
        refused = Command(fake.address, broker, *options)
        _, errors = await asyncio.to_thread(refused.process.communicate, timeout=60)
    assert refused.process.returncode == 4, errors
    assert "refuses the user" in errors
    assert "another" not in errors


async def test_a_broker_whose_certificate_is_not_trusted_gets_no_password(
    fake, tmp_path, certificate
) -> None:
    with mosquitto(tmp_path, user="bridge", password="secret", certificate=certificate) as broker:
        bridge = Command(
            fake.address,
            broker,
            "--user",
            "bridge",
            "--password-file",
            broker.password_file,
            "--mqtt-tls",
        )
        try:
            line = await asyncio.to_thread(bridge.process.stderr.readline)
        finally:
            bridge.process.kill()
            bridge.process.communicate()
    assert "certificate verify failed" in line


@pytest.mark.parametrize(
    "wrong",
    [
        ("a/b",),
        ("host:port",),
        ("u@host",),
        ("host", "--prefix", "a/#"),
        ("host", "--password-file", "x"),
        ("host", "--mqtt-key", "x"),
        ("host", "--position", "x"),
        ("host", "--position", "number"),
        ("host", "--position", "x" * 300),
    ],
)
def test_what_cannot_be_is_an_error_of_usage(fake, run, wrong, tmp_path) -> None:
    (tmp_path / "x").write_text("secret")
    (tmp_path / "number").write_text(f"{10**30}")
    files = ("x", "number", "x" * 300)
    arguments = [tmp_path / part if part in files else part for part in wrong]
    result = run("mqtt", *arguments, server=fake.address)
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr


async def test_a_real_person_before_a_real_camera_is_seen_in_home_assistant(
    server, broker, portrait
) -> None:
    gallery = f"mqtt-{uuid.uuid4().hex}"
    bridge = Command(server.address, broker, "--people", "--names", "--camera", gallery)
    try:
        async with home_assistant(broker) as home, facewire.AsyncClient(server.address) as client:
            await client.create_gallery(gallery)
            await client.enroll("eileen", portrait, gallery=gallery, display_name="Eileen")
            await home.until(lambda: home.is_available)
            await _follows(client, gallery, portrait, home)
            await home.until(
                lambda: home.entities and home.entity(gallery).states[-1:] == ["ended"]
            )
            camera = home.entity(gallery)
            assert {"tentative", "confirmed", "ended"} <= set(camera.states)
            assert (camera.attributes["identity_id"], camera.attributes["name"]) == (
                "eileen",
                "Eileen",
            )
            assert camera.attributes["similarity"] > 0.5
            assert home.entity("Eileen").states[-1] == gallery
            assert "eileen" not in repr(await retained_messages(broker)).lower()
    finally:
        bridge.process.kill()
        bridge.process.communicate()


async def _follows(
    client: facewire.AsyncClient, camera: str, picture: np.ndarray, home: HomeAssistant
) -> None:
    """Streams a person until the bridge, which may have come later than the first stream, has confirmed them."""
    while not any(event["event_type"] == "confirmed" for event in home.events):
        frames = [picture] * 8
        async for result in client.stream(frames, camera=camera, gallery=camera):
            if isinstance(result, facewire.TrackEvent) and result.state is TrackState.ENDED:
                break
