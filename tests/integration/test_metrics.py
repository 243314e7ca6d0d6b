"""A server's metrics add up with what its clients got, and show nobody."""

import http.client
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from numpy.typing import NDArray

import facewire
from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from facewire_server.telemetry.catalog import ROWS
from harness.model_servers import free_port
from harness.running import RunningServer, ServerFailed, running_server
from harness.streaming import OneInFlight
from integration.scraping import scrape, total

MODES = ("SEARCHED", "FOLLOWED")
Answers = list[recognition_pb2.StreamRecognizeResponse]


@pytest.fixture(scope="module")
def portrait(astronaut: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", astronaut[:, :, ::-1])[1].tobytes()


@pytest.fixture(scope="module")
def measured(models: Path) -> Iterator[tuple[RunningServer, int]]:
    """A server with metrics, and their port."""
    port = free_port()
    settings = {"metrics_listen": f"127.0.0.1:{port}", "metrics_cameras": "door/1, yard"}
    with running_server(models=models, max_streams=2, **settings) as server:
        yield server, port


def streamed(server: RunningServer, camera_id: str, pictures: list[bytes]) -> Answers:
    """All answers to a stream that sends its pictures at once, NEWEST_WINS."""
    config = recognition_pb2.StreamConfig(camera_id=camera_id)
    requests = [recognition_pb2.StreamRecognizeRequest(config=config)]
    for sequence, data in enumerate(pictures, start=1):
        frame = recognition_pb2.Frame(sequence=sequence, image=face_pb2.Image(data=data))
        requests.append(recognition_pb2.StreamRecognizeRequest(frame=frame))
    with server.channel() as channel:
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        return list(stub.StreamRecognize(iter(requests), timeout=60))


# The first of the tests that share the server: its numbers are those of its own clients.
def test_the_numbers_are_those_that_clients_got(
    measured: tuple[RunningServer, int], portrait: bytes
) -> None:
    server, port = measured
    sent = {"door/1": [portrait] * 12, "Bob's door": [b"text", b"", portrait]}
    statuses: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for camera_id, pictures in sent.items():
        for answer in streamed(server, camera_id, pictures):
            if answer.HasField("frame"):
                statuses[recognition_pb2.FrameStatus.Name(answer.frame.status)] += 1
            if answer.HasField("skipped"):
                reason = recognition_pb2.SkipReason.Name(answer.skipped.reason)
                skipped[reason] += answer.skipped.frame_count
    with facewire.Client(server.address) as client:
        client.enroll("alice-1", [portrait], display_name="Alice Example")
        recognition = client.recognize(portrait)
    assert [face.name for face in recognition.faces] == ["Alice Example"]

    text, families = scrape(port)
    assert sum(skipped.values()) > 0, "nothing was skipped: the test shows less than it should"
    for status, count in statuses.items():
        status = status.removeprefix("FRAME_STATUS_")
        assert total(families, "facewire_frames_total", status=status) == count
    for reason, count in skipped.items():
        reason = reason.removeprefix("SKIP_REASON_")
        assert total(families, "facewire_frames_skipped_total", reason=reason) == count
    in_all = sum(len(pictures) for pictures in sent.values())
    assert total(families, "facewire_frames_read_total") == in_all
    assert sum(statuses.values()) + sum(skipped.values()) == in_all
    assert total(families, "facewire_frame_latency_seconds_count") == sum(statuses.values())
    assert total(families, "facewire_frames_read_total", camera="door/1") == 12
    of_others = sum(len(data) for data in sent["Bob's door"])
    assert total(families, "facewire_frame_bytes_total", camera="other") == of_others

    recognized = statuses["FRAME_STATUS_OK"]
    done = "facewire_pictures_total"
    assert total(families, done, purpose="stream", outcome="OK") == recognized
    assert total(families, done, purpose="recognize", outcome="OK") == 1
    assert total(families, done, purpose="enroll", outcome="OK") == 1
    assert total(families, "facewire_call_bytes_total") == 2 * len(portrait)
    looked_at = "facewire_frames_looked_at_total"
    searched, followed = (total(families, looked_at, mode=mode) for mode in MODES)
    assert searched + followed == recognized
    calls = {"servable": "mtcnn", "outcome": "ok"}
    assert total(families, "facewire_model_calls_total", **calls) == searched + 2

    assert total(families, "facewire_streams_opened_total") == 2
    assert total(families, "facewire_streams_open") == 0
    assert total(families, "facewire_streams_limit") == 2
    assert total(families, "facewire_gallery_identities", gallery="default") == 1
    assert total(families, "facewire_gallery_templates", gallery="default") == 1
    ended = {"grpc_method": "StreamRecognize", "grpc_code": "OK"}
    assert total(families, "grpc_server_handled_total", **ended) == 2
    assert total(families, "process_cpu_seconds_total") > 0
    assert total(families, "facewire_process_pss_bytes") > 0
    for secret in ("Alice", "alice-1", "Bob"):
        assert secret not in text
    for secret in ("Alice", "alice-1"):  # logs name cameras, never people
        assert secret not in server.log()


def test_every_metric_is_in_the_catalog_with_its_labels(
    measured: tuple[RunningServer, int], portrait: bytes
) -> None:
    server, port = measured
    with server.channel() as channel, OneInFlight(channel) as stream:
        stream.send(portrait)
        _, families = scrape(port)
    # The parser leaves `_total` out of the names of counters.
    rows = {row.name.removesuffix("_total"): row for row in ROWS}
    assert families.keys() == rows.keys()
    for name, family in families.items():
        assert family.type == rows[name].kind, name
        of_own = {*rows[name].labels, "le"}
        for sample in family.samples:
            assert sample.labels.keys() <= of_own, sample


def test_prometheus_finds_nothing_to_say(measured: tuple[RunningServer, int]) -> None:
    if (promtool := shutil.which("promtool")) is None:
        pytest.skip("needs promtool, of Debian's package prometheus")
    text, _ = scrape(measured[1])
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_open_and_refused_streams_are_seen(
    measured: tuple[RunningServer, int], portrait: bytes
) -> None:
    server, port = measured
    with server.channel() as channel, OneInFlight(channel), OneInFlight(channel) as second:
        second.send(portrait)
        with pytest.raises(Exception, match="2 streams are open"):
            OneInFlight(channel)
        _, families = scrape(port)
    assert total(families, "facewire_streams_open") == 2
    assert total(families, "facewire_streams_refused_total", reason="TOO_MANY_STREAMS") == 1


def test_no_port_is_open_by_default(models: Path) -> None:
    with running_server(models=models) as server:
        listening = {
            str(connection.laddr.port)
            for connection in psutil.Process(server.pid).net_connections()
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {server.address.rpartition(":")[2]}


def test_a_taken_port_is_an_error_at_the_start(measured: tuple[RunningServer, int]) -> None:
    _, port = measured
    with (
        pytest.raises(ServerFailed, match=f"cannot listen on 127.0.0.1:{port} for metrics"),
        running_server(metrics_listen=f"127.0.0.1:{port}"),
    ):
        pass


def test_a_scrape_that_hangs_does_not_hold_up_the_end(models: Path) -> None:
    port = free_port()
    with running_server(models=models, metrics_listen=f"127.0.0.1:{port}"):
        hanging = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        hanging.connect()  # and sends nothing
    hanging.close()
