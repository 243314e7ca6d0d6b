"""What only asyncio's stream promises: both kinds of frames, cancellation, the true status."""

import asyncio
import gc

import grpc
import pytest

import facewire
from fakes.server import failure


@pytest.fixture
async def aclient(fake):
    async with facewire.AsyncClient(fake.address) as client:
        yield client


@pytest.fixture
def picture(astronaut):
    return facewire.Image.from_array(astronaut[:64, :64])


async def test_frames_may_come_from_an_asynchronous_iterator(aclient, picture):
    async def frames():
        for _ in range(5):
            await asyncio.sleep(0)
            yield picture

    results = [result.sequence async for result in aclient.stream(frames())]
    assert results == [1, 2, 3, 4, 5]


async def test_a_blocking_source_does_not_hold_up_the_loop(aclient, picture):
    answered = asyncio.Event()
    loop = asyncio.get_running_loop()

    def frames():
        yield picture
        # Would never end if the loop stood still meanwhile.
        asyncio.run_coroutine_threadsafe(answered.wait(), loop).result(10)
        yield picture

    async with aclient.stream(frames()) as stream:
        assert (await anext(stream)).sequence == 1
        answered.set()
        assert (await anext(stream)).sequence == 2


async def test_an_error_of_an_asynchronous_source_is_raised_after_the_answers(aclient, picture):
    async def frames():
        yield picture
        raise KeyError("camera")

    stream = aclient.stream(frames())
    assert (await anext(stream)).sequence == 1
    with pytest.raises(KeyError, match="camera"):
        await anext(stream)


async def test_cancelling_whoever_reads_ends_the_stream_on_the_server(fake, aclient, picture):
    fake.hold.clear()

    async def read():
        async for _ in aclient.stream([picture] * 5):
            pass

    reading = asyncio.create_task(read())
    await asyncio.to_thread(_until_held, fake)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await asyncio.to_thread(fake.stream_ended.wait, 10)


async def test_a_reader_that_is_cancelled_while_its_stream_is_closed_is_cancelled(
    fake, aclient, picture
):
    fake.hold.clear()
    stream = aclient.stream([picture] * 5)

    async def read():
        async for _ in stream:
            pass

    reading = asyncio.create_task(read())
    await asyncio.to_thread(_until_held, fake)
    closing = asyncio.create_task(stream.close())  # runs first, and then the reader
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await closing


async def test_one_that_is_cancelled_while_its_stream_opens_and_is_closed_is_cancelled(
    fake, aclient, picture
):
    fake.silent = {"StreamRecognize"}
    stream = aclient.stream([picture] * 5)
    opening = asyncio.create_task(stream.open())
    assert await asyncio.to_thread(fake.asked.wait, 10)
    closing = asyncio.create_task(stream.close())
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await closing


async def test_a_stream_that_was_dropped_is_cancelled(fake, aclient, picture):
    def endless():
        while True:
            yield picture

    async for result in aclient.stream(endless()):
        if result.sequence == 5:
            break
    del result
    gc.collect()
    assert await asyncio.to_thread(fake.stream_ended.wait, 10)


async def test_limits_are_asked_for_only_of_an_open_stream(aclient, picture):
    stream = aclient.stream([picture])
    with pytest.raises(ValueError, match="async with"):
        _ = stream.limits
    async with stream:
        assert stream.limits.max_in_flight == 4


@pytest.mark.parametrize("attempt", range(5))
async def test_the_reason_is_told_when_the_stream_ends_under_a_blocked_write(
    fake, aclient, attempt
):
    fake.max_in_flight = 100
    fake.refuse_reading = failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "SLOW_READER")
    large = bytes(8 * 2**20)  # more than the transport takes from who is not read
    async with aclient.stream([large] * 20) as stream:
        call = stream._call
        while not stream._feed.in_flight:
            await asyncio.sleep(0)
        fake.opening.set()
        await call._sending  # the write was interrupted, and grpc.aio has said so
        with pytest.raises(facewire.LimitError) as caught:
            await anext(stream)
    assert caught.value.reason is facewire.ErrorReason.SLOW_READER


async def test_cancelling_a_call_cancels_it_on_the_way(fake, picture):
    async with facewire.AsyncClient("127.0.0.1:1", timeout_s=60) as client:
        asking = asyncio.create_task(client.gallery())
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_a_closed_client_says_so(aclient):
    await aclient.close()
    with pytest.raises(ValueError, match="closed"):
        await aclient.gallery()


def _until_held(fake):
    with fake.held_changed:
        assert fake.held_changed.wait_for(lambda: fake.held > 0, timeout=10)
