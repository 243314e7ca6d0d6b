"""The files of unknown people: shared by processes, bounded, encrypted if there is a key, and nothing is left of who was erased."""

import multiprocessing
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.backends.unknown_files import UnknownFiles
from facewire_server.streams.unknown import UnknownVisit
from facewire_server.streams.unknown.grouping import person_of
from facewire_server.types import DecisionPolicy
from fakes.journals import files_of
from fakes.unknown_people import axis, turned, visit

KEYS = CropKeys([b"k" * 32])
JPEG = b"a picture that a search of bytes finds" * 20
group = partial(person_of, policy=DecisionPolicy(0.5, 0.03, 0.0))


def opened(folder: Path, **options: Any) -> UnknownFiles:
    defaults = {"keep_s": 3600.0, "keys": None, "model_contract_id": "c" * 64}
    return UnknownFiles(folder / "unknown", **(defaults | options))


def now_visit(face: int, now_us: int = 10**15, **options: Any) -> UnknownVisit:
    return visit(axis(face), at_us=now_us, **options)


def traces(folder: Path, one: UnknownVisit) -> list[str]:
    """The files that hold the embedding, or the picture, of a visit."""
    vector = one.looks_mean.tobytes()
    wanted = [vector, *([one.picture.jpeg[:64]] if one.picture else [])]
    return [name for name, data in files_of(folder).items() if any(each in data for each in wanted)]


@pytest.mark.parametrize("keys", [None, KEYS], ids=["plain", "encrypted"])
def test_what_was_added_is_read_by_another_process(tmp_path: Path, keys: CropKeys | None) -> None:
    first, second = opened(tmp_path, keys=keys), opened(tmp_path, keys=keys)
    assert second.people() == []
    came = visit(turned(0, 1, 0.9), camera_id="yard", eyes_px=55.5, jpeg=JPEG)
    added = first.add(came, group)
    assert added.unknown_id == came.track_id
    (light,) = second.people()
    assert light.visits[0].picture is not None
    assert light.visits[0].picture.jpeg == b""
    whole = second.person(came.track_id)
    assert whole is not None
    (one,) = whole.visits
    assert np.array_equal(one.looks_mean, came.looks_mean)
    assert one.picture == came.picture
    assert (one.gallery_id, one.camera_id, one.visit_id) == ("default", "yard", came.visit_id)
    assert (one.first_seen_us, one.last_seen_us) == (came.first_seen_us, came.last_seen_us)
    again = second.add(visit(axis(0), camera_id="door"), group)
    assert again.unknown_id == came.track_id
    assert [len(person.visits) for person in first.people()] == [2]


def test_people_of_two_galleries_are_two_people(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add(visit(axis(0)), group)
    store.add(visit(axis(0), gallery_id="cellar"), group)
    assert [person.gallery_id for person in store.people()] == ["default", "cellar"]


def test_only_the_key_reads_what_was_encrypted(tmp_path: Path) -> None:
    came = visit(turned(0, 1, 0.9), camera_id="a camera of the yard", jpeg=JPEG)
    opened(tmp_path, keys=KEYS).add(came, group)
    assert traces(tmp_path, came) == []
    assert not [data for data in files_of(tmp_path).values() if b"camera of the yard" in data]
    assert opened(tmp_path).people() == []
    assert opened(tmp_path, keys=CropKeys([b"x" * 32])).people() == []
    rotated = opened(tmp_path, keys=CropKeys([b"x" * 32, b"k" * 32]))
    assert len(rotated.people()) == 1


def test_a_file_cannot_take_the_place_of_another_one(tmp_path: Path) -> None:
    store = opened(tmp_path, keys=KEYS)
    store.add(visit(axis(0), track_id=1), group)
    (file,) = (tmp_path / "unknown" / "people").iterdir()
    file.rename(file.with_stem("2"))
    assert store.people() == []


def test_nothing_is_left_of_who_was_erased(tmp_path: Path) -> None:
    store = opened(tmp_path)
    came, other = visit(axis(0), jpeg=JPEG), visit(axis(1), jpeg=b"another picture" * 9)
    for one in (came, other):
        store.add(one, group)
    # While the file is open, its bytes can still be read after it was removed.
    path = tmp_path / "unknown" / "people" / f"{came.track_id}.unknown"
    with path.open("rb") as held:
        assert store.erase([came.track_id]) == 1
        assert not held.read().strip(b"\0")
    assert traces(tmp_path, came) == []
    assert traces(tmp_path, other) != []
    assert store.erase([came.track_id]) == 0
    assert store.person(came.track_id) is None


def test_a_visit_is_erased_when_its_time_is_over_and_the_person_with_the_last_one(
    tmp_path: Path,
) -> None:
    now = [10**15]
    store = opened(tmp_path, keep_s=100.0, now_us=lambda: now[0])
    early, late = now_visit(0, jpeg=JPEG), now_visit(0, 10**15 + 60 * 10**6, jpeg=b"later" * 99)
    store.add(early, group)
    store.add(late, group)
    store.erase_old()
    assert len(store.people()[0].visits) == 2
    now[0] += 120 * 10**6  # the first one ended 110 s ago
    store.erase_old()
    (person,) = store.people()
    assert [one.track_id for one in person.visits] == [late.track_id]
    assert person.unknown_id == early.track_id
    held = files_of(tmp_path)
    assert not [name for name, data in held.items() if JPEG[:64] in data]
    now[0] += 60 * 10**6
    store.erase_old()
    assert store.people() == []
    assert not [name for name in files_of(tmp_path) if name != "unknown/lock"]


def test_a_visit_of_the_future_is_erased(tmp_path: Path) -> None:
    store = opened(tmp_path, keep_s=100.0, now_us=lambda: 10**15)
    store.add(now_visit(0, 10**15 + 10**9), group)
    store.erase_old()
    assert store.people() == []


def test_who_was_not_seen_for_longest_makes_room(tmp_path: Path) -> None:
    store = opened(tmp_path, max_people=3)
    for face in range(4):
        store.add(now_visit(face, 10**15 + face), group)
    store.add(now_visit(1, 10**15 + 9), group)
    store.add(now_visit(4, 10**15 + 10), group)
    faces = {int(np.argmax(person.looks_mean)) for person in store.people()}
    assert faces == {1, 3, 4}


def test_what_cannot_be_read_is_passed_over_and_erased_in_its_time(tmp_path: Path) -> None:
    now = [10**15]
    store = opened(tmp_path, keep_s=100.0, now_us=lambda: now[0])
    store.add(now_visit(0, track_id=5), group)
    folder = tmp_path / "unknown" / "people"
    damaged = [(folder / f"{number}.unknown") for number in (1, 2, 3)]
    for path, data in zip(damaged, (b"", b"facewire unknown 1 plain\n\x0a\xff", JPEG), strict=True):
        path.write_bytes(data)
        os.utime(path, ns=(10**18, 10**18))
    assert [person.unknown_id for person in store.people()] == [5]
    store.erase_old()
    assert all(path.exists() for path in damaged)
    now[0] += 101 * 10**6
    store.erase_old()
    assert not any(path.exists() for path in damaged)


def test_embeddings_of_another_model_are_not_compared(tmp_path: Path) -> None:
    opened(tmp_path).add(visit(axis(0)), group)
    assert opened(tmp_path, model_contract_id="d" * 64).people() == []


def test_what_a_killed_process_left_is_erased(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add(now_visit(0), group)
    left = tmp_path / "unknown" / "people" / "7.0badcafe.new"
    left.write_bytes(JPEG)
    store.erase_old()
    assert left.exists()  # it may belong to a write in progress
    os.utime(left, (1, 1))
    store.erase_old()
    assert not left.exists()


def test_all_is_erased_at_once(tmp_path: Path) -> None:
    came = visit(axis(0), jpeg=JPEG)
    opened(tmp_path).add(came, group)
    UnknownFiles.erase_all(tmp_path / "unknown")
    assert traces(tmp_path, came) == []
    UnknownFiles.erase_all(tmp_path / "nothing")


def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    opened(tmp_path).add(visit(axis(0)), group)
    modes = {path.name: path.stat().st_mode & 0o077 for path in (tmp_path / "unknown").rglob("*")}
    assert set(modes.values()) == {0}


def add_visits(folder: str, start: int) -> None:
    store = opened(Path(folder))
    for number in range(20):
        store.add(visit(axis(number % 4), track_id=start + number, at_us=10**15), group)


def test_processes_that_group_at_once_lose_no_visit(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=add_visits, args=(str(tmp_path), start)) for start in (1000, 2000)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    people = opened(tmp_path).people()
    assert [len(person.visits) for person in people] == [10] * 4
