"""A call waits for a replica that suits it, and for none that has gone."""

import asyncio

import numpy as np

from facewire_server.proof.replica import Replica
from facewire_server.proof.turns import Place, Turns
from facewire_server.proof.verdicts import Verdicts
from fakes.models import FakeReplica

RIGHT = np.ones((1, 2), np.float32)


def replica(address: str) -> Replica:
    served = FakeReplica(address, (1, RIGHT))

    async def prove(model) -> None:
        await model.predict({})

    async def answer(inputs):
        return await served.answer(inputs, None)

    return Replica(served, Verdicts(answer, lambda: served.connection, prove))


async def test_a_call_that_avoids_a_replica_takes_it_when_the_other_one_goes() -> None:
    one, other = replica("10.0.0.1:1"), replica("10.0.0.2:1")
    turns = Turns("embedding")
    turns.replicas = (one, other)
    other.limit.calls = 1

    async def taken() -> Replica:
        async with turns.take(Place.AGAIN, avoid=[one]) as replica:
            return replica

    async with turns.take(Place.NEW, avoid=[one]) as first:
        assert first is other
        waiting = asyncio.create_task(taken())
        await asyncio.sleep(0)
        assert turns.waiting_count == 1
        turns.replicas = (one,)
        turns.grant()
        assert await waiting is one
    assert one.limit.in_flight == other.limit.in_flight == 0
