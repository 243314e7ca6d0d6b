"""What goes over the wire to TensorFlow Serving, and what comes of its errors; gRPC is real."""

import asyncio
import dataclasses
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
        self.lacks: set[str] = set()
        self.left_s: list[float | None] = []
        self.failures: list[tuple[grpc.StatusCode, str]] = []
        self.answer: Callable[[Any], Awaitable[Any]] = self.embed
        self.address = ""

    async def embed(self, request: Any) -> Any:
        response = wire.PredictResponse()
        response.model_spec.version.value = 7
        for name, numbers, shape in (("embeddings", [1.0, 0.0], (1, 2)), ("norms", [9.0], (1,))):
            if name in self.lacks:
                continue
            output = response.outputs[name]
            output.dtype = wire.DT_FLOAT
            output.float_val.extend(numbers)
            for size in shape:
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
    assert request.inputs["faces"].tensor_content == FACES.tobytes()


async def test_an_optional_output_is_taken_if_the_version_has_it(model, serving) -> None:
    np.testing.assert_array_equal((await model.answer({"faces": FACES})).outputs["norms"], [9])
    serving.lacks = {"norms"}
    assert (await model.answer({"faces": FACES})).outputs.keys() == {"embeddings"}
    # TensorFlow Serving refuses a request that names an output which the version lacks.
    assert [list(request.output_filter) for request in serving.requests] == [[], []]


async def test_required_outputs_are_named_so_that_no_others_are_sent(serving) -> None:
    required = dataclasses.replace(signature.embedding(2), optional=frozenset())
    model = TfServingModel("embedding", serving.address, required)
    await model.answer({"faces": FACES[:1]})
    assert sorted(serving.requests[0].output_filter) == ["embeddings", "norms"]
    await model.close()


async def test_the_rest_of_the_pictures_time_is_the_calls_deadline(model, serving) -> None:
    async with time_limit(60):
        await model.answer({"faces": FACES})
    await model.answer({"faces": FACES})
    first, second = serving.left_s
    assert 0 < first <= 60
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
async def test_other_errors_are_reported_and_not_repeated(model, serving, code) -> None:
    serving.failures = [(code, "private")]
    timed_out = code is grpc.StatusCode.DEADLINE_EXCEEDED
    with pytest.raises(TimedOut if timed_out else ModelUnavailable) as caught:
        await model.answer({"faces": FACES})
    assert len(serving.requests) == 1
    assert timed_out or code.name in str(caught.value)


async def test_what_the_server_says_of_signatures_is_passed_on(model, serving) -> None:
    said = 'Serving signature key "serving_default" not found.'
    serving.failures = [(grpc.StatusCode.FAILED_PRECONDITION, said)]
    with pytest.raises(ModelUnavailable, match=said):
        await model.answer({"faces": FACES})


async def test_an_answer_that_is_no_tensor_is_refused(model, serving) -> None:
    async def garbage(request: Any) -> Any:
        response = await serving.embed(request)
        response.outputs["embeddings"].tensor_content = b"abc"
        return response

    serving.answer = garbage
    with pytest.raises(ModelUnavailable, match="embeddings: buffer size"):
        await model.answer({"faces": FACES})


async def test_an_answer_of_another_shape_is_refused(model, serving) -> None:
    async def garbage(request: Any) -> Any:
        response = await serving.embed(request)
        response.outputs["embeddings"].tensor_shape.dim[0].size = 1 << 40
        return response

    serving.answer = garbage
    found = r"embeddings: float32\[1099511627776,2\], expected float32\[\?,2\]"
    with pytest.raises(ModelUnavailable, match=found):
        await model.answer({"faces": FACES})


@pytest.mark.parametrize("call", ["answer", "status", "signature"])
async def test_bytes_that_are_no_message_are_refused(call: str) -> None:
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
    with pytest.raises(ModelUnavailable, match=r"not a message|returns no signatures"):
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


async def test_an_address_without_a_server_is_reported_at_once() -> None:
    model = TfServingModel("embedding", "127.0.0.1:1", signature.embedding(2))
    with pytest.raises(ModelUnavailable, match="does not answer"):
        await model.answer({"faces": FACES})
    await model.close()


async def test_if_no_server_is_reached_later_calls_take_a_new_channel(unused_tcp_port) -> None:
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


async def test_a_channel_that_works_again_is_kept(model, serving) -> None:
    serving.failures = [(UNAVAILABLE, "")] * 2
    with pytest.raises(ModelUnavailable):
        await model.answer({"faces": FACES[:1]})
    await model.answer({"faces": FACES[:1]})
    kept = model._calls._channel
    model._calls.reopen_if_unreachable()
    assert model._calls._channel is kept


async def test_the_connection_changes_if_it_is_lost_or_opened_again_and_not_otherwise(
    model, serving
) -> None:
    connections = [model.connection]
    for code, attempts in ((grpc.StatusCode.INTERNAL, 1), (UNAVAILABLE, 2)):
        serving.failures = [(code, "")] * attempts
        with pytest.raises(ModelUnavailable):
            await model.answer({"faces": FACES[:1]})
        connections.append(model.connection)
    model._calls.reopen_if_unreachable()
    connections.append(model.connection)
    first, after_internal, after_unavailable, after_reopening = connections
    assert first == after_internal
    assert len({first, after_unavailable, after_reopening}) == 3


async def test_a_check_that_times_out_is_made_once_more() -> None:
    """The replica that hangs has had its turn; the next one may be healthy."""
    codes = [grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.NOT_FOUND]

    class Failing(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            async def fail(request: bytes, context: Any) -> bytes:
                await context.abort(codes.pop(0), "")
                raise AssertionError("abort raises")

            return grpc.unary_unary_rpc_method_handler(fail)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Failing(),))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    model = TfServingModel("embedding", address, signature.embedding(2))
    with pytest.raises(ModelUnavailable, match="NOT_FOUND"):
        await model.check()
    await model.close()
    await server.stop(None)


async def test_a_long_text_of_the_server_is_cut(model, serving) -> None:
    serving.failures = [(grpc.StatusCode.FAILED_PRECONDITION, "x" * 1000)]
    with pytest.raises(ModelUnavailable) as caught:
        await model.answer({"faces": FACES[:1]})
    assert str(caught.value).count("x") == 400


async def test_several_addresses_are_all_called() -> None:
    handlers, servers, ports = [], [], []
    for _ in range(2):
        handlers.append(Serving())
        servers.append(grpc.aio.server())
        servers[-1].add_generic_rpc_handlers((handlers[-1],))
        ports.append(servers[-1].add_insecure_port("127.0.0.1:0"))
        await servers[-1].start()
    address = ",".join(f"127.0.0.1:{port}" for port in ports)
    model = TfServingModel("embedding", address, signature.embedding(2))
    assert model.replica_count == 2
    while not all(one.requests for one in handlers):  # until both are connected
        await model.answer({"faces": FACES[:1]})
    await model.close()
    for server in servers:
        await server.stop(None)


async def test_another_signature_of_the_servable_is_called_by_its_name(serving) -> None:
    follow = dataclasses.replace(signature.embedding(2), name="follow")
    model = TfServingModel("embedding", serving.address, follow, label="embedding/follow")
    await model.answer({"faces": FACES[:1]})
    (request,) = serving.requests
    assert (request.model_spec.name, request.model_spec.signature_name) == ("embedding", "follow")
    with pytest.raises(ModelUnavailable, match="the model 'embedding/follow' does not answer"):
        await model.check()
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
    model._calls._is_unreachable = True  # as another replica's failure leaves it
    model._calls.reopen_if_unreachable()
    with pytest.raises(ModelUnavailable, match="did not answer for a long time"):
        await call

    call = asyncio.create_task(model.answer({"faces": FACES[:1]}))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_the_second_attempt_has_the_rest_of_the_pictures_time(model, serving) -> None:
    async def late_and_away(request: Any) -> Any:
        await asyncio.sleep(0.3)
        serving.answer = serving.embed
        raise Away

    serving.answer = late_and_away
    async with time_limit(9):  # gRPC sends times under 10 s in steps of 10 ms, longer ones coarser
        await model.answer({"faces": FACES[:1]})
    first, second = serving.left_s
    assert 0 < second <= first - 0.2
