"""A server that looks for presentation attacks says so, and its answers have a hint."""

import facewire
from facewire import Feature
from harness.running import running_server


def test_answers_have_a_hint_and_the_server_says_that_it_looks(models, portrait) -> None:
    with (
        running_server(presentation_attacks=True, frame_timeout_s=60) as server,
        facewire.Client(server.address, timeout_s=60) as client,
    ):
        assert client.server_info().has(Feature.PRESENTATION_ATTACKS)
        (face,) = client.recognize(portrait).faces
        assert face.presentation_attack_score is not None
        assert 0 < face.presentation_attack_score < 1
