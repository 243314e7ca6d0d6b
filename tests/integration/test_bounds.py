"""A server takes no more calls and no larger messages than it was built for."""

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from facewire.v1 import face_pb2, gallery_pb2, recognition_pb2
from fakes.recognizer import FakeRecognizer
from fakes.wire import EOF, PICTURE, config, reason_and_fields, served

LIST = gallery_pb2.ListGalleriesRequest()


async def test_a_call_beyond_the_most_is_refused_until_another_ends() -> None:
    async with served(max_calls=2) as wire:
        streams = [wire.recognition.StreamRecognize() for _ in range(2)]
        for stream in streams:
            await stream.write(config())
            assert (await stream.read()).WhichOneof("message") == "started"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await wire.galleries.ListGalleries(LIST)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert reason_and_fields(caught.value) == ("TOO_MANY_CALLS", [])
        health = health_pb2_grpc.HealthStub(wire.channel)
        await health.Check(health_pb2.HealthCheckRequest())
        await streams[0].done_writing()
        assert await streams[0].read() is EOF
        await wire.galleries.ListGalleries(LIST)
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
