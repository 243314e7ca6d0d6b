"""Identities that are one person are merged, and one that is two is split: through a real server, with what cameras saw."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire import ErrorReason, Outcome, TrackState
from fakes.journals import files_of
from harness.running import RunningServer, running_server

Pixels = NDArray[np.uint8]
pytestmark = pytest.mark.timeout(300)

STEP_US = 200_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(models: Path, folder: Path) -> Iterator[RunningServer]:
    with running_server(data=folder, frame_timeout_s=60, keep_crops=True) as server:
        yield server


@pytest.fixture
def client(server: RunningServer) -> Iterator[facewire.Client]:
    with facewire.Client(server.address) as client:
        yield client


def visit(client: facewire.Client, picture: Pixels) -> str:
    """A person comes and goes; returns whom the end of their track names."""
    frames = [facewire.Frame(picture, captured_at_us=one * STEP_US) for one in range(1, 11)]
    policy = facewire.FramePolicy.EVERY_FRAME
    with client.stream(frames, camera="door", policy=policy) as stream:
        events = [one for one in stream if isinstance(one, facewire.TrackEvent)]
    return events[-1].decision.identity_id


def kept(client: facewire.Client) -> set[str]:
    """Whom the events that the server has kept are about."""
    events = client.watch_tracks(after_event=1, kept_only=True)
    return {event.decision.identity_id for event in events} - {""}


def audited(folder: Path) -> list[dict[str, object]]:
    lines = (folder / "audit" / "audit.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_a_person_under_two_ids_is_one_again_also_in_what_was_seen(
    client: facewire.Client, folder: Path, portrait: Pixels
) -> None:
    client.enroll("ada-second-id", [portrait], display_name="Ada, again")
    assert visit(client, portrait) == "ada-second-id"
    with pytest.warns(facewire.SimilarIdentityWarning):
        client.enroll("ada", [portrait[:, 8:]], display_name="Ada")
    (face,) = client.recognize(portrait).faces
    assert face.decision.outcome is Outcome.AMBIGUOUS
    identity = client.merge_identities("ada", "ada-second-id")
    assert (identity.display_name, identity.template_count) == ("Ada", 2)
    (face,) = client.recognize(portrait).faces
    assert (face.decision.outcome, face.decision.identity_id) == (Outcome.KNOWN, "ada")
    assert kept(client) == {"ada"}
    with pytest.raises(facewire.NotFoundError) as caught:
        client.merge_identities("ada", "ada-second-id")
    assert caught.value.reason is ErrorReason.IDENTITY_NOT_FOUND
    lines = audited(folder)
    goes, stays = (one["record"] for one in lines if one["what"] == "enroll")
    (merged,) = (one for one in lines if one["what"] == "merge_identities")
    assert (merged["record"], merged["other_record"]) == (stays, goes)
    assert (merged["identities"], merged["templates"]) == (2, 1)
    client.purge_deleted()
    assert not any(b"ada-second-id" in data for data in files_of(folder / "gallery").values())


def test_a_track_in_view_keeps_its_past_and_picture_if_its_identity_is_merged(
    client: facewire.Client, portrait: Pixels
) -> None:
    client.enroll("ada-second-id", [portrait])
    client.create_identity("ada", display_name="Ada")
    is_merged = threading.Event()

    def frames() -> Iterator[facewire.Frame]:
        for one in range(1, 11):
            yield facewire.Frame(portrait, captured_at_us=one * STEP_US)
        is_merged.wait(120)  # and the track ends at once

    policy = facewire.FramePolicy.EVERY_FRAME
    with client.stream(frames(), camera="door", policy=policy) as stream:
        for one in stream:
            is_confirmed = (
                isinstance(one, facewire.TrackEvent) and one.state is TrackState.CONFIRMED
            )
            if is_confirmed and not is_merged.is_set():
                client.merge_identities("ada", "ada-second-id")
                is_merged.set()
    events = list(client.watch_tracks(after_event=1, kept_only=True))
    assert {one.decision.identity_id for one in events} - {""} == {"ada"}
    last = events[-1]
    assert (last.state, last.decision.identity_id) == (TrackState.ENDED, "ada")
    assert last.has_crop
    assert client.track_crop(last.track_id).image.data


def test_one_identity_that_is_two_people_is_split(
    client: facewire.Client, folder: Path, portrait: Pixels, shared: Path
) -> None:
    client.enroll("both", [portrait])
    (first,) = client.templates("both")
    identity = client.split_identity("both", [first.template_id], "ada", display_name="Ada")
    assert (identity.display_name, identity.template_count) == ("Ada", 1)
    assert client.identity("both").template_count == 0
    (face,) = client.recognize(portrait).faces
    assert face.decision.identity_id == "ada"
    assert audited(folder)[-1]["what"] == "split_identity"
    for template_id, new_id, error in (
        ("0" * 32, "new", facewire.NotFoundError),
        (first.template_id, "new", facewire.NotFoundError),
        ("no id", "new", facewire.InvalidRequestError),
        (first.template_id, "ada", facewire.AlreadyExistsError),
    ):
        with pytest.raises(error):
            client.split_identity("both", [template_id], new_id)
    with pytest.raises(facewire.InvalidRequestError, match="template_ids must be 1 to 1000"):
        client.split_identity("both", [], "new")
    with pytest.raises(facewire.InvalidRequestError, match="merged with itself"):
        client.merge_identities("ada", "ada")
