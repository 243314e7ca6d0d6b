"""What goes over the wire to TensorFlow Serving, and what comes of its errors; gRPC is real."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import numpy as np
import pytest

from facewire_server.backends.tfserving import TfServingModel, calls, wire
from facewire_server.backends.tfserving.replica import TfServingReplica
from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof import signature
from facewire_server.proof.served import Declined
from facewire_server.proof.signature import Signature

EMBEDDING = signature.embedding(2)
FACES = np.zeros((1, 112, 112, 3), np.uint8)
UNAVAILABLE, EXHAUSTED = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED


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
        return await self.answer(request)

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


@asynccontextmanager
async def replica_at(
    address: str, expected: Signature = EMBEDDING, label: str = ""
) -> AsyncIterator[TfServingReplica]:
    """The one replica of a model at an address."""
    model = TfServingModel("embedding", address, expected, label=label)
    (replica,) = await model.replicas()
    yield replica
    await model.close()


@pytest.fixture
async def replica(serving: Serving) -> AsyncIterator[TfServingReplica]:
    async with replica_at(serving.address) as made:
        yield made


@asynccontextmanager
async def cut_off(address: str) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """Passes bytes on to an address; yields its own, and what ends the connections and takes no more."""
    host, _, port = address.rpartition(":")
    writers: list[asyncio.StreamWriter] = []
    pipes: set[asyncio.Task[None]] = set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while data := await reader.read(1 << 16):
            writer.write(data)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        pipes.add(asyncio.create_task(pipe(reader, far_writer)))
        pipes.add(asyncio.create_task(pipe(far_reader, writer)))

    def cut() -> None:
        listening.close()
        for writer in writers:
            writer.transport.abort()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}", cut
    cut()
    await asyncio.wait(pipes)


@asynccontextmanager
async def handled(
    handler: grpc.GenericRpcHandler, address: str = "127.0.0.1:0"
) -> AsyncIterator[str]:
    """A server with this handler; yields its address."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port(address)
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(None)


async def test_a_request_names_the_model_and_carries_bytes(replica, serving) -> None:
    answer = await replica.answer({"faces": FACES}, None)
    assert answer.version == 7
    np.testing.assert_array_equal(answer.outputs["embeddings"], [[1, 0]])
    (request,) = serving.requests
    assert (request.model_spec.name, request.model_spec.signature_name) == (
        "embedding",
        "serving_default",
    )
    assert not request.model_spec.HasField("version")
    assert request.inputs["faces"].tensor_content == FACES.tobytes()


async def test_an_optional_output_is_taken_if_the_version_has_it(replica, serving) -> None:
    np.testing.assert_array_equal(
        (await replica.answer({"faces": FACES}, None)).outputs["norms"], [9]
    )
    serving.lacks = {"norms"}
    assert (await replica.answer({"faces": FACES}, None)).outputs.keys() == {"embeddings"}
    # TensorFlow Serving refuses a request that names an output which the version lacks.
    assert [list(request.output_filter) for request in serving.requests] == [[], []]


async def test_required_outputs_are_named_so_that_no_others_are_sent(serving) -> None:
    required = dataclasses.replace(EMBEDDING, optional=frozenset())
    async with replica_at(serving.address, required) as replica:
        await replica.answer({"faces": FACES}, None)
    assert sorted(serving.requests[0].output_filter) == ["embeddings", "norms"]


async def test_the_time_is_the_calls_deadline(replica, serving) -> None:
    await replica.answer(
        {"faces": FACES}, 9
    )  # gRPC sends times under 10 s in steps of 10 ms, longer ones coarser
    await replica.answer({"faces": FACES}, None)
    first, second = serving.left_s
    assert 0 < first <= 9.01
    assert second is None


async def test_a_model_that_is_late_is_timed_out(replica, serving) -> None:
    async def never(request: Any) -> Any:
        await asyncio.Event().wait()

    serving.answer = never
    with pytest.raises(TimedOut):
        await replica.answer({"faces": FACES}, 0.2)


@pytest.mark.parametrize(
    "code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
)
async def test_an_error_is_reported_and_not_repeated_here(replica, serving, code) -> None:
    serving.failures = [(code, "private")]
    timed_out = code is grpc.StatusCode.DEADLINE_EXCEEDED
    with pytest.raises(TimedOut if timed_out else ModelUnavailable) as caught:
        await replica.answer({"faces": FACES}, None)
    assert len(serving.requests) == 1
    assert timed_out or code.name in str(caught.value)


@pytest.mark.parametrize(("code", "is_limit"), [(EXHAUSTED, True), (UNAVAILABLE, False)])
async def test_an_overloaded_replica_has_declined_and_its_connection_is_not_lost(
    replica, serving, code, is_limit: bool
) -> None:
    """TensorFlow Serving says UNAVAILABLE when its queue of batches is full, as gRPC does when a connection is lost."""
    serving.failures = [(code, "")]
    with pytest.raises(Declined) as caught:
        await replica.answer({"faces": FACES}, None)
    assert caught.value.is_limit == is_limit
    assert (replica.connection, replica.is_connected) == (0, True)


async def test_a_connection_that_is_lost_during_calls_is_not_taken_for_an_overload() -> None:
    """As when a process is killed."""
    asked = asyncio.Event()

    class Never(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            async def answer(request: bytes, context: Any) -> bytes:
                asked.set()
                await asyncio.Event().wait()
                return b""

            return grpc.unary_unary_rpc_method_handler(answer)

    async with (
        handled(Never()) as address,
        cut_off(address) as (between, cut),
        replica_at(between) as replica,
    ):
        calls = [asyncio.create_task(replica.answer({"faces": FACES}, None)) for _ in range(9)]
        await asked.wait()
        cut()
        for failure in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(failure, ModelUnavailable)
            assert not isinstance(failure, Declined)
        assert (replica.connection, replica.is_connected) == (1, False)


async def test_an_answer_that_is_larger_than_is_taken_is_no_overload(replica, serving) -> None:
    async def large(request: Any) -> Any:
        response = await serving.embed(request)
        response.outputs["embeddings"].tensor_content = bytes(17 << 20)
        return response

    serving.answer = large
    with pytest.raises(ModelUnavailable, match="RESOURCE_EXHAUSTED") as caught:
        await replica.answer({"faces": FACES}, None)
    assert not isinstance(caught.value, Declined)


async def test_what_the_server_says_of_signatures_is_passed_on(replica, serving) -> None:
    said = 'Serving signature key "serving_default" not found.'
    serving.failures = [(grpc.StatusCode.FAILED_PRECONDITION, said)]
    with pytest.raises(ModelUnavailable, match=said):
        await replica.answer({"faces": FACES}, None)


async def test_an_answer_that_is_no_tensor_is_refused(replica, serving) -> None:
    async def garbage(request: Any) -> Any:
        response = await serving.embed(request)
        response.outputs["embeddings"].tensor_content = b"abc"
        return response

    serving.answer = garbage
    with pytest.raises(ModelUnavailable, match="embeddings: buffer size"):
        await replica.answer({"faces": FACES}, None)


async def test_an_answer_of_another_shape_is_refused(replica, serving) -> None:
    async def garbage(request: Any) -> Any:
        response = await serving.embed(request)
        response.outputs["embeddings"].tensor_shape.dim[0].size = 1 << 40
        return response

    serving.answer = garbage
    found = r"embeddings: float32\[1099511627776,2\], expected float32\[\?,2\]"
    with pytest.raises(ModelUnavailable, match=found):
        await replica.answer({"faces": FACES}, None)


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

    async with handled(Bytes()) as address, replica_at(address) as replica:
        with pytest.raises(ModelUnavailable, match=r"not a message|returns no signatures"):
            await (replica.answer({"faces": FACES}, None) if call == "answer" else replica.check())


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
    crops = np.zeros((1 << 9, 1, 1, 3), np.uint8)
    async with replica_at(serving.address, signature.embedding(1 << 12)) as replica:
        answer = await replica.answer({"faces": crops}, None)
    assert answer.outputs["embeddings"].shape == (1 << 9, 1 << 12)


async def test_an_address_without_a_server_is_reported_at_once() -> None:
    async with replica_at("127.0.0.1:1") as replica:
        with pytest.raises(ModelUnavailable, match="does not answer"):
            await replica.answer({"faces": FACES}, None)


async def test_a_replica_connects_again_by_itself(unused_tcp_port) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    async with replica_at(address) as replica:
        for lost in (0, 1):
            async with handled(Serving(), address):
                while not replica.is_connected:
                    await asyncio.sleep(0.01)
                assert replica.connection == lost
                assert (await replica.answer({"faces": FACES}, None)).version == 7
            while replica.is_connected:
                await asyncio.sleep(0.01)
        assert replica.connection == 2


async def test_a_long_text_of_the_server_is_cut(replica, serving) -> None:
    serving.failures = [(grpc.StatusCode.FAILED_PRECONDITION, "x" * 1000)]
    with pytest.raises(ModelUnavailable) as caught:
        await replica.answer({"faces": FACES}, None)
    assert str(caught.value).count("x") == 400


async def test_each_address_is_a_replica() -> None:
    handlers = [Serving(), Serving()]
    async with handled(handlers[0]) as one, handled(handlers[1]) as other:
        model = TfServingModel("embedding", f"{one}, {other},{one}", EMBEDDING)
        replicas = await model.replicas()
        assert [replica.address for replica in replicas] == [one, other]
        assert await model.replicas() == replicas
        for replica in replicas:
            await replica.answer({"faces": FACES}, None)
        assert [len(handler.requests) for handler in handlers] == [1, 1]
        await model.close()


async def test_another_signature_of_the_servable_is_called_by_its_name(serving) -> None:
    follow = dataclasses.replace(EMBEDDING, name="follow")
    async with replica_at(serving.address, follow, label="embedding/follow") as replica:
        await replica.answer({"faces": FACES}, None)
        (request,) = serving.requests
        assert (request.model_spec.name, request.model_spec.signature_name) == (
            "embedding",
            "follow",
        )
        with pytest.raises(ModelUnavailable, match="the model 'embedding/follow' does not answer"):
            await replica.check()


async def test_a_call_to_a_replica_that_is_gone_fails_and_is_not_taken_for_cancelled(
    replica, serving, monkeypatch
) -> None:
    """A `CancelledError` ends a worker of a stream without a word, and the frame is lost."""
    monkeypatch.setattr(calls, "_OLD_CALLS_S", 0.01)
    asked = asyncio.Event()

    async def never(request: Any) -> Any:
        asked.set()
        await asyncio.Event().wait()

    serving.answer = never
    call = asyncio.create_task(replica.answer({"faces": FACES}, None))
    await asked.wait()
    await replica.close(is_gone=True)
    with pytest.raises(ModelUnavailable, match="did not answer for a long time"):
        await call


async def test_a_call_that_is_cancelled_is_cancelled(replica, serving) -> None:
    call = asyncio.create_task(replica.answer({"faces": FACES}, None))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_call_under_way_to_a_replica_that_is_gone_may_end(replica, serving) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def slow(request: Any) -> Any:
        asked.set()
        await gone.wait()
        return await serving.embed(request)

    serving.answer = slow
    call = asyncio.create_task(replica.answer({"faces": FACES}, None))
    await asked.wait()
    closing = asyncio.create_task(replica.close(is_gone=True))
    await asyncio.sleep(0)
    gone.set()
    assert (await call).version == 7
    await closing
