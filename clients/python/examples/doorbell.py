"""Prints a name once when a person comes to the door, for months.

python doorbell.py rtsp://door/1
"""

import sys

import facewire


def main(source: str, server: str = "127.0.0.1:50051") -> None:
    """Greets until the source ends; a camera never does: one that is lost, or its server, is waited for."""
    greeted: dict[str, int] = {}  # the last visit of each person
    with facewire.Client(server) as client, client.follow_camera(source, camera="door") as door:
        for event in door:
            who = event.decision.identity_id
            if event.name and greeted.get(who) != event.visit_id:
                print(f"Welcome, {event.name}!", flush=True)
                greeted[who] = event.visit_id


if __name__ == "__main__":
    main(*sys.argv[1:])
