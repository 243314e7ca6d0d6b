"""Servers, workers and commands that are killed at random moments: nothing acknowledged is lost, and no one deleted is found."""

from pathlib import Path

import pytest

from harness.acknowledged import CHANGED, FOUND, LOST
from harness.gallery_commands import Beside
from harness.kills import KilledServers
from harness.promises import FAULTS

BESIDE = (None, Beside.COMPACT, None, Beside.BACKUP, None)

MOST_ROUNDS = 10
"""Until a kill hits the 50 ms between an early acknowledgment and its commit, which most do."""


pytestmark = pytest.mark.timeout(900)
"""Seconds for a test: each starts servers about ten times, which takes a minute where nothing else runs."""


def assert_nothing_broken(servers: KilledServers) -> None:
    broken = {kind: servers.promises.counts[kind] for kind in FAULTS}
    assert broken == dict.fromkeys(FAULTS, 0), servers.promises.examples


def test_kills_at_random_moments_break_no_promise(tmp_path: Path) -> None:
    with KilledServers(tmp_path, seed=1) as servers:
        for beside in BESIDE:
            servers.round(beside=beside)
        servers.finish()
    assert_nothing_broken(servers)
    counts = servers.promises.counts
    assert counts["acknowledged calls"] > len(BESIDE)
    assert counts["negative examples added by a picture or deleted"] > 0
    assert sum(count for what, count in counts.items() if what.startswith("killed: ")) >= 3


def test_pictures_whose_enrollment_was_cut_off_by_a_kill_are_enrolled_once(
    tmp_path: Path, models: Path
) -> None:
    with KilledServers(tmp_path, seed=2) as servers:
        servers.round(has_models=True)
        servers.finish()
    assert_nothing_broken(servers)


def test_a_server_that_acknowledges_before_it_commits_is_found_by_the_same_rounds(
    tmp_path: Path,
) -> None:
    with KilledServers(tmp_path, seed=1, module="harness.early_answers") as servers:
        for _ in range(MOST_ROUNDS):
            servers.round()
            if sum(servers.promises.counts[kind] for kind in (LOST, FOUND, CHANGED)):
                return
    raise AssertionError(f"no fault was found: {servers.promises.counts}")
