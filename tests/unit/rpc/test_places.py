"""Who waits and who is in progress: places, and who loses one."""

import asyncio
from typing import Any

import pytest

from facewire_server.errors import ShuttingDown, TimedOut, TooManyCalls
from facewire_server.rpc.places import Places, WaitingRoom

NEVER_S = 3600.0


class Context:
    """Of a call, whose end the test decides."""

    def __init__(self, peer="ipv4:10.0.0.7:1"):
        self._peer = peer
        self._callbacks = []

    def peer(self):
        return self._peer

    def add_done_callback(self, callback):
        self._callbacks.append(callback)

    def end(self):
        for callback in self._callbacks:
            callback(self)


def test_places_are_bounded_and_given_back():
    places = Places(2, 2, 9)
    places.take(is_camera=False)
    places.take(is_camera=True)
    for is_camera in (False, True):
        with pytest.raises(TooManyCalls):
            places.take(is_camera=is_camera)
    places.leave(is_camera=False)
    places.take(is_camera=False)
    assert places.in_progress == 2


def test_calls_that_are_no_stream_leave_the_places_of_cameras():
    places = Places(3, 1, 9)
    places.take(is_camera=False)
    with pytest.raises(TooManyCalls):
        places.take(is_camera=False)
    places.take(is_camera=True)
    places.take(is_camera=True)
    places.leave(is_camera=False)
    places.take(is_camera=False)
    assert places.in_progress == 3


def test_a_connection_has_its_calls_until_they_end():
    places = Places(9, 9, 2)
    first, second, refused, other = Context(), Context(), Context(), Context("ipv4:10.0.0.7:2")
    places.join(first)
    places.join(second)
    with pytest.raises(TooManyCalls):
        places.join(refused)
    places.join(other)
    first.end()
    places.join(refused)
    for context in (second, refused, other):
        context.end()
    assert not places.connections()


def test_the_clients_of_a_unix_socket_have_no_connections_to_tell_apart():
    places = Places(9, 9, 1)
    for _ in range(5):
        places.join(Context("unix:"))


async def waiting(room, peer, count):
    """Tasks that wait for a message that does not come."""
    never = asyncio.get_running_loop().create_future()
    tasks = [
        asyncio.ensure_future(room.wait(peer, asyncio.shield(never), NEVER_S)) for _ in range(count)
    ]
    await asyncio.sleep(0)
    return tasks


async def test_the_oldest_of_the_most_crowded_connection_loses_its_place():
    room = WaitingRoom(3)
    (lone,) = await waiting(room, "lone", 1)
    crowd = await waiting(room, "crowd", 2)
    more = await waiting(room, "crowd", 1)
    with pytest.raises(TooManyCalls):
        await crowd[0]
    newcomers = await waiting(room, "newcomer", 1)
    with pytest.raises(TooManyCalls):
        await crowd[1]
    assert len(room) == 3
    room.close()
    for task in (lone, *more, *newcomers):
        with pytest.raises(ShuttingDown):
            await task
    assert len(room) == 0


async def test_a_message_that_is_there_gets_through_a_full_room():
    room = WaitingRoom(1)
    (silent,) = await waiting(room, "silent", 1)

    async def message():
        return b"request"

    assert await room.wait("honest", message(), NEVER_S) == b"request"
    with pytest.raises(TooManyCalls):
        await silent


async def test_a_message_that_comes_as_its_call_loses_its_place_leaves_nothing_behind():
    room = WaitingRoom(1)
    message = asyncio.get_running_loop().create_future()
    task = asyncio.ensure_future(room.wait("first", message, NEVER_S))
    await asyncio.sleep(0)
    never = asyncio.get_running_loop().create_future()
    newcomer = asyncio.ensure_future(room.wait("newcomer", never, NEVER_S))
    message.set_result(b"request")  # `task` runs after `newcomer`, which takes its place
    outcome: Any = (await asyncio.gather(task, return_exceptions=True))[0]
    assert outcome == b"request" or isinstance(outcome, TooManyCalls)
    room.close()
    await asyncio.gather(newcomer, return_exceptions=True)
    assert len(room) == len(room._evicted) == 0


async def test_waiting_has_an_end_and_a_closed_room_lets_none_wait():
    room = WaitingRoom(1)
    never = asyncio.get_running_loop().create_future()
    with pytest.raises(TimedOut):
        await room.wait("late", never, 0.01)
    room.close()
    with pytest.raises(ShuttingDown):
        await room.wait("late", asyncio.get_running_loop().create_future(), NEVER_S)


async def test_a_cancelled_call_leaves_the_room():
    room = WaitingRoom(2)
    (task,) = await waiting(room, "gone", 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(room) == 0
