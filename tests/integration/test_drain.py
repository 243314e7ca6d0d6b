"""A server that stops: what is in hand is finished, and nobody is waited for in vain."""

import asyncio
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from facewire_server.events import Draining, Event, LameDuck
from facewire_server.rpc.options import ServerOptions
from facewire_server.rpc.server import Server
from facewire_server.types import Picture
from facewire_server.work.held_bytes import ByteBudget
from facewire_server.work.slots import WorkSlots
from fakes.recognizer import FakeRecognizer
from fakes.wire import EOF, LIMITS, MOST_BYTES, config, frame, reason_and_fields, served, until
from harness.running import RunningServer, running_server
from integration.cameras import wait_for_health

LONG_S = 60.0
"""A grace that no test waits for: the test's own time limit is shorter."""


async def all_of(call: Any) -> list[Any]:
    """What is left to read; raises the status when it is not OK."""
    responses = []
    while (response := await call.read()) is not EOF:
        responses.append(response)
    return responses


@pytest.mark.timeout(20)
async def test_a_drain_finishes_what_is_in_hand_and_ends_everybody() -> None:
    recognizer = FakeRecognizer()
    limits = replace(LIMITS, reconnect_after_ms=250)
    async with served(recognizer, limits=limits, slots=WorkSlots(1)) as wire:
        idle = wire.recognition.StreamRecognize()
        await idle.write(config())
        await idle.read()
        silent = wire.recognition.StreamRecognize()  # sends no config
        await silent.wait_for_connection()
        busy = wire.recognition.StreamRecognize()
        await busy.write(config())
        await busy.read()
        film = wire.recognition.StreamRecognize()
        await film.write(config(frame_policy=recognition_pb2.FRAME_POLICY_EVERY_FRAME))
        await film.read()
        recognizer.gate.clear()
        await busy.write(frame(1))
        await recognizer.until(begun=1)
        await busy.write(frame(2))
        for sequence in (1, 2, 3, 4):
            await film.write(frame(sequence))
        await until(lambda: {2, 4} <= {one.outstanding for one in wire.streams()})
        watch = health_pb2_grpc.HealthStub(wire.channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        wire.server.health.set("", True)
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        single = asyncio.ensure_future(
            wire.recognition.Recognize(
                recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=b"x"))
            )
        )
        await until(lambda: wire.slots.statistics().waiting_calls == 1)

        drained = asyncio.ensure_future(wire.server.drain(LONG_S))
        assert [one.status for one in await all_of(watch)] == [
            health_pb2.HealthCheckResponse.NOT_SERVING
        ]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await all_of(silent)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert reason_and_fields(caught.value)[0] == "SHUTTING_DOWN"
        (goodbye,) = await all_of(idle)
        assert goodbye.reconnect.reason == recognition_pb2.RECONNECT_REASON_SHUTTING_DOWN
        assert goodbye.reconnect.after_ms == 250
        assert await idle.code() is grpc.StatusCode.OK
        assert not drained.done()
        recognizer.gate.set()
        first, skipped, goodbye = await all_of(busy)
        assert first.frame.sequence == 1
        assert skipped.skipped == recognition_pb2.FramesSkipped(
            first_sequence=2,
            last_sequence=2,
            frame_count=1,
            reason=recognition_pb2.SKIP_REASON_SHUTTING_DOWN,
        )
        assert goodbye.WhichOneof("message") == "reconnect"
        *results, goodbye = await all_of(film)
        assert [one.frame.sequence for one in results] == [1, 2, 3, 4], "every frame is wanted"
        assert goodbye.WhichOneof("message") == "reconnect"
        assert len((await single).faces) == 1
        await drained


@pytest.mark.timeout(20)
async def test_before_it_drains_a_server_reports_not_serving_and_serves() -> None:
    """A proxy sends new calls until its next question for the health is answered."""
    events: list[Event] = []
    async with served(emit=events.append) as wire:
        wire.server.health.set("", True)
        watch = health_pb2_grpc.HealthStub(wire.channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        old = wire.recognition.StreamRecognize()
        await old.write(config())
        await old.read()
        at_once = asyncio.Event()
        leaving = asyncio.create_task(wire.server.leave(LONG_S, at_once))
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        wire.server.health.set("", True)  # as a check of the models may that was under way
        new = wire.recognition.StreamRecognize()
        await new.write(config())
        assert (await new.read()).WhichOneof("message") == "started"
        for stream in (old, new):
            await stream.write(frame(1))
            assert (await stream.read()).frame.sequence == 1
        answer = await wire.recognition.Recognize(
            recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=b"x"))
        )
        assert len(answer.faces) == 1
        assert not leaving.done()
        at_once.set()
        await leaving
        await wire.server.drain(LONG_S)
        assert await watch.read() is EOF, "NOT_SERVING was sent once"
        for stream in (old, new):
            (goodbye,) = await all_of(stream)
            assert goodbye.WhichOneof("message") == "reconnect"
    ours = [each for each in events if isinstance(each, LameDuck | Draining)]
    assert ours[:2] == [LameDuck(1, LONG_S), Draining(2, LONG_S)]


@pytest.mark.timeout(20)
async def test_cameras_are_asked_to_return_at_different_times() -> None:
    limits = replace(LIMITS, reconnect_after_ms=250, reconnect_spread_ms=10_000)
    async with served(limits=limits) as wire:
        streams = [wire.recognition.StreamRecognize() for _ in range(8)]
        for stream in streams:
            await stream.write(config())
            await stream.read()
        await wire.server.drain(LONG_S)
        pauses_ms = [(await all_of(stream))[0].reconnect.after_ms for stream in streams]
    assert all(250 <= pause_ms <= 10_250 for pause_ms in pauses_ms)
    assert len(set(pauses_ms)) > 4


@pytest.mark.timeout(20)
async def test_a_half_closed_stream_is_answered_in_full_during_a_drain() -> None:
    recognizer = FakeRecognizer()
    recognizer.gate.clear()
    async with served(recognizer, slots=WorkSlots(1)) as wire:
        call = wire.recognition.StreamRecognize()
        await call.write(config(frame_policy=recognition_pb2.FRAME_POLICY_EVERY_FRAME))
        await call.read()
        for sequence in (1, 2, 3):
            await call.write(frame(sequence))
        await call.done_writing()
        await until(lambda: wire.streams()[0].is_read_to_end)
        drained = asyncio.ensure_future(wire.server.drain(LONG_S))
        recognizer.gate.set()
        assert [one.frame.sequence for one in await all_of(call)] == [1, 2, 3]
        await drained


@pytest.mark.timeout(20)
async def test_a_drain_ends_within_its_grace_whatever_is_in_hand() -> None:
    recognizer = FakeRecognizer()
    async with served(recognizer) as wire:
        call = wire.recognition.StreamRecognize()
        await call.write(config())
        await call.read()
        await call.write(frame(1, b"hang"))
        await recognizer.until(begun=1)
        await wire.server.drain(0.2)
        await recognizer.until(cancelled=1)
        with pytest.raises(grpc.aio.AioRpcError):
            await all_of(call)


class CleaningUp(FakeRecognizer):
    """Cleans up for a while when its work is cancelled.

    Attributes:
        clean: whether it has.
    """

    clean = False

    async def _mood(self, picture: Picture) -> None:
        try:
            await super()._mood(picture)
        finally:
            await asyncio.to_thread(threading.Event().wait, 0.1)
            self.clean = True


@pytest.mark.timeout(20)
async def test_when_a_drain_returns_no_handler_runs_any_more() -> None:
    """gRPC's own stop does not wait for the handlers that it cancels; what they use is closed next."""
    recognizer = CleaningUp()
    async with served(recognizer) as wire:
        call = wire.recognition.Recognize(
            recognition_pb2.RecognizeRequest(image=face_pb2.Image(data=b"hang"))
        )
        await recognizer.until(begun=1)
        await wire.server.drain(0.01)
        assert recognizer.clean
        with pytest.raises(grpc.aio.AioRpcError):
            await call


async def test_a_port_in_use_is_an_error() -> None:
    async with served() as wire:
        options = ServerOptions(f"127.0.0.1:{wire.port}")
        second = Server(
            options, wire.servicer, wire.galleries, limits=LIMITS, call_bytes=ByteBudget(MOST_BYTES)
        )
        with pytest.raises(OSError, match="another server"):
            await second.start()


def ask(server: RunningServer) -> None:
    """Makes a call on a new connection; raises if it is refused."""
    with server.channel() as channel:
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        stub.GetServerInfo(recognition_pb2.GetServerInfoRequest(), timeout=LONG_S)


def test_sigterm_lets_proxies_notice_first_and_a_second_one_does_not(models: Path) -> None:
    with running_server(lame_duck_s=3600) as server:
        wait_for_health(server, health_pb2.HealthCheckResponse.SERVING)
        server.terminate()
        wait_for_health(server, health_pb2.HealthCheckResponse.NOT_SERVING)
        ask(server)
        server.terminate()
        server.wait()
        assert "lame_duck" in server.log()


def test_ctrl_c_waits_for_no_proxy(models: Path) -> None:
    with running_server(lame_duck_s=3600) as server:
        os.kill(server.pid, signal.SIGINT)
        server.wait()
        assert "lame_duck" not in server.log()
