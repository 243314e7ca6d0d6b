import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from facewire_server.backends.lmdb_journal.accounts import SLOTS, Accounts
from facewire_server.errors import StreamTakenOver
from facewire_server.streams.journal import StreamForgotten


@pytest.fixture
def accounts(tmp_path: Path):
    accounts = Accounts(tmp_path / "accounts")
    yield accounts
    accounts.close()


def test_a_slot_keeps_what_was_accounted_for(accounts: Accounts, tmp_path: Path) -> None:
    first, last = accounts.take(0, accounted=0), accounts.take(SLOTS - 1, accounted=5)
    accounts.account(0, first, 2**64 - 1)
    accounts.account(SLOTS - 1, last, 6)
    accounts.set_alive(0, 77)
    accounts.last_event = 99
    other = Accounts(tmp_path / "accounts")
    assert (other.accounted(0), other.accounted(SLOTS - 1)) == (2**64 - 1, 6)
    assert (other.alive_at_us(0), other.alive_at_us(SLOTS - 1), other.last_event) == (77, 0, 99)
    other.close()


def test_whoever_takes_a_slot_displaces_its_owner(accounts: Accounts) -> None:
    owner = accounts.take(3, accounted=0)
    accounts.account(3, owner, 41)
    resumed = accounts.take(3)
    assert accounts.accounted(3) == 41
    with pytest.raises(StreamTakenOver):
        accounts.require(3, owner)
    with pytest.raises(StreamTakenOver):
        accounts.account(3, owner, 42)
    accounts.account(3, resumed, 43)
    accounts.take(3, accounted=0)
    assert accounts.accounted(3) == 0


def test_a_slot_that_no_stream_took_was_given_up(accounts: Accounts) -> None:
    owner = accounts.take(3, accounted=0)
    accounts.give_up(3)
    with pytest.raises(StreamForgotten):
        accounts.account(3, owner, 42)
    later = accounts.take(3, accounted=0)  # another camera's
    with pytest.raises(StreamForgotten):
        accounts.require(3, owner)
    accounts.take(3)
    with pytest.raises(StreamTakenOver):
        accounts.require(3, later)


def test_the_file_is_its_owners_only_and_has_its_room_on_the_disk(
    accounts: Accounts, tmp_path: Path
) -> None:
    status = (tmp_path / "accounts").stat()
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_blocks * 512 >= status.st_size == (SLOTS + 1) * 32


def account_until_displaced(path: str, generation: int, said: "os.PathLike[str]") -> None:
    accounts, sequence = Accounts(Path(path)), 0
    try:
        while True:
            sequence += 1
            accounts.account(0, generation, sequence)
            Path(said).write_text(str(sequence))
    except StreamTakenOver:
        pass


def test_no_sequence_is_accounted_for_by_the_owner_and_given_to_the_next_one(
    accounts: Accounts, tmp_path: Path
) -> None:
    """Whatever the owner went on with, the new owner has read it."""
    for attempt in range(5):
        generation = accounts.take(0, accounted=0)
        said = tmp_path / f"said {attempt}"
        arguments = (str(tmp_path / "accounts"), generation, said)
        owner = multiprocessing.get_context("spawn").Process(
            target=account_until_displaced, args=arguments
        )
        owner.start()
        while not said.exists():
            assert owner.is_alive()
        accounts.take(0)
        read = accounts.accounted(0)
        owner.join(30)
        assert owner.exitcode == 0
        assert int(said.read_text()) <= read
