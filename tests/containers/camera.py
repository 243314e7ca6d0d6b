"""A camera for tools/images_test.sh: sends one picture twice a second, whatever happens to the server.

    python tests/containers/camera.py HOST:PORT PICTURE      until SIGTERM

It prints a line of JSON for each event, and one at the end that counts the frames; the exit code is 1 if one of them was
not accounted for, or more than once.
"""

import json
import signal
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from facewire import (
    Client,
    FacewireError,
    Frame,
    FramePolicy,
    FrameResult,
    FramesSkipped,
    Image,
    TrackEvent,
)

PERIOD_S = 0.5
"""Seconds from frame to frame. Chosen, not measured: containers of one processor keep up with it."""


def say(event: str, **values: Any) -> None:
    print(json.dumps({"event": event} | values), flush=True)


def numbers_of(result: FrameResult | FramesSkipped) -> range:
    """Prints a result, and returns the numbers of the frames that it accounts for."""
    if isinstance(result, FramesSkipped):
        numbers = range(result.first_sequence, result.last_sequence + 1)
        say("skipped", numbers=list(numbers), reason=result.reason.value)
        return numbers
    who = [face.decision.identity_id for face in result.faces if face.known]
    say("frame", number=result.sequence, status=result.status.value, who=who)
    return range(result.sequence, result.sequence + 1)


def main() -> int:
    target, path = sys.argv[1:]
    picture, ended, sent = Image.from_file(path), threading.Event(), 0
    signal.signal(signal.SIGTERM, lambda *_: ended.set())

    def frames() -> Iterator[Frame]:
        nonlocal sent
        while not ended.wait(PERIOD_S):
            sent += 1
            yield Frame(picture)

    def reopening(error: FacewireError, after_s: float) -> None:
        say("reopening", error=type(error).__name__, detail=error.detail, after_s=after_s)

    accounted: Counter[int] = Counter()
    with Client(target) as client:
        for result in client.stream(
            frames(), policy=FramePolicy.EVERY_FRAME, reopen=True, on_reopen=reopening
        ):
            if not isinstance(result, TrackEvent):
                accounted.update(numbers_of(result))
    once = sum(1 for number in range(1, sent + 1) if accounted[number] == 1)
    say("end", sent=sent, accounted_for_once=once, accounted_for=accounted.total())
    return 0 if sent and once == sent == accounted.total() else 1


if __name__ == "__main__":
    sys.exit(main())
