"""What goes over the wire to TensorFlow Serving, and what comes of its errors; gRPC is real."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import numpy as np
import pytest

from facewire_server.backends.tfserving import TfServingModel, calls, wire
from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof import signature
from facewire_server.work.deadline import time_limit

FACES = np.zeros((8, 112, 112, 3), np.uint8)  # more than gRPC would keep for a retry by default
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


class Away(Exception):
    """Answered as UNAVAILABLE."""


class Serving(grpc.GenericRpcHandler):
    """Answers with what the test puts in its place, and keeps the requests."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.left_s: list[float | None] = []
        self.failures: list[tuple[grpc.StatusCode, str]] = []
        self.answer: Callable[[Any], Awaitable[Any]] = self.embed
        self.address = ""

    async def embed(self, request: Any) -> Any:
        response = wire.PredictResponse()
        response.model_spec.version.value = 7
        output = response.outputs["embeddings"]
        output.dtype = wire.DT_FLOAT
        output.float_val.extend([1.0, 0.0])
        for size in (1, 2):
            output.tensor_shape.dim.add(size=size)
        return response

    async def predict(self, request: Any, context: Any) -> Any:
        self.requests.append(request)
        self.left_s.append(context.time_remaining())
        if self.failures:
            await context.abort(*self.failures.pop(0))
        try:
            return await self.answer(request)
        except Away:
            await context.abort(UNAVAILABLE, "")

    def service(self, details: Any) -> Any:
        if details.method != wire.PREDICT:
            return None
        return grpc.unary_unary_rpc_method_handler(
            self.predict,
            request_deserializer=wire.PredictRequest.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )


@pytest.fixture
async def serving() -> AsyncIterator[Serving]:
    handler = Serving()
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((handler,))
    handler.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    yield handler
    await server.stop(None)


@pytest.fixture
async def model(serving: Serving) -> AsyncIterator[TfServingModel]:
    made = TfServingModel("embedding", serving.address, signature.embedding(2))
    yield made
    await made.close()


async def test_a_request_names_the_model_and_carries_bytes(model, serving) -> None:
    answer = await model.answer({"faces": FACES})
    assert answer.version == 7
    np.testing.assert_array_equal(answer.outputs["embeddings"], [[1, 0]])
    (request,) = serving.requests
    assert (request.model_spec.name, request.model_spec.signature_name) == (
        "embedding",
        "serving_default",
    )
    assert not request.model_spec.HasField("version")
    assert list(request.output_filter) == ["embeddings"]
    assert request.inputs["faces"].tensor_content == FACES.tobytes()


async def test_the_rest_of_the_pictures_time_is_the_calls_deadline(model, serving) -> None:
    async with time_limit(5):
        await model.answer({"faces": FACES})
    await model.answer({"faces": FACES})
    first, second = serving.left_s
    assert 0 < first <= 5
    assert second is None


async def test_a_model_that_is_late_is_timed_out(model, serving) -> None:
    async def never(request: Any) -> Any:
        await asyncio.Event().wait()

    serving.answer = never
    with pytest.raises(TimedOut):
        async with time_limit(0.2):
            await model.answer({"faces": FACES})


async def test_unavailable_is_asked_once_more_and_no_more(model, serving) -> None:
    serving.failures = [(UNAVAILABLE, "")]
    assert (await model.answer({"faces": FACES})).version == 7
    assert len(serving.requests) == 2
    serving.failures = [(UNAVAILABLE, "")] * 5
    with pytest.raises(ModelUnavailable):
        await model.answer({"faces": FACES})
    assert len(serving.requests) == 4


@pytest.mark.parametrize(
    "code", [code for code in grpc.StatusCode if code not in (grpc.StatusCode.OK, UNAVAILABLE)]
)
async def test_other_errors_are_told_and_not_repeated(model, serving, code) -> None:
    serving.failures = [(code, "private")]
    timed_out = code is grpc.StatusCode.DEADLINE_EXCEEDED
    with pytest.raises(TimedOut if timed_out else ModelUnavailable) as caught:
        await model.answer({"faces": FACES})
    assert len(serving.requests) == 1
    assert timed_out or code.name in str(caught.value)


async def test_what_the_server_says_of_signatures_is_told(model, serving) -> None:
    said = 'Serving signature key "serving_default" not found.'
    serving.failures = [(grpc.StatusCode.FAILED_PRECONDITION, said)]
    with pytest.raises(ModelUnavailable, match=said):
        await model.answer({"faces": FACES})


async def test_an_answer_that_is_no_tensor_is_told(model, serving) -> None:
    async def garbage(request: Any) -> Any:
        response = await serving.embed(request)
        response.outputs["embeddings"].tensor_content = b"abc"
        return response

    serving.answer = garbage
    with pytest.raises(ModelUnavailable, match="embeddings: buffer size"):
        await model.answer({"faces": FACES})


async def test_an_answer_of_another_shape_is_told(model, serving) -> None:
    async def garbage(request: Any) -> Any:
        response = await serving.embed(request)
        response.outputs["embeddings"].tensor_shape.dim[0].size = 1 << 40
        return response

    serving.answer = garbage
    told = r"embeddings: float32\[1099511627776,2\], where float32\[\?,2\] is expected"
    with pytest.raises(ModelUnavailable, match=told):
        await model.answer({"faces": FACES})


@pytest.mark.parametrize("call", ["answer", "status", "signature"])
async def test_bytes_that_are_no_message_are_told(call: str) -> None:
    garbage = b"\xff\xff\xff"
    status, metadata = wire.GetModelStatusResponse(), wire.GetModelMetadataResponse()
    status.model_version_status.add(version=1, state=30)
    metadata.metadata["signature_def"].Pack(wire.SignatureDefMap())
    metadata.metadata["signature_def"].value = garbage
    answers = {
        wire.PREDICT: garbage,
        wire.GET_MODEL_STATUS: garbage if call == "status" else status.SerializeToString(),
        wire.GET_MODEL_METADATA: metadata.SerializeToString(),
    }

    class Bytes(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            async def answer(request: bytes, context: Any) -> bytes:
                return answers[details.method]

            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Bytes(),))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    model = TfServingModel("embedding", address, signature.embedding(2))
    with pytest.raises(ModelUnavailable, match=r"answers no message|tells no signatures"):
        await (model.answer({"faces": FACES[:1]}) if call == "answer" else model.check())
    await model.close()
    await server.stop(None)


async def test_an_answer_larger_than_grpcs_own_limit_is_taken(serving) -> None:
    async def large(request: Any) -> Any:
        response = wire.PredictResponse()
        output = response.outputs["embeddings"]
        output.dtype = wire.DT_FLOAT
        output.tensor_content = bytes(8 << 20)
        for size in (1 << 9, 1 << 12):
            output.tensor_shape.dim.add(size=size)
        return response

    serving.answer = large
    model = TfServingModel("embedding", serving.address, signature.embedding(1 << 12))
    answer = await model.answer({"faces": FACES})
    assert answer.outputs["embeddings"].shape == (1 << 9, 1 << 12)
    await model.close()


async def test_nobody_at_the_address_is_told_at_once() -> None:
    model = TfServingModel("embedding", "127.0.0.1:1", signature.embedding(2))
    with pytest.raises(ModelUnavailable, match="does not answer"):
        await model.answer({"faces": FACES})
    await model.close()


async def test_where_nobody_is_reached_later_calls_take_a_new_channel(unused_tcp_port) -> None:
    """A channel that could not resolve its name may wait for minutes; a new one looks at once."""
    address = f"127.0.0.1:{unused_tcp_port}"
    model = TfServingModel("embedding", address, signature.embedding(2))
    first = model._calls._channel
    with pytest.raises(ModelUnavailable, match="UNAVAILABLE"):
        await model.check()
    assert model._calls._channel is not first
    handler = Serving()
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(address)
    await server.start()
    assert (await model.answer({"faces": FACES[:1]})).version == 7
    second = model._calls._channel
    with pytest.raises(ModelUnavailable, match="UNIMPLEMENTED"):  # it is there, and has no status
        await model.check()
    assert model._calls._channel is second
    await model.close()
    await server.stop(None)


async def test_replicas_by_name_are_all_asked_and_followed_when_they_move(names) -> None:
    """Three replicas on one port of three addresses, an IPv6 one among them."""
    handlers, servers, port = [], [], 0
    for host in ("127.0.0.1", "[::1]", "127.0.0.2"):
        handlers.append(Serving())
        servers.append(grpc.aio.server(options=[("grpc.so_reuseport", 0)]))
        servers[-1].add_generic_rpc_handlers((handlers[-1],))
        port = servers[-1].add_insecure_port(f"{host}:{port}")
        await servers[-1].start()
    first, second, third = handlers
    names.update({"emb-a": ["127.0.0.1"], "emb-b": ["::1"]})
    model = TfServingModel("embedding", f"emb-a:{port},emb-b:{port}", signature.embedding(2))
    while not (first.requests and second.requests):  # until both are connected
        await model.answer({"faces": FACES[:1]})
    assert not third.requests

    names["emb-a"] = ["127.0.0.2"]
    await servers[0].stop(None)
    with pytest.raises(ModelUnavailable, match="UNIMPLEMENTED"):  # it is there, and has no status
        await model.check()
    second.requests.clear()
    while not (second.requests and third.requests):
        await model.answer({"faces": FACES[:1]})
    await model.close()
    for server in servers:
        await server.stop(None)


async def test_a_name_that_nobody_knows_is_told_until_somebody_does(serving, names) -> None:
    port = serving.address.rpartition(":")[2]
    model = TfServingModel("embedding", f"emb:{port}", signature.embedding(2))
    for call in (model.answer({"faces": FACES}), model.check()):
        with pytest.raises(ModelUnavailable, match="no address of emb is found"):
            await call
    names["emb"] = ["127.0.0.1"]
    assert (await model.answer({"faces": FACES})).version == 7
    await model.close()


async def test_a_call_whose_old_channel_is_closed_fails_and_is_not_taken_for_cancelled(
    model, serving, monkeypatch
) -> None:
    """A `CancelledError` ends a worker of a stream without a word, and the frame is lost."""
    monkeypatch.setattr(calls, "_OLD_CALLS_S", 0.01)
    asked = asyncio.Event()

    async def never(request: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    serving.answer = never
    call = asyncio.create_task(model.answer({"faces": FACES[:1]}))
    await asked.wait()
    model._calls._open()
    with pytest.raises(ModelUnavailable, match="did not answer for long"):
        await call

    call = asyncio.create_task(model.answer({"faces": FACES[:1]}))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_the_second_attempt_has_the_rest_of_the_pictures_time(model, serving) -> None:
    async def late_and_away(request: Any) -> Any:
        await asyncio.sleep(0.3)
        serving.answer = never
        raise Away

    async def never(request: Any) -> Any:
        await asyncio.Event().wait()

    serving.answer = late_and_away
    with pytest.raises(TimedOut):
        async with time_limit(1.0):
            await model.answer({"faces": FACES[:1]})
    first, second = serving.left_s
    assert first - second >= 0.3
    assert second > 0
