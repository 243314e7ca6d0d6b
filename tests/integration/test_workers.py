"""Two real workers on one port: one server to its clients, whatever happens to one of them."""

import json
import operator
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire.v1 import gallery_pb2, gallery_pb2_grpc
from fakes.python import PATHS
from fakes.wire import reason_and_fields
from fakes.write_lock import held_write_lock
from harness.running import RunningServer, ServerFailed, running_server
from harness.sdk_cameras import SdkCamera
from harness.tracked import TrackedStream
from integration.scraping import scrape, total
from integration.test_hanging_and_damaged import (
    GALLERY,
    NOT_SERVING,
    RECOGNITION,
    SERVING,
    wait_for_health,
)

pytestmark = pytest.mark.timeout(300)

WITHIN_S = 100.0
"""For what a busy machine does in seconds."""


def entries(server: RunningServer, event: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def until(holds: Callable[[], object]) -> None:
    ends_s = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < ends_s
        time.sleep(0.05)  # of another process's state there is no event


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def serving(server: RunningServer) -> list[int]:
    """The workers that take calls and have not ended."""
    return [one["pid"] for one in entries(server, "worker_serves") if is_running(one["pid"])]


@pytest.fixture(scope="module")
def workers(models: Path) -> Iterator[RunningServer]:
    """One server for the tests of this file; whoever kills a worker waits for the next one."""
    with running_server(
        workers=2, threads=2, frame_timeout_s=60, metrics_listen="127.0.0.1:0"
    ) as server:
        yield server


def test_each_worker_has_its_part_of_the_processors(workers: RunningServer) -> None:
    started = entries(workers, "server_started")
    assert {one["worker"] for one in started} >= set(serving(workers))
    assert [one["processors"] for one in started] == [1] * len(started)


def health(server: RunningServer) -> tuple[int, str]:
    """The exit status and the text of the command, which asks one worker."""
    done = subprocess.run(
        [sys.executable, "-m", "facewire_server", "health", f"--listen={server.address}"],
        env=os.environ | {"PYTHONPATH": PATHS},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_whichever_worker_is_asked_a_service_serves_if_all_workers_serve_it(
    models: Path, tmp_path: Path
) -> None:
    with running_server(workers=2, threads=2, data=tmp_path) as server, ExitStack() as opened:
        # Each of them may be of another worker.
        channels = [opened.enter_context(server.channel()) for _ in range(6)]
        until(lambda: health(server)[0] == 0)
        with held_write_lock(tmp_path / "gallery"):
            galleries = gallery_pb2_grpc.GalleryServiceStub(channels[0])
            waits = galleries.CreateIdentity.future(
                gallery_pb2.CreateIdentityRequest(identity_id="waits"), timeout=60
            )
            for channel in channels:  # the write of one worker alone waits
                wait_for_health(channel, GALLERY, NOT_SERVING)
                wait_for_health(channel, RECOGNITION, SERVING)
            status, text = health(server)
            assert (status, f"{GALLERY} NOT_SERVING" in text) == (1, True)
            assert waits.code() is grpc.StatusCode.UNAVAILABLE
        for channel in channels:
            wait_for_health(channel, GALLERY, SERVING)
        until(lambda: health(server)[0] == 0)


@pytest.mark.parametrize("count", [1, 2])
def test_a_port_that_is_taken_is_refused(workers: RunningServer, count: int) -> None:
    with (
        pytest.raises(ServerFailed, match="another server is there already"),
        running_server(listen=workers.address, workers=count),
    ):
        pass


def test_the_metrics_of_all_workers_are_one_page(
    workers: RunningServer, portrait: NDArray[np.uint8]
) -> None:
    port = int(entries(workers, "metrics_listening")[0]["address"].rpartition(":")[2])
    before = total(scrape(port)[1], "facewire_pictures_total", purpose="recognize", outcome="OK")
    calls = 0
    for _ in range(6):  # each client has a connection of its own
        with facewire.Client(workers.address) as client:
            client.recognize(portrait)
        calls += 1
    text, families = scrape(port)
    found = total(families, "facewire_pictures_total", purpose="recognize", outcome="OK")
    assert found == before + calls
    assert text.count("\nfacewire_workers ") == 1
    assert total(families, "facewire_workers") == 2
    assert total(families, "facewire_streams_limit") == 64


def test_what_workers_counted_since_the_last_scrape_is_kept_when_they_are_replaced(
    workers: RunningServer, portrait: NDArray[np.uint8]
) -> None:
    port = int(entries(workers, "metrics_listening")[0]["address"].rpartition(":")[2])
    before = total(scrape(port)[1], "facewire_pictures_total", purpose="recognize", outcome="OK")
    for _ in range(6):  # each client has a connection of its own
        with facewire.Client(workers.address) as client:
            client.recognize(portrait)
    replaced = len(entries(workers, "workers_replaced"))
    os.kill(workers.pid, signal.SIGUSR2)
    until(lambda: len(entries(workers, "workers_replaced")) > replaced)
    families = scrape(port)[1]
    found = total(families, "facewire_pictures_total", purpose="recognize", outcome="OK")
    assert found == before + 6
    assert total(families, "facewire_workers") == 2


def test_a_worker_that_is_killed_is_replaced(workers: RunningServer) -> None:
    gone, other = serving(workers)
    os.kill(gone, signal.SIGKILL)
    until(lambda: len(serving(workers)) == 2 and gone not in serving(workers))
    assert other in serving(workers)


def streams_by_worker(server: RunningServer) -> Counter[int]:
    found = Counter(one["worker"] for one in entries(server, "stream_opened"))
    found.subtract(one["worker"] for one in entries(server, "stream_ended"))
    return found


def all_have_ended(server: RunningServer) -> bool:
    counts = streams_by_worker(server)
    return not any(counts[pid] for pid in serving(server))  # one that was killed logged no end


def test_streams_of_the_sdk_are_spread_over_the_workers(workers: RunningServer) -> None:
    """Each has a connection of its own, and opens another one if its worker is busy."""
    until(lambda: all_have_ended(workers))
    over = threading.Event()

    def no_frames() -> Iterator[facewire.Picture]:
        over.wait()
        return
        yield

    with facewire.Client(workers.address) as client, ExitStack() as opened:
        opened.callback(over.set)
        for _ in range(8):
            opened.enter_context(client.stream(no_frames()))
        until(lambda: sum(streams_by_worker(workers)[pid] for pid in serving(workers)) == 8)
        counts = [streams_by_worker(workers)[pid] for pid in serving(workers)]
        assert sorted(counts) in ([3, 5], [4, 4])


def test_a_client_with_one_connection_gets_all_its_streams(workers: RunningServer) -> None:
    until(lambda: all_have_ended(workers))
    with workers.channel() as channel, ExitStack() as opened:
        for refusals in (0, 0, 4, 4):
            for _ in range(refusals):
                with pytest.raises(grpc.RpcError) as caught:
                    TrackedStream(channel)
                error: Any = caught.value
                assert error.code() is grpc.StatusCode.UNAVAILABLE
                assert reason_and_fields(error) == ("WORKER_BUSY", [])
            opened.enter_context(TrackedStream(channel))


@contextmanager
def cameras_on_both(
    server: RunningServer, picture: NDArray[np.uint8]
) -> Iterator[dict[int, list[SdkCamera]]]:
    """Three cameras that see "ada", enrolled by one worker a moment ago; by the worker that each is on."""
    until(lambda: all_have_ended(server))
    gallery = f"g{uuid.uuid4().hex}"
    with facewire.Client(server.address) as client, ExitStack() as opened:
        client.create_gallery(gallery)
        cameras = [SdkCamera(client, f"{gallery}-{n}", gallery, picture) for n in range(3)]
        for camera in cameras:
            opened.enter_context(camera)
        for camera in cameras:
            camera.until_more(1)  # before anyone is enrolled
            camera.names.clear()
        client.enroll("ada", [picture], gallery=gallery)
        for camera in cameras:
            camera.until(partial(operator.contains, camera.names, "ada"))
        worker_of = {one["camera_id"]: one["worker"] for one in entries(server, "stream_opened")}
        found: dict[int, list[SdkCamera]] = {pid: [] for pid in serving(server)}
        for camera in cameras:
            found[worker_of[camera.camera]].append(camera)
        yield found
    for camera in cameras:
        assert camera.failure is None
        assert camera.answered_twice == 0
        assert sorted(camera.answered) == camera.answered
        assert {*camera.answered, *camera.skipped} == set(
            range(1, 1 + max(*camera.answered, *camera.skipped))
        )


def test_who_is_enrolled_by_one_worker_is_recognized_by_all_and_all_events_reach_a_watcher(
    workers: RunningServer, portrait: NDArray[np.uint8]
) -> None:
    with cameras_on_both(workers, portrait) as found:
        assert all(found.values()), "both workers have a camera"
        names = {camera.camera for each in found.values() for camera in each}
        with facewire.Client(workers.address) as client:
            kept = client.watch_tracks(cameras=names, after_event=1, kept_only=True)
            assert {event.camera_id for event in kept} == names
            feed = client.watch_tracks(cameras=names, states=[facewire.TrackState.ENDED])
            with feed:
                for camera in (camera for each in found.values() for camera in each):
                    camera.finish()
                ended = {next(feed).camera_id for _ in names}
    assert ended == names


def test_cameras_of_a_killed_worker_resume_on_another_and_the_others_notice_nothing(
    workers: RunningServer, portrait: NDArray[np.uint8]
) -> None:
    with cameras_on_both(workers, portrait) as found:
        (gone, lost), (_, kept) = found.items()
        os.kill(gone, signal.SIGKILL)
        for camera in (*lost, *kept):
            camera.until_more(3)
        for camera in lost:
            camera.until(partial(len, camera.reopened))
            camera.until_more(3)
        assert not any(camera.reopened for camera in kept)
        until(lambda: len(serving(workers)) == 2)
    assert [len(camera.visits) for camera in (*lost, *kept)] == [1, 1, 1]


def test_a_worker_that_took_a_dead_ones_place_gets_cameras_of_the_other(
    models: Path, portrait: NDArray[np.uint8]
) -> None:
    with (
        running_server(
            workers=2, threads=2, frame_timeout_s=60, metrics_listen="127.0.0.1:0"
        ) as server,
        facewire.Client(server.address) as client,
        ExitStack() as opened,
    ):
        cameras = [SdkCamera(client, f"camera-{n}", "default", portrait) for n in range(6)]
        for camera in cameras:
            opened.enter_context(camera)
        for camera in cameras:
            camera.until_more(2)

        port = int(entries(server, "metrics_listening")[0]["address"].rpartition(":")[2])

        def count(name: str) -> float:
            return total(scrape(port)[1], f"facewire_{name}")

        # While the parent stands still no third one is started, and the other takes all; then it lets some go.
        os.kill(server.pid, signal.SIGSTOP)
        try:
            os.kill(serving(server)[0], signal.SIGKILL)
            for camera in cameras:
                camera.until_more(3)
        finally:
            os.kill(server.pid, signal.SIGCONT)
        until(lambda: count("workers") == 2 and count("worker_streams_least") >= 2)
        assert count("streams_moved_total") >= 1
        for camera in cameras:
            camera.until_more(3)
        assert facewire.ErrorReason.WORKER_BUSY in {why for one in cameras for why in one.reopened}
    for camera in cameras:
        assert camera.failure is None
        assert camera.answered_twice == 0
        assert sorted(camera.answered) == camera.answered
        assert len(camera.visits) == 1


def test_a_rolling_restart_breaks_no_visit(
    workers: RunningServer, portrait: NDArray[np.uint8]
) -> None:
    before = len(entries(workers, "workers_replaced"))
    with cameras_on_both(workers, portrait) as found:
        cameras = [camera for each in found.values() for camera in each]
        os.kill(workers.pid, signal.SIGUSR2)
        until(lambda: len(entries(workers, "workers_replaced")) > before)
        for camera in cameras:
            camera.until_more(3)
            assert camera.reopened
        assert not set(serving(workers)) & set(found)
        assert entries(workers, "workers_replaced")[-1]["error"] == ""
    assert [len(camera.visits) for camera in cameras] == [1, 1, 1]


def test_sighup_reaches_all_workers(workers: RunningServer) -> None:
    before = len(entries(workers, "credentials_reloaded"))
    os.kill(workers.pid, signal.SIGHUP)
    until(lambda: len(entries(workers, "credentials_reloaded")) == before + 2)
    last = entries(workers, "credentials_reloaded")[before:]
    assert {one["worker"] for one in last} == set(serving(workers))


def test_workers_end_with_their_parent(models: Path) -> None:
    with running_server(workers=2, drain_s=0) as server:
        pids = serving(server)
        assert len(pids) == 2
        server.kill()
        until(lambda: not any(map(is_running, pids)))
