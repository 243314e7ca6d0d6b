"""The server as the real grpcurl sees it: no stubs of ours, nothing but the wire and reflection."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import facewire
from facewire.v1 import gallery_pb2, recognition_pb2
from harness.running import RunningServer
from integration.grpcurl import PROGRAM, call, grpcurl, parsed

RECOGNITION = "facewire.v1.RecognitionService"
GALLERIES = "facewire.v1.GalleryService"
SERVICES = {
    name: file.DESCRIPTOR.services_by_name[name.rpartition(".")[2]]
    for name, file in ((RECOGNITION, recognition_pb2), (GALLERIES, gallery_pb2))
}
INVALID_ARGUMENT, NOT_FOUND, FAILED_PRECONDITION, UNAUTHENTICATED = 64 + 3, 64 + 5, 64 + 9, 64 + 16


def picture(rgb: NDArray[np.uint8]) -> dict[str, str]:
    done, data = cv2.imencode(".jpg", rgb[..., ::-1])
    assert done
    return {"data": base64.b64encode(data.tobytes()).decode()}


@pytest.fixture(scope="module")
def face(astronaut: NDArray[np.uint8]) -> dict[str, str]:
    return picture(astronaut)


@pytest.fixture
def enrolled(server: RunningServer, gallery: str, face: dict[str, str]) -> str:
    """A template of "ada" in the test's gallery."""
    request = {"gallery_id": gallery, "identity_id": "ada", "create_identity": True}
    answer = call(server.address, f"{GALLERIES}/EnrollTemplates", {**request, "images": [face]})
    (result,) = answer.only["results"]
    template_id = result["template_id"]
    assert isinstance(template_id, str)
    return template_id


def test_reflection_lists_every_method(server: RunningServer) -> None:
    listed = grpcurl("-plaintext", server.address, "list").stdout.split()
    assert {RECOGNITION, GALLERIES, "grpc.health.v1.Health"} <= set(listed)
    for name, service in SERVICES.items():
        methods = grpcurl("-plaintext", server.address, "list", name).stdout.split()
        assert methods == sorted(f"{name}.{method.name}" for method in service.methods)


def test_reflection_describes_every_message(server: RunningServer) -> None:
    messages = [
        message.full_name
        for service in SERVICES.values()
        for method in service.methods
        for message in (method.input_type, method.output_type)
    ]
    described = "".join(
        grpcurl("-plaintext", server.address, "describe", service).stdout for service in SERVICES
    )
    for message in messages:
        assert f".{message}" in described
    done = grpcurl("-plaintext", server.address, "describe", "facewire.v1.Decision")
    for field in ("identity_id", "similarity", "threshold", "gallery_revision"):
        assert field in done.stdout


@pytest.mark.parametrize("service", ["", RECOGNITION, GALLERIES])
def test_health_is_serving(server: RunningServer, service: str) -> None:
    answer = call(server.address, "grpc.health.v1.Health/Check", {"service": service})
    assert answer.only == {"status": "SERVING"}


def test_a_gallery_from_its_making_to_its_end(server: RunningServer) -> None:
    def ask(method: str, **request: str) -> dict[str, Any]:
        return call(server.address, f"{GALLERIES}/{method}", request).only

    made = ask("CreateGallery", gallery_id="shell", display_name="From the shell")["gallery"]
    assert made["display_name"] == "From the shell"
    assert len(made["model_contract_id"]) == 64
    assert ask("GetGallery", gallery_id="shell")["gallery"] == made
    listed = ask("ListGalleries")["galleries"]
    assert {"default", "shell"} <= {gallery["gallery_id"] for gallery in listed}
    ask("DeleteGallery", gallery_id="shell")
    gone = call(server.address, f"{GALLERIES}/GetGallery", {"gallery_id": "shell"})
    assert gone.status == NOT_FOUND


def test_an_identity_from_its_making_to_its_end(server: RunningServer, gallery: str) -> None:
    def ask(method: str, **request: str) -> dict[str, Any]:
        message = {"gallery_id": gallery, **request}
        return call(server.address, f"{GALLERIES}/{method}", message).only

    made = ask("CreateIdentity", identity_id="ada")
    assert made["identity"]["display_name"] == "ada"
    renamed = ask("UpdateIdentity", identity_id="ada", display_name="Ada Lovelace")
    assert int(renamed["revision"]) > int(made["revision"])
    found = ask("GetIdentity", identity_id="ada")["identity"]
    assert found["display_name"] == "Ada Lovelace"
    assert ask("ListIdentities")["identities"] == [found]
    ask("DeleteIdentity", identity_id="ada")
    assert ask("ListIdentities") == {}


def test_templates_are_enrolled_listed_and_deleted(
    server: RunningServer, gallery: str, enrolled: str
) -> None:
    def ask(method: str, **request: str) -> dict[str, Any]:
        message = {"gallery_id": gallery, **request}
        return call(server.address, f"{GALLERIES}/{method}", message).only

    (template,) = ask("ListTemplates", identity_id="ada")["templates"]
    assert template["template_id"] == enrolled
    ask("DeleteTemplate", template_id=enrolled)
    assert ask("ListTemplates", identity_id="ada") == {}


def test_an_identity_is_split_and_merged(
    server: RunningServer, gallery: str, enrolled: str
) -> None:
    def ask(method: str, **request: Any) -> dict[str, Any]:
        message = {"gallery_id": gallery, **request}
        return call(server.address, f"{GALLERIES}/{method}", message).only

    split = ask("SplitIdentity", identity_id="ada", template_ids=[enrolled], new_identity_id="bo")
    assert split["identity"]["template_count"] == 1
    merged = ask("MergeIdentities", identity_id="ada", merged_identity_id="bo")
    assert (merged["identity"]["identity_id"], merged["moved_template_count"]) == ("ada", 1)
    (template,) = ask("ListTemplates", identity_id="ada")["templates"]
    assert template["template_id"] == enrolled


@pytest.mark.usefixtures("enrolled")
def test_a_negative_example_is_added_listed_and_deleted(
    server: RunningServer, gallery: str, face: dict[str, str]
) -> None:
    def ask(method: str, **request: Any) -> dict[str, Any]:
        message = {"gallery_id": gallery, **request}
        return call(server.address, f"{GALLERIES}/{method}", message).only

    added = ask("AddNegativeExample", identity_id="ada", image=face, source="door")
    assert added["similarity"] > 0.99 > added["threshold"]
    (listed,) = ask("ListNegativeExamples", identity_id="ada")["negative_examples"]
    assert listed == added["negative_example"]
    recognized = call(
        server.address,
        f"{RECOGNITION}/Recognize",
        {"gallery_id": gallery, "image": face, "explain": True, "max_candidates": 1},
    ).only
    ((found),) = recognized["faces"]
    candidate = found["decision"]["candidates"][0]
    assert candidate["negative_example_similarity"] > 0.99
    ask("DeleteNegativeExample", negative_example_id=listed["negative_example_id"])
    assert ask("ListNegativeExamples", identity_id="ada") == {}


def test_what_was_deleted_is_purged(server: RunningServer, gallery: str, enrolled: str) -> None:
    request = {"gallery_id": gallery, "template_id": enrolled}
    call(server.address, f"{GALLERIES}/DeleteTemplate", request)
    call(server.address, f"{GALLERIES}/PurgeDeleted", {})
    found = call(server.address, f"{GALLERIES}/GetGallery", {"gallery_id": gallery}).only
    assert "pending_purge_count" not in found["gallery"], "0 is not printed"


def test_a_picture_is_recognized(
    server: RunningServer, gallery: str, enrolled: str, face: dict[str, str]
) -> None:
    request = {"gallery_id": gallery, "image": face, "max_candidates": 1, "explain": True}
    answer = call(server.address, f"{RECOGNITION}/Recognize", request).only
    (found,) = answer["faces"]
    assert found["decision"]["outcome"] == "OUTCOME_KNOWN"
    assert found["decision"]["identity_id"] == "ada"
    assert found["decision"]["template_id"] == enrolled
    assert found["decision"]["candidates"][0]["identity_id"] == "ada"
    judgment = found["decision"]["judgment"]
    assert judgment["deciding_rule"] == "DECIDING_RULE_ALONE_ABOVE_THRESHOLD"
    assert judgment["template_ids"] == [enrolled]
    assert judgment["threshold_rule"]["identity_count"] == "1"


def test_two_pictures_are_compared(server: RunningServer, face: dict[str, str]) -> None:
    request = {"first": face, "second": face}
    answer = call(server.address, f"{RECOGNITION}/Compare", request).only
    assert answer["outcome"] == "COMPARE_OUTCOME_SAME"
    assert answer["similarity"] > 0.99


@pytest.mark.usefixtures("enrolled")
def test_a_stream_from_a_file_accounts_for_every_frame_in_order(
    server: RunningServer, gallery: str, face: dict[str, str], tmp_path: Path
) -> None:
    config = {"gallery_id": gallery, "frame_policy": "FRAME_POLICY_EVERY_FRAME"}
    damaged = {"data": base64.b64encode(b"no picture").decode()}
    frames = [
        {"frame": {"sequence": number, "image": damaged if number == 30 else face}}
        for number in (10, 20, 30, 40, 50, 60)
    ]
    file = tmp_path / "frames.json"
    file.write_text("\n".join(json.dumps(message) for message in [{"config": config}, *frames]))
    with file.open() as messages:
        done = subprocess.run(
            [
                PROGRAM,
                *("-plaintext", "-d", "@", server.address, f"{RECOGNITION}/StreamRecognize"),
            ],
            stdin=messages,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stderr
    first, *others = parsed(done.stdout)
    assert first["started"]["max_in_flight"] >= 1
    results = [message["frame"] for message in others if "frame" in message]
    assert not [message for message in others if "skipped" in message]
    assert [int(result["sequence"]) for result in results] == [10, 20, 30, 40, 50, 60]
    for result in results:
        if result["sequence"] == "30":
            assert result["status"] == "FRAME_STATUS_INVALID"
            assert result["reason"] == "ERROR_REASON_IMAGE_UNDECODABLE"
        else:
            (found,) = result["faces"]
            assert found["decision"]["identity_id"] == "ada"


def test_an_export_is_imported_unchanged(
    server: RunningServer, client: facewire.Client, gallery: str, enrolled: str
) -> None:
    export = call(server.address, f"{GALLERIES}/ExportGallery", {"gallery_id": gallery})
    assert export.status == 0, export.error
    copy = client.create_gallery(f"{gallery}-copy").gallery_id
    first, *others = export.messages
    messages = [{"gallery_id": copy, **first}, *others]
    counts = call(server.address, f"{GALLERIES}/ImportGallery", *messages).only
    assert (counts["identities_added"], counts["templates_added"]) == ("1", "1")
    (template,) = client.templates("ada", gallery=copy)
    assert template.template_id == enrolled


def test_every_method_is_called_here() -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    for service in SERVICES.values():
        for method in service.methods:
            called = f'/{method.name}"' in source or f'ask("{method.name}"' in source
            assert called, f"{method.full_name} is not called by grpcurl"


def test_a_server_says_what_it_is_and_allows(
    server: RunningServer, client: facewire.Client
) -> None:
    told = call(server.address, f"{RECOGNITION}/GetServerInfo", {}).only
    info = client.server_info()
    assert told["model_contract_id"] == info.model_contract_id
    assert told["limits"]["max_frame_bytes"] == info.limits.max_frame_bytes
    assert told["absent_features"] == [feature.wire_name for feature in info.absent_features]


def test_a_template_is_read_by_its_id_and_a_gallery_is_examined(
    server: RunningServer, gallery: str, enrolled: str, face: dict[str, str]
) -> None:
    named = {"gallery_id": gallery, "template_id": enrolled}
    template = call(server.address, f"{GALLERIES}/GetTemplate", named).only["template"]
    assert (template["template_id"], template["identity_id"]) == (enrolled, "ada")
    again = {"gallery_id": gallery, "identity_id": "bo", "create_identity": True, "images": [face]}
    assert call(server.address, f"{GALLERIES}/EnrollTemplates", again).status == 0
    asked = {"gallery_id": gallery, "max_findings": 1}
    checkup = call(server.address, f"{GALLERIES}/CheckGallery", asked).only
    doubles, *_ = checkup["findings"]
    assert (doubles["kind"], doubles["total_count"]) == ("FINDING_KIND_PROBABLE_DOUBLE", "1")
    (double,) = doubles["listed"]
    assert [one["identity_id"] for one in double["people"]] == ["ada", "bo"]


def test_the_feed_of_tracks_ends_after_what_is_kept(server: RunningServer) -> None:
    answer = call(
        server.address, f"{RECOGNITION}/WatchTracks", {"after_event": 1, "kept_only": True}
    )
    assert answer.status == 0


def test_no_picture_of_a_track_is_kept_by_default(server: RunningServer) -> None:
    answer = call(server.address, f"{RECOGNITION}/GetTrackCrop", {"track_id": 1})
    assert answer.status == FAILED_PRECONDITION
    assert answer.details["ErrorInfo"]["reason"] == "CROPS_NOT_KEPT"


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        (f"{GALLERIES}/ListUnknownPeople", {}),
        (f"{GALLERIES}/GetUnknownPictures", {"unknown_id": 1}),
        (f"{GALLERIES}/EnrollUnknown", {"unknown_id": 1, "identity_id": "ada"}),
        (f"{GALLERIES}/ForgetUnknown", {"all": True}),
    ],
)
def test_no_unknown_person_is_kept_by_default(
    server: RunningServer, method: str, request_: dict[str, object]
) -> None:
    answer = call(server.address, method, request_)
    assert answer.status == FAILED_PRECONDITION
    assert answer.details["ErrorInfo"]["reason"] == "UNKNOWN_PEOPLE_NOT_KEPT"


def test_an_error_comes_with_its_details_decoded(
    server: RunningServer, astronaut: NDArray[np.uint8], face: dict[str, str]
) -> None:
    nobody = picture(np.ascontiguousarray(astronaut[300:400, :60]))
    request = {"first": nobody, "second": face}
    answer = call(server.address, f"{RECOGNITION}/Compare", request)
    assert answer.status == INVALID_ARGUMENT
    info, bad_request = answer.details["ErrorInfo"], answer.details["BadRequest"]
    assert (info["domain"], info["reason"]) == ("facewire", "NO_FACE")
    assert bad_request["field_violations"][0]["field"] == "first"


def test_what_is_no_json_of_the_contract_is_told_before_it_is_sent(server: RunningServer) -> None:
    answer = call(server.address, f"{RECOGNITION}/Recognize", {"picture": "?"})
    assert answer.status != 0
    assert "no known field named picture" in answer.error


def test_a_token_is_asked_for_and_taken_over_tls(
    secured: RunningServer, certificate: tuple[Path, Path]
) -> None:
    trust = ("-cacert", str(certificate[0]))
    method = f"{GALLERIES}/ListGalleries"
    # Without the token not even reflection answers, so the contract comes from its files.
    protos = str(Path(__file__).parents[2] / "protos")
    files = ("-import-path", protos, "-proto", "facewire/v1/gallery.proto")
    without = call(secured.address, method, {}, flags=(*trust, *files))
    assert without.status == UNAUTHENTICATED
    assert "a bearer token is required" in without.error
    token = ("-H", "authorization: Bearer s3cret-0123456789")
    answer = call(secured.address, method, {}, flags=(*trust, *token))
    assert answer.only["galleries"][0]["gallery_id"] == "default"
    assert (
        call(
            secured.address, method, {}, flags=("-plaintext", "-connect-timeout", "2", *token)
        ).status
        != 0
    )
