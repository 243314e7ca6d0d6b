"""Unknown people through a real server: seen twice, grouped, named by one call, recognized, erased without a trace."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire import ErrorReason, Feature, Outcome
from fakes.journals import files_of
from harness.running import RunningServer, running_server

Pixels = NDArray[np.uint8]
pytestmark = pytest.mark.timeout(300)

FRAMES, STEP_US = 15, 200_000
"""Three seconds: an unknown person is confirmed after one."""

PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def keeping(models: Path, folder: Path) -> Iterator[RunningServer]:
    with running_server(data=folder, keep_unknown_hours=24, frame_timeout_s=60) as server:
        yield server


@pytest.fixture
def client(keeping: RunningServer, folder: Path) -> Iterator[facewire.Client]:
    with facewire.Client(keeping.address) as client:
        yield client
        client.delete_gallery("default")
        assert list(client.unknown_people()) == []


def frames_of(picture: Pixels, count: int = FRAMES) -> list[facewire.Frame]:
    return [facewire.Frame(picture, captured_at_us=one * STEP_US) for one in range(1, count + 1)]


def visit(
    client: facewire.Client, picture: Pixels, camera: str = "door", gallery: str = "default"
) -> facewire.TrackEvent:
    """A person comes and goes; gives the end of their track."""
    frames, policy = frames_of(picture), facewire.FramePolicy.EVERY_FRAME
    with client.stream(frames, camera=camera, gallery=gallery, policy=policy) as stream:
        events = [one for one in stream if isinstance(one, facewire.TrackEvent)]
    assert events
    return events[-1]


def smaller(picture: Pixels) -> Pixels:
    return np.asarray(cv2.resize(picture, None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA))


def until(holds: Callable[[], object]) -> None:
    ends_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < ends_s
        time.sleep(0.05)  # of another process's state there is no event


def has_visits(client: facewire.Client, count: int) -> bool:
    """Whether there is one unknown person, with so many visits."""
    return [person.visit_count for person in client.unknown_people()] == [count]


def audited(folder: Path) -> list[str]:
    files = sorted((folder / "audit").glob("*"))
    lines = [line for file in files for line in file.read_bytes().splitlines() if b'"what"' in line]
    return [json.loads(line)["what"] for line in lines]


def test_who_came_twice_is_one_person_and_is_recognized_once_they_have_a_name(
    client: facewire.Client, folder: Path, astronaut: Pixels
) -> None:
    assert client.server_info().has(Feature.UNKNOWN_PEOPLE)
    ended = visit(client, astronaut, "door")
    assert ended.decision.outcome is Outcome.UNKNOWN
    visit(client, smaller(astronaut), "yard")
    (person,) = client.unknown_people()
    assert person.unknown_id == ended.track_id
    assert (person.visit_count, person.camera_ids) == (2, ("door", "yard"))
    assert ended.first_seen == person.first_seen
    assert person.first_seen < ended.last_seen < person.last_seen
    pictures = client.unknown_pictures(person.unknown_id)
    assert person.picture_count == len(pictures) == 2
    assert [picture.camera_id for picture in pictures] == ["door", "yard"]  # the larger face first
    assert pictures[0].quality.inter_eye_px > pictures[1].quality.inter_eye_px
    held = files_of(folder / "unknown")
    assert [name for name, data in held.items() if pictures[0].image.data in data]

    result = client.enroll_unknown(person.unknown_id, "ada", display_name="Ada", source="door")
    assert result.accepted_count == 2
    assert {template.source for template in client.templates("ada")} == {"door"}
    (face,) = client.recognize(astronaut).faces
    assert (face.known, face.name) == (True, "Ada")
    assert list(client.unknown_people()) == []
    left = files_of(folder / "unknown")
    assert not [data for data in left.values() if pictures[0].image.data[:200] in data]
    assert list(left) == ["lock"]
    assert audited(folder)[-1] == "enroll_unknown"
    with pytest.raises(facewire.NotFoundError) as caught:
        client.enroll_unknown(person.unknown_id, "ada")
    assert caught.value.reason is ErrorReason.UNKNOWN_PERSON_NOT_FOUND
    assert visit(client, astronaut).known
    assert list(client.unknown_people()) == []


def test_two_people_are_two(client: facewire.Client, shared: Path, astronaut: Pixels) -> None:
    folders = [path for path in sorted((shared / "verify/lfw").iterdir()) if path.is_dir()]
    other = cv2.imread(str(sorted(folders[0].glob("*.jpg"))[0]))
    assert other is not None
    for picture in (astronaut, np.asarray(other[..., ::-1], np.uint8), astronaut):
        visit(client, np.ascontiguousarray(picture))
    assert [person.visit_count for person in client.unknown_people()] == [2, 1]


def test_nothing_is_left_of_who_is_forgotten(
    client: facewire.Client, folder: Path, astronaut: Pixels
) -> None:
    visit(client, astronaut)
    (person,) = client.unknown_people()
    jpeg = client.unknown_pictures(person.unknown_id)[0].image.data
    client.forget_unknown(person.unknown_id)
    held = files_of(folder)
    assert not [name for name, data in held.items() if jpeg[:200] in data]
    assert audited(folder)[-1] == "forget_unknown"
    calls: list[Callable[[int], object]] = [client.forget_unknown, client.unknown_pictures]
    for call in calls:
        with pytest.raises(facewire.NotFoundError):
            call(person.unknown_id)
    visit(client, astronaut)
    assert client.forget_all_unknown() == 1
    assert client.forget_all_unknown() == 0


def test_an_enrollment_by_another_call_ends_what_is_kept(
    client: facewire.Client, astronaut: Pixels
) -> None:
    visit(client, astronaut)
    assert len(list(client.unknown_people())) == 1
    client.enroll("ada", astronaut)
    client.delete_identity("ada")  # before the server has looked by itself
    assert list(client.unknown_people()) == []


def test_people_are_of_the_gallery_that_did_not_know_them(
    client: facewire.Client, astronaut: Pixels
) -> None:
    client.create_gallery("cellar")
    visit(client, astronaut, gallery="cellar")
    (person,) = client.unknown_people(gallery="cellar")
    assert list(client.unknown_people()) == []
    with pytest.raises(facewire.NotFoundError):
        client.enroll_unknown(person.unknown_id, "ada")
    client.delete_gallery("cellar")
    assert list(client.unknown_people(gallery="cellar")) == []


def test_what_a_request_may_not_ask_is_refused(client: facewire.Client) -> None:
    for call in (client.unknown_pictures, client.forget_unknown):
        with pytest.raises(facewire.InvalidRequestError) as caught:
            call(0)
        assert caught.value.field == "unknown_id"
    with pytest.raises(facewire.InvalidRequestError):
        client.enroll_unknown(7, "")


def test_a_stream_that_breaks_off_keeps_who_was_in_view(
    client: facewire.Client, keeping: RunningServer, astronaut: Pixels
) -> None:
    frames = frames_of(astronaut, 99)
    with client.stream(frames, policy=facewire.FramePolicy.EVERY_FRAME) as stream:
        for one in stream:
            if isinstance(one, facewire.TrackEvent) and one.decision.outcome is Outcome.UNKNOWN:
                break  # confirmed; the stream is cancelled here
    until(partial(has_visits, client, 1))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(f"{'5a' * 32}\n")
    file.chmod(0o600)
    return file


def test_a_key_encrypts_what_is_kept_and_none_is_kept_once_it_is_switched_off(
    models: Path, tmp_path: Path, key: Path, astronaut: Pixels
) -> None:
    data = tmp_path / "data"
    with running_server(
        data=data, keep_unknown_hours=1, enrollment_crop_key_file=key
    ) as server, facewire.Client(server.address) as client:  # fmt: skip
        visit(client, astronaut, "a camera of the yard")
        (person,) = client.unknown_people()
        jpeg = client.unknown_pictures(person.unknown_id)[0].image.data
    held = files_of(data / "unknown")
    assert f"people/{person.unknown_id}.unknown" in held
    assert not [name for name, each in held.items() if jpeg[:200] in each or b"yard" in each]
    with running_server(data=data) as server, facewire.Client(server.address) as client:
        assert not client.server_info().has(Feature.UNKNOWN_PEOPLE)
        assert [name for name in files_of(data / "unknown") if name != "lock"] == []


def test_by_default_nothing_is_written(models: Path, tmp_path: Path, astronaut: Pixels) -> None:
    data = tmp_path / "data"
    with running_server(data=data) as server, facewire.Client(server.address) as client:
        visit(client, astronaut)
        calls: list[Callable[[], object]] = [
            lambda: list(client.unknown_people()),
            lambda: client.unknown_pictures(7),
            lambda: client.enroll_unknown(7, "ada"),
            lambda: client.forget_unknown(7),
            client.forget_all_unknown,
        ]
        for call in calls:
            with pytest.raises(
                facewire.NotSupportedError, match="FACEWIRE_KEEP_UNKNOWN_HOURS"
            ) as caught:
                call()
            assert caught.value.reason is ErrorReason.UNKNOWN_PEOPLE_NOT_KEPT
    assert not (data / "unknown").exists()


def test_a_visit_is_kept_for_as_long_as_the_operator_says(
    models: Path, tmp_path: Path, astronaut: Pixels
) -> None:
    data = tmp_path / "data"
    hours = 30 / 3600
    with running_server(data=data, keep_unknown_hours=hours) as server:
        with facewire.Client(server.address) as client:
            visit(client, astronaut)
            assert len(list(client.unknown_people())) == 1
            until(lambda: list(client.unknown_people()) == [])
        assert list(files_of(data / "unknown")) == ["lock"]


def test_two_workers_group_the_visits_of_both(
    models: Path, tmp_path: Path, astronaut: Pixels
) -> None:
    data = tmp_path / "data"
    with running_server(data=data, keep_unknown_hours=1, workers=2) as server, ExitStack() as open_:
        clients = [open_.enter_context(facewire.Client(server.address)) for _ in range(4)]
        # All at once: a worker with two streams more than the other one refuses the next.
        streams = [
            open_.enter_context(
                client.stream(
                    frames_of(astronaut),
                    camera=f"camera {number}",
                    policy=facewire.FramePolicy.EVERY_FRAME,
                ).open()
            )
            for number, client in enumerate(clients)
        ]
        for stream in streams:
            assert list(stream)
        for client in clients:
            until(partial(has_visits, client, 4))
        lines = [json.loads(line) for line in server.log().splitlines() if line.startswith("{")]
        assert len({line["worker"] for line in lines if line["event"] == "stream_opened"}) == 2
        (person,) = clients[0].unknown_people()
        assert len(person.camera_ids) == 4
        clients[0].forget_unknown(person.unknown_id)
        assert [list(client.unknown_people()) for client in clients] == [[]] * 4
