"""While clients break every rule, those who keep them get each result: a camera beside the console, a board and a page through it."""

import time

import cv2
import numpy as np
import pytest

from harness.console_attackers import ATTACKS, attacking
from harness.console_bystanders import Board, Camera, LivePage
from harness.console_running import running_console

pytestmark = pytest.mark.timeout(300)

MIB = 1 << 20
RESULTS = 30


@pytest.mark.parametrize("name", ATTACKS)
def test_who_keeps_the_rules_gets_every_result(server, name: str) -> None:
    picture = cv2.imencode(".jpg", np.full((180, 320, 3), 128, np.uint8))[1].tobytes()
    with (
        running_console(server.address) as console,
        Camera(server.address, picture) as camera,
        Board(console, picture) as board,
        LivePage(console, picture) as page,
    ):
        bystanders = (camera, board, page)
        while min(len(each.ages) for each in bystanders) < 2:
            time.sleep(0.05)
        before = console.rss_bytes()
        for each in bystanders:
            each.restart()
        most = before
        with attacking(name, console.host, console.port):
            while min(len(each.ages) for each in bystanders) < RESULTS:
                most = max(most, console.rss_bytes())
                time.sleep(0.05)
        assert [each.refused for each in bystanders] == [0, 0, 0]
        assert most - before < 512 * MIB, "16 of the largest pictures, and what their parsing takes"
        assert "fault" not in console.log()
