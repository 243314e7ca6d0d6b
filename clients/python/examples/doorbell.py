"""Prints a name once when a person comes to the door.

python doorbell.py rtsp://door/1
"""

import sys

import facewire
from facewire.video import Camera

QUIET_S = 60  # after this absence a person is greeted again


def main(source: str, server: str = "127.0.0.1:50051") -> None:
    """Greets until the source ends; a camera never does."""
    last_seen_s: dict[str, float] = {}
    with Camera(source) as camera, facewire.Client(server) as client:
        for result in client.stream(camera, camera="door", reopen=True):
            if isinstance(result, facewire.FrameResult):
                greet(result, last_seen_s)


def greet(result: facewire.FrameResult, last_seen_s: dict[str, float]) -> None:
    """Greets the people of a frame who were not seen for a while."""
    now_s = result.captured_at_us / 1e6
    for face in result.faces:
        if face.known:
            who = face.decision.identity_id
            if now_s - last_seen_s.get(who, -QUIET_S) >= QUIET_S:
                print(f"Welcome, {face.name}!", flush=True)
            last_seen_s[who] = now_s


if __name__ == "__main__":
    main(*sys.argv[1:])
