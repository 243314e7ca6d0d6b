"""A server takes no more calls and no larger messages than it was built for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire.v1 import face_pb2, recognition_pb2, recognition_pb2_grpc
from facewire_server.rpc.options import ServerOptions
from facewire_server.rpc.server import Server
from facewire_server.work.held_bytes import ByteBudget
from fakes.recognizer import FakeRecognizer
from fakes.wire import EOF, LIMITS, MOST_BYTES, PICTURE, config, served

OWN = (("grpc.use_local_subchannel_pool", 1),)


@asynccontextmanager
async def server_of(max_calls: int) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server that takes so many calls at a time."""
    async with served() as wire:
        options = ServerOptions("127.0.0.1:0", max_calls=max_calls)
        server = Server(
            options, wire.servicer, wire.galleries, limits=LIMITS, call_bytes=ByteBudget(MOST_BYTES)
        )
        port = await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=OWN) as channel:
            yield channel
        await server.drain(0)


async def test_a_call_beyond_the_most_is_refused_until_another_ends() -> None:
    async with server_of(max_calls=2) as channel:
        stub = recognition_pb2_grpc.RecognitionServiceStub(channel)
        health = health_pb2_grpc.HealthStub(channel)
        streams = [stub.StreamRecognize() for _ in range(2)]
        for stream in streams:
            await stream.write(config())
            assert (await stream.read()).WhichOneof("message") == "started"
        refused = health.Check(health_pb2.HealthCheckRequest())
        assert await refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        await streams[0].done_writing()
        assert await streams[0].read() is EOF
        code = grpc.StatusCode.RESOURCE_EXHAUSTED
        while code is grpc.StatusCode.RESOURCE_EXHAUSTED:  # until gRPC counts the end of the first
            code = await health.Check(health_pb2.HealthCheckRequest()).code()
        assert code is grpc.StatusCode.OK
        streams[1].cancel()


async def test_a_picture_of_the_most_bytes_has_room_for_what_is_sent_beside_it() -> None:
    recognizer = FakeRecognizer()
    request = recognition_pb2.RecognizeRequest(
        image=face_pb2.Image(data=b"x" * PICTURE.max_frame_bytes), gallery_id="g" * 64
    )
    async with served(recognizer) as wire:
        answer = await wire.recognition.Recognize(request)
        assert len(answer.faces) == 1
        # Above that room the call ends in gRPC itself, before the message is in memory as a picture.
        request.image.data = b"x" * (PICTURE.max_frame_bytes + (1 << 20))
        refused = wire.recognition.Recognize(request)
        assert await refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert len(recognizer.calls) == 1
