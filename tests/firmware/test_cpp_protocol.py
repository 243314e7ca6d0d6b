"""The C++ camera before a server of scripted faults: every frame is accounted for once, whatever ends a stream."""

import subprocess
from pathlib import Path

import grpc
import pytest

from facewire.v1 import recognition_pb2
from fakes.server import FakeServer, failure
from harness.cpp_camera import CppCamera
from harness.model_servers import free_port

pytestmark = pytest.mark.timeout(600)  # the first test builds the client

BROKEN = failure(grpc.StatusCode.INTERNAL, detail="Received RST_STREAM with error code 2")
TWELVE = list(range(1, 13))


def numbers(run: CppCamera) -> list[int]:
    return [number for line in run.accounted for number in range(line.first, line.last + 1)]


def test_every_picture_of_a_folder_has_a_result(camera, fake, pictures):
    with CppCamera(camera, pictures, fake.address, "--every-frame") as run:
        assert run.wait() == 0
    assert [(line.first, line.status) for line in run.accounted] == [(n, "OK") for n in TWELVE]
    assert run.reopened == []
    (config,) = fake.configs
    assert config.frame_policy == recognition_pb2.FRAME_POLICY_EVERY_FRAME
    assert config.camera_id == "camera"


def test_a_stream_that_breaks_is_resumed_with_its_token(camera, fake, pictures):
    fake.end_after, fake.end_status = 5, BROKEN
    with CppCamera(camera, pictures, fake.address, "--every-frame") as run:
        assert run.wait() == 0
    assert numbers(run) == TWELVE
    assert {line.status for line in run.accounted} == {"OK"}
    tokens = [config.resume_token for config in fake.configs]
    assert tokens == [b"", b"token 1", b"token 1"]
    assert all(0.5 <= each.pause_s <= 1.0 for each in run.reopened), "a result came in between"


def test_results_that_were_lost_on_their_way_are_reported_as_skipped(camera, fake, pictures):
    fake.end_after, fake.end_status, fake.unsent_count = 5, BROKEN, 2
    with CppCamera(camera, pictures, fake.address, "--every-frame") as run:
        assert run.wait() == 0
    assert numbers(run) == TWELVE
    lost = [number for line in run.accounted if line.status == "CONNECTION_LOST"
            for number in range(line.first, line.last + 1)]  # fmt: skip
    assert lost[:2] == [6, 7]


def test_a_live_camera_sends_no_frame_again(camera, fake, pictures):
    fake.end_after, fake.end_status = 5, BROKEN
    with CppCamera(camera, pictures, fake.address, "--repeat", "--fps", "60") as run:
        run.until(lambda: len(run.reopened) >= 2 and run.result_count >= 12)
        assert run.end() == 0
    assert run.is_in_order()
    assert {line.status for line in run.accounted} <= {"OK", "CONNECTION_LOST", "SHUTTING_DOWN"}


def test_a_recording_that_breaks_after_its_last_result_has_the_events_of_its_end(
    camera, fake, pictures
):
    fake.end_after, fake.end_status = 12, BROKEN
    with CppCamera(camera, pictures, fake.address, "--every-frame") as run:
        assert run.wait() == 0
    assert numbers(run) == TWELVE
    assert [config.resume_token for config in fake.configs] == [b"", b"token 1"]


def test_a_reconnect_is_followed_after_its_own_pause(camera, fake, pictures):
    fake.reconnect_after, fake.reconnect_after_ms = 5, 250
    with CppCamera(camera, pictures, fake.address, "--every-frame") as run:
        assert run.wait() == 0
    assert numbers(run) == TWELVE
    assert {(each.pause_s, each.reason) for each in run.reopened} == {(0.25, "SHUTTING_DOWN")}


def test_a_busy_workers_refusal_is_followed_at_once_by_another_connection(camera, fake, pictures):
    fake.fail_next("StreamRecognize", failure(grpc.StatusCode.UNAVAILABLE, "WORKER_BUSY"), times=4)
    with CppCamera(camera, pictures, fake.address, "--every-frame") as run:
        assert run.wait() == 0
    assert numbers(run) == TWELVE
    assert [(each.pause_s, each.reason) for each in run.reopened] == [(0, "WORKER_BUSY")] * 4
    assert len(set(fake.peers)) == 5


def test_what_does_not_pass_by_itself_ends_the_camera(camera, fake, pictures):
    taken = failure(grpc.StatusCode.ABORTED, "STREAM_TAKEN_OVER", "another stream has it")
    fake.end_after, fake.end_status = 3, taken
    with CppCamera(camera, pictures, fake.address, "--every-frame") as run:
        assert run.wait() == 1
    assert run.errors[-1] == "ERROR_REASON_STREAM_TAKEN_OVER: another stream has it"
    assert len(fake.configs) == 1


def test_a_server_that_does_not_resume_is_asked_without_the_token(camera, fake, pictures):
    fake.end_after, fake.end_status = 5, BROKEN
    with CppCamera(camera, pictures, fake.address, "--every-frame", "--repeat") as run:
        run.until(lambda: run.reopened)
        fake.features.discard("FEATURE_RESUME")
        run.until(lambda: run.result_count >= 12)
        run.end()
    tokens = [config.resume_token for config in fake.configs]
    assert tokens[:3] == [b"", b"token 1", b""]
    assert numbers(run)[:12] == TWELVE


def test_a_server_that_is_absent_at_the_start_is_waited_for(camera, pictures):
    port = free_port()
    with CppCamera(camera, pictures, f"127.0.0.1:{port}", "--every-frame") as run:
        run.until(lambda: run.reopened)
        with FakeServer(port=port) as fake:
            assert run.wait() == 0
    assert fake.calls["StreamRecognize"] == 1
    assert numbers(run) == TWELVE
    assert run.reopened[0].reason == "UNSPECIFIED"


def test_a_server_without_room_is_waited_for_as_long_as_it_asks(camera, fake, pictures):
    full = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS", retry_after_s=1.0)
    fake.fail_next("StreamRecognize", full)
    with CppCamera(camera, pictures, fake.address, "--every-frame") as run:
        assert run.wait() == 0
    (reopened,) = run.reopened
    assert 1.5 <= reopened.pause_s <= 2.0


def test_the_credit_is_kept_and_a_full_queue_drops_its_oldest(camera, fake, pictures):
    fake.hold.clear()
    with CppCamera(camera, pictures, fake.address, "--repeat", "--fps", "100") as run:
        with fake.held_changed:
            assert fake.held_changed.wait_for(lambda: fake.held == fake.max_in_flight, 60)
            assert not fake.held_changed.wait_for(lambda: fake.held > fake.max_in_flight, 0.5)
        fake.hold.set()
        run.until_results(20)
        assert run.end() == 0
    assert run.is_in_order()
    dropped = int(run.errors[-1].partition(" dropped here")[0].rpartition(" ")[2])
    assert dropped > 10


def test_a_frame_that_cannot_be_used_has_a_result_and_the_stream_goes_on(camera, fake, tmp_path):
    fake.max_frame_bytes = 20_000
    (tmp_path / "1.jpg").write_text("this is text")
    (tmp_path / "2.jpg").write_bytes(b"\xff\xd8" + bytes(20 * 2**20))  # above gRPC's own limit, too
    (tmp_path / "3.jpg").write_text("this is text")
    with CppCamera(camera, tmp_path, fake.address, "--every-frame") as run:
        assert run.wait() == 0
    assert [line.status for line in run.accounted] == ["INVALID"] * 3


def test_a_token_is_sent_and_read_again_when_it_is_refused(camera, pictures, tmp_path):
    token = tmp_path / "token"
    token.write_text("first-0123456789\n")
    flags = ("--every-frame", "--repeat", "--token-file", str(token))
    with FakeServer(token="first-0123456789") as fake:
        fake.end_after, fake.end_status = 5, BROKEN
        with CppCamera(camera, pictures, fake.address, *flags) as run:
            run.until_results(5)
            token.write_text("second-0123456789\n")
            fake.token = "second-0123456789"
            run.until_results(5)
            assert run.end() == 0
    assert run.is_in_order()


def test_a_wrong_token_ends_the_camera(camera, pictures, tmp_path):
    token = tmp_path / "token"
    token.write_text("wrong-0123456789\n")
    with FakeServer(token="right-0123456789") as fake:
        with CppCamera(camera, pictures, fake.address, "--token-file", str(token)) as run:
            assert run.wait() == 1
        assert fake.calls["StreamRecognize"] == 2, "it was read again once"
    assert run.errors[-1].startswith("ERROR_REASON_TOKEN_REQUIRED: ")
    assert "wrong-0123456789" not in "".join([*run.errors, *(each.detail for each in run.reopened)])


def test_a_token_that_no_header_may_hold_does_not_end_the_process(camera, fake, pictures, tmp_path):
    token = tmp_path / "token"
    token.write_bytes(b"caf\xc3\xa9\n")
    with CppCamera(
        camera, pictures, fake.address, "--token-file", str(token), "--every-frame"
    ) as run:
        run.until(lambda: run.reopened)
        token.write_text("right-0123456789\n")
        assert run.wait() == 0
    assert "printable ASCII" in run.reopened[0].detail


def test_ctrl_c_during_a_pause_ends_the_program(camera, pictures):
    with CppCamera(camera, pictures, f"127.0.0.1:{free_port()}", "--every-frame") as run:
        run.until(lambda: run.reopened)
        assert run.end() in (0, 1)


def test_the_units_hold(cpp: Path):
    done = subprocess.run([cpp / "tests" / "unit_tests"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:]
