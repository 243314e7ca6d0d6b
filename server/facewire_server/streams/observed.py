"""Emits the beginning and the end of a stream as events."""

import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from facewire_server.events import Emit, StreamEnded, StreamOpened, StreamRefused
from facewire_server.streams.session import Session
from facewire_server.streams.values import Reconnect, Started, StreamOutput

__all__ = ["observed"]


@contextmanager
def observed(session: Session, peer: str, emit: Emit) -> Iterator[Callable[[StreamOutput], None]]:
    """Emits the stream's beginning and end; the block admits the session and runs it.

    A client that goes away before it sent its config causes no event.

    Args:
        session: of the stream.
        peer: address of the client, as gRPC writes it.
        emit: takes `StreamOpened` and `StreamEnded`, or `StreamRefused`.

    Yields:
        A function to call with each value that was sent.
    """
    opened_at_s: float | None = None
    is_drained = False

    def note(value: StreamOutput) -> None:
        nonlocal opened_at_s, is_drained
        if isinstance(value, Started):
            opened_at_s = time.monotonic()
            emit(StreamOpened(session.statistics().camera_id, peer))
        is_drained = is_drained or isinstance(value, Reconnect)

    error: type[BaseException] | None = None
    try:
        yield note
    except BaseException as raised:
        error = type(raised)
        raise
    finally:
        if opened_at_s is not None:
            duration_s = time.monotonic() - opened_at_s
            emit(_ended(session, peer, duration_s, error, is_drained=is_drained))
        elif error is not None and not issubclass(error, CancelledError):
            emit(StreamRefused(peer, error))


def _ended(
    session: Session,
    peer: str,
    duration_s: float,
    error: type[BaseException] | None,
    *,
    is_drained: bool,
) -> StreamEnded:
    counts = session.statistics()
    return StreamEnded(
        camera_id=counts.camera_id,
        peer=peer,
        duration_s=duration_s,
        recognized=counts.recognized,
        failed=sum(counts.failed.values()),
        skipped=sum(counts.skipped.values()),
        median_s=counts.median_s,
        searched=counts.searched,
        tracks=counts.tracks,
        error=error,
        is_drained=is_drained,
    )
