"""What is known of one replica of a served model, and what each call to it adds."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from facewire_server.errors import ModelUnavailable, TimedOut
from facewire_server.proof.call_limit import CallLimit
from facewire_server.proof.served import Declined, ServedReplica
from facewire_server.proof.standing import Standing
from facewire_server.proof.verdicts import Verdicts
from facewire_server.work.deadline import remaining_s

__all__ = ["Replica"]

_T = TypeVar("_T")

_LONG_S: Final = 1.0
"""A call that times out is a failure of the replica if it had at least these seconds: a picture's last moment is
none. Chosen, not measured."""


@dataclass(slots=True, eq=False)
class Replica:
    """A replica.

    Attributes:
        served: calls it.
        verdicts: on its versions.
        standing: whether it takes part.
        limit: of its calls.
        connection: of its last check.
        turn: number of its latest turn.
    """

    served: ServedReplica
    verdicts: Verdicts
    standing: Standing = field(default_factory=Standing)
    limit: CallLimit = field(default_factory=CallLimit)
    connection: int = 0
    turn: int = 0

    async def call(self, call: Callable[[], Awaitable[_T]], timeout_s: float | None = None) -> _T:
        """Makes a call in a place that the caller has (`Turns.take`), and keeps what it shows of the replica.

        Args:
            call: to `served`.
            timeout_s: of the call; None = no limit.

        Raises:
            Declined: it is overloaded.
            ModelUnavailable: it does not answer.
            TimedOut: it has not answered in time.
        """
        started_s = time.monotonic()
        try:
            result = await call()
        except Declined as error:
            error.was_alone = self.limit.in_flight == 1
            if error.is_limit:
                self.limit.declined()
            if error.was_alone:
                self.standing.failed(str(error))
            raise
        except TimedOut as error:
            if timeout_s is None or timeout_s >= _LONG_S:
                self.standing.failed(str(error))
            raise
        except ModelUnavailable as error:
            self.standing.failed(str(error))
            raise
        except asyncio.CancelledError:
            # The picture's deadline ended the call.
            if remaining_s() == 0 and time.monotonic() - started_s >= _LONG_S:
                self.standing.failed("it did not answer in time")
            raise
        self.limit.took()
        return result
