"""The film of one made person that cameras in C++ stream, and how that person is enrolled."""

from pathlib import Path
from typing import Any

import facewire
from harness.film_scenes import steady
from harness.made_people import made_pair, portrait_of

__all__ = ["FPS", "PERSON", "enroll", "written"]

PERSON = made_pair()[0]
FPS = 5
"""Frames a second of the film."""


def written(folder: Path) -> Path:
    """Writes four seconds of the person as JPEGs; returns the folder."""
    made = steady([PERSON], until_s=4)
    for number, shot in enumerate(made.shots(made.times(FPS))):
        (folder / f"{number:04}.jpg").write_bytes(shot.jpeg)
    return folder


def enroll(server: str, **client: Any) -> None:
    """Enrolls the person by a client with these arguments."""
    with facewire.Client(server, **client) as connected:
        assert connected.enroll(PERSON.name, [portrait_of(PERSON)]).pictures[0].accepted
