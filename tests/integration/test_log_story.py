"""The log of a real server process tells what happened to it, and names nobody."""

import contextlib
import json
import os
import pty
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from facewire.v1 import (
    face_pb2,
    gallery_pb2,
    gallery_pb2_grpc,
    recognition_pb2,
    recognition_pb2_grpc,
)
from facewire_server.models import FRAME_EMBEDDER
from fakes.python import PATHS
from harness.running import RunningServer, ServerFailed, running_server

MARK = "mark"
TOKEN = f"{MARK}-right-token"
CAMERA = 'front\ndoor\x1b[31m "x"'
PATIENCE_S = 60.0

Request = recognition_pb2.StreamRecognizeRequest
Import = gallery_pb2.ImportGalleryRequest


class Story(NamedTuple):
    """What a server logged from its start to its stop, and what it must not have logged."""

    entries: list[dict[str, Any]]
    secrets: list[str]
    port: int
    peers: set[str]
    revisions: list[int]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in self.entries if entry["event"] == event]


class Caller:
    """One client of the server, with its own connection."""

    def __init__(self, server: RunningServer, certificate: bytes, token: str) -> None:
        trust = grpc.ssl_channel_credentials(root_certificates=certificate)
        options = [("grpc.use_local_subchannel_pool", 1)]
        self._channel = grpc.secure_channel(server.address, trust, options)
        self._metadata = [("authorization", f"Bearer {token}")]
        self._gallery = gallery_pb2_grpc.GalleryServiceStub(self._channel)
        self._recognition = recognition_pb2_grpc.RecognitionServiceStub(self._channel)

    def call(self, method: str, request: Any) -> Any:
        stub = self._gallery if hasattr(self._gallery, method) else self._recognition
        return getattr(stub, method)(request, metadata=self._metadata, timeout=PATIENCE_S)

    def close(self) -> None:
        self._channel.close()


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes()


def change_galleries(caller: Caller, portrait: bytes) -> tuple[list[str], list[int]]:
    """Every kind of change, an export and a recognition; returns what is secret, and revisions."""
    here: dict[str, Any] = {"gallery_id": "staff"}
    created = caller.call("CreateGallery", gallery_pb2.CreateGalleryRequest(**here))
    enrolled = caller.call(
        "EnrollTemplates",
        gallery_pb2.EnrollTemplatesRequest(
            **here,
            identity_id=f"{MARK}-identity",
            display_name=f"{MARK}-name",
            create_identity=True,
            images=[face_pb2.Image(data=each) for each in (portrait, b"no picture", portrait)],
            source=f"{MARK}-source",
            request_id=f"{MARK}-request",
        ),
    )
    found = caller.call(
        "Recognize", recognition_pb2.RecognizeRequest(**here, image=face_pb2.Image(data=portrait))
    )
    assert found.faces[0].decision.identity_id == f"{MARK}-identity"
    identity = {**here, "identity_id": f"{MARK}-identity"}
    renamed = caller.call(
        "UpdateIdentity",
        gallery_pb2.UpdateIdentityRequest(**identity, display_name=f"{MARK}-other-name"),
    )
    exported = list(caller.call("ExportGallery", gallery_pb2.ExportGalleryRequest(**here)))
    templates = [one.template_id for one in enrolled.results if one.template_id]
    deleted = caller.call(
        "DeleteTemplate",
        gallery_pb2.DeleteTemplateRequest(**here, template_id=templates[0]),
    )
    gone = caller.call("DeleteIdentity", gallery_pb2.DeleteIdentityRequest(**identity))
    first, *others = exported
    requests = [Import(**here, record=first.record), *(Import(record=one.record) for one in others)]
    imported = caller.call("ImportGallery", iter(requests))
    emptied = caller.call("DeleteGallery", gallery_pb2.DeleteGalleryRequest(**here))
    revisions = [created.gallery.revision]
    revisions += [one.revision for one in (enrolled, renamed, deleted, gone, imported, emptied)]
    return templates, revisions


def stream(caller: Caller, portrait: bytes, damaged: bytes) -> None:
    """A stream of four frames, of which two are no pictures."""

    def requests() -> Iterator[Request]:
        yield Request(
            config=recognition_pb2.StreamConfig(
                camera_id=CAMERA, frame_policy=recognition_pb2.FRAME_POLICY_EVERY_FRAME
            )
        )
        for sequence, data in enumerate([portrait, b"text", damaged, portrait], start=1):
            image = face_pb2.Image(data=data)
            yield Request(frame=recognition_pb2.Frame(sequence=sequence, image=image))

    list(caller.call("StreamRecognize", requests()))


def refused(caller: Caller, method: str, request: Any) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as caught:
        list(caller.call(method, request))
    return caught.value.code()


def wait_for(server: RunningServer, event: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while f'"event": "{event}"' not in server.log():
        assert time.monotonic() < end, f"no {event} in the log:\n{server.log()}"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def story(
    models: Path,
    certificate: tuple[Path, Path],
    astronaut: NDArray[np.uint8],
    tmp_path_factory: pytest.TempPathFactory,
) -> Story:
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text(TOKEN)
    token.chmod(0o644)
    portrait = jpeg(astronaut[:256, 96:352])
    png = cv2.imencode(".png", astronaut[:64, :64])[1].tobytes()
    damaged = png[:60] + b"\xff" + png[61:]  # libpng complains to standard error
    trusted = certificate[0].read_bytes()
    with running_server(
        log_format="json",
        max_streams=1,
        token_file=token,
        tls_certificate=certificate[0],
        tls_key=certificate[1],
    ) as server:
        port = int(server.address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            plain.recv(1)
        wait_for(server, "tls_failed")
        caller = Caller(server, trusted, TOKEN)
        stranger = Caller(server, trusted, f"{MARK}-wrong-token")
        secrets, revisions = change_galleries(caller, portrait)
        stream(caller, portrait, damaged)
        code = refused(
            stranger, "StreamRecognize", iter([Request(config=recognition_pb2.StreamConfig())])
        )
        assert code is grpc.StatusCode.UNAUTHENTICATED
        unknown = recognition_pb2.StreamConfig(gallery_id="none")
        code = refused(caller, "StreamRecognize", iter([Request(config=unknown)]))
        assert code is grpc.StatusCode.NOT_FOUND
        caller.close()
        stranger.close()
        server.terminate()
        server.wait()
        lines = server.log().splitlines()
    entries = [json.loads(line) for line in lines]
    peers = {entry["peer"] for entry in entries if "peer" in entry}
    return Story(entries, [MARK, *secrets], port, peers, revisions)


def test_it_begins_with_what_is_in_force_and_ends_with_the_stop(story: Story) -> None:
    started, exposed, listening, *_ = story.entries
    draining, stopped = [each for each in story.entries if each["event"] != "suppressed"][-2:]
    assert [one["event"] for one in (started, exposed, listening)] == [
        "server_started",
        "file_exposed",
        "listening",
    ]
    assert (exposed["level"], exposed["mode"]) == ("warning", "0644")
    assert exposed["path"] == started["settings"]["FACEWIRE_TOKEN_FILE"]
    assert (started["model_contract"], len(started["model_contract_id"])) == ("sface", 64)
    # Frames have a model of their own on processors that are faster in bfloat16.
    engines = set(started["engines"]) - {FRAME_EMBEDDER}
    assert engines == {"mtcnn", "mtcnn/follow", "embedding"}
    assert started["processors"] >= 1
    assert started["limits"]["max_streams"] == 1
    assert started["settings"]["FACEWIRE_MAX_STREAMS"] == "1"
    assert "FACEWIRE_MAX_STREAMS" in started["changed_settings"]
    assert "FACEWIRE_MAX_FACES" not in started["changed_settings"]
    assert listening["address"] == f"127.0.0.1:{story.port}"
    assert (listening["has_tls"], listening["has_token"]) == (True, True)
    assert [draining["event"], stopped["event"]] == ["draining", "stopped"]


def test_a_stream_is_opened_and_ended_with_counts_that_add_up(story: Story) -> None:
    (opened,), (ended,) = story.of("stream_opened"), story.of("stream_ended")
    assert opened["camera_id"] == ended["camera_id"] == CAMERA
    assert opened["peer"] == ended["peer"]
    assert (ended["recognized"], ended["failed"], ended["skipped"]) == (2, 2, 0)
    assert 0 < ended["median_s"] <= ended["duration_s"]
    assert ended["reason"] == "closed"


def test_who_was_refused_and_from_where(story: Story) -> None:
    (token,), (refusal,), (tls,) = (
        story.of(event) for event in ("token_refused", "stream_refused", "tls_failed")
    )
    assert token["peer"] != refusal["peer"]
    assert all(peer.startswith("127.0.0.1:") for peer in story.peers)
    assert refusal["error"] == "GalleryNotFound"
    assert tls["reason"] == "HTTP_REQUEST"


def test_each_change_of_a_gallery_has_caller_amount_and_revision(story: Story) -> None:
    changes = story.of("gallery_changed")
    told = [(one["action"], one["identity_count"], one["template_count"]) for one in changes]
    assert told == [
        ("create_gallery", 0, 0),
        ("enroll", 1, 2),
        ("update_identity", 1, 0),
        ("delete_template", 0, 1),
        ("delete_identity", 1, 1),
        ("import", 1, 2),
        ("delete_gallery", 1, 2),
    ]
    assert [one["revision"] for one in changes] == story.revisions
    assert {one["gallery_id"] for one in changes} == {"staff"}
    (exported,) = story.of("gallery_exported")
    assert (exported["identity_count"], exported["template_count"]) == (1, 2)
    assert len({one["peer"] for one in [*changes, exported]}) == 1


def test_what_libjpeg_and_libpng_say_is_counted(story: Story) -> None:
    messages = [entry["message"] for entry in story.of("library_message")]
    assert not any("libpng" in message or "JPEG" in message for message in messages), messages
    suppressed = {entry["suppressed_event"]: entry["count"] for entry in story.of("suppressed")}
    assert suppressed["decoder_line"] > 0


def test_a_cameras_damaged_frame_is_an_entry_once(story: Story) -> None:
    (damaged,) = story.of("frame_damaged")
    assert (damaged["camera_id"], damaged["is_read"]) == (CAMERA, False)
    assert damaged["detail"].startswith("the picture is neither JPEG, PNG")


def test_nobody_is_named(story: Story) -> None:
    text = json.dumps(story.entries)
    assert len(story.secrets) == 3, "the mark and two templates"
    assert [secret for secret in story.secrets if secret in text] == []
    # Settings are many and short; they hold no vector, nor does anything else have room for one.
    values = [value for entry in story.entries for value in entry.items() if value[0] != "settings"]
    values += [value for entry in story.entries for value in entry.get("settings", {}).items()]
    assert max(len(json.dumps(value)) for value in values) < 1000, "no room for a vector"


def test_a_start_that_fails_says_so_in_one_line(models: Path, tmp_path: Path) -> None:
    with pytest.raises(ServerFailed) as caught, running_server(models=tmp_path):
        pass
    assert str(caught.value).splitlines()[-1].startswith("facewire-server: ")


def test_a_person_at_a_terminal_gets_a_short_block(models: Path, tmp_path: Path) -> None:
    terminal, its_end = pty.openpty()
    flags = ["--listen=127.0.0.1:0", f"--models={models}", f"--data={tmp_path}", "--max-streams=7"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FACEWIRE_")}
    with subprocess.Popen(
        [sys.executable, "-m", "facewire_server", "run", *flags],
        env={**kept, "PYTHONPATH": PATHS},
        stdout=subprocess.PIPE,
        stderr=its_end,
    ) as server:
        os.close(its_end)
        assert server.stdout is not None
        ready = server.stdout.readline().decode()
        server.terminate()
        assert (server.wait(PATIENCE_S), server.stdout.read()) == (0, b"")
    shown = b""
    with contextlib.suppress(OSError):  # how Linux says that nobody writes to a terminal any more
        while part := os.read(terminal, 65536):
            shown += part
    os.close(terminal)
    lines = shown.decode().splitlines()
    assert [line[17:37].strip() for line in lines] == [
        *("server started", "data", "engines", "limits", "settings"),
        *("listening", "lame duck", "draining", "stopped"),
    ]
    assert "model_contract=sface" in lines[0]
    assert lines[1].endswith("is_new=yes people=0")
    assert 'mtcnn="OpenVINO in this process"' in lines[2]
    assert "max_streams=7" in lines[3]
    assert "FACEWIRE_MAX_STREAMS=7" in lines[4]
    address = ready.removeprefix("facewire.v1 on ").strip()
    assert f" address={address} " in lines[5]
