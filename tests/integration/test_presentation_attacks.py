"""A server that looks for presentation attacks says so, and its answers have a hint: of pictures, and of tracks."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire import Feature, FrameResult, TrackEvent
from harness.running import running_server

STEP_US = 200_000


@pytest.fixture
def client(attack_model: Path) -> Iterator[facewire.Client]:
    with (
        running_server(presentation_attacks=True, frame_timeout_s=60) as server,
        facewire.Client(server.address, timeout_s=60) as client,
    ):
        yield client


def test_answers_and_tracks_have_a_hint_and_the_server_says_that_it_looks(
    client: facewire.Client, portrait: NDArray[np.uint8]
) -> None:
    assert client.server_info().has(Feature.PRESENTATION_ATTACKS)
    (face,) = client.recognize(portrait).faces
    frames = [facewire.Frame(portrait, captured_at_us=one * STEP_US) for one in range(1, 11)]
    policy = facewire.FramePolicy.EVERY_FRAME
    with client.stream(frames, camera="door", policy=policy) as stream:
        messages = list(stream)
    shown = [one.faces[0] for one in messages if isinstance(one, FrameResult) and one.faces]
    ended = [one for one in messages if isinstance(one, TrackEvent)][-1]
    for score in (
        face.presentation_attack_score,
        shown[-1].presentation_attack_score,
        ended.presentation_attack_score,
    ):
        assert score is not None
        assert 0 < score < 1
