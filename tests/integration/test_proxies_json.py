"""JSON and gRPC-Web through the real Envoy, with the configuration that is shipped."""

import base64
import contextlib
import http.client
import ipaddress
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facewire.v1 import recognition_pb2
from harness.proxied import TOKEN, Proxied, proxied
from harness.proxies import is_installed

RECOGNIZE = "/facewire.v1.RecognitionService/Recognize"
SERVER_INFO = "/facewire.v1.RecognitionService/GetServerInfo"
JSON = {"Content-Type": "application/json"}
MB = 1 << 20


@pytest.fixture(scope="module")
def portrait(astronaut: NDArray[np.uint8]) -> bytes:
    picture = np.ascontiguousarray(astronaut[:256, 96:352, ::-1])
    return cv2.imencode(".jpg", picture)[1].tobytes()


@pytest.fixture(scope="module")
def envoy(models: Path, certificate: tuple[Path, Path], portrait: bytes) -> Iterator[Proxied]:
    if not is_installed("envoy"):
        pytest.skip("needs the package of envoy, which requirements/dev.txt pins")
    with proxied("envoy", certificate) as running:
        with running.client() as client:
            client.enroll("ada", [portrait])
        yield running


def test_json_goes_through_envoy(envoy: Proxied, portrait: bytes) -> None:
    image = {"image": {"data": base64.b64encode(portrait).decode()}}
    status, answer = posted(envoy, RECOGNIZE, image)
    assert status == 200
    (face,) = answer["faces"]
    assert face["decision"]["identityId"] == "ada"
    assert face["decision"]["outcome"] == "OUTCOME_KNOWN"


def test_an_error_in_json_is_that_of_the_page(
    envoy: Proxied, portrait: bytes, repository: Path
) -> None:
    image = {"data": base64.b64encode(portrait).decode()}
    status, answer = posted(envoy, RECOGNIZE, {"image": image, "gallery_id": "nowhere"})
    page = (repository / "docs/proxies.md").read_text(encoding="utf-8")
    assert (status, answer) == (404, json.loads(page.split("```json\n")[1].split("```")[0]))


def test_an_error_in_json_names_the_field(envoy: Proxied) -> None:
    status, answer = posted(envoy, RECOGNIZE, {"image": {"data": ""}})
    assert status == 400
    fields = [
        violation["field"]
        for one in answer["details"]
        for violation in one.get("fieldViolations", ())
    ]
    assert fields == ["image"]
    assert posted(envoy, SERVER_INFO, {}, token="another-0123456789")[0] == 401
    assert requested(envoy, "/facewire.v1.RecognitionService/Nothing", b"{}", JSON)[0] == 404


def test_a_picture_of_several_megabytes_goes_through_envoy_as_json(envoy: Proxied) -> None:
    """More than Envoy buffers."""
    noise = np.random.default_rng(0).integers(0, 256, (1200, 1600, 3), np.uint8)
    file = cv2.imencode(".png", noise)[1].tobytes()
    assert len(file) > 4 * MB
    status, answer = posted(envoy, RECOGNIZE, {"image": {"data": base64.b64encode(file).decode()}})
    assert (status, answer.get("faces", [])) == (200, []), answer


def test_grpc_web_goes_through_envoy(envoy: Proxied) -> None:
    status, _, body = requested(
        envoy, SERVER_INFO, grpc_web_frame(b""), {"Content-Type": "application/grpc-web+proto"}
    )
    assert status == 200
    (kind, message), (last_kind, trailers) = grpc_web_frames(body)
    assert (kind, last_kind) == (0, 0x80)
    info = recognition_pb2.GetServerInfoResponse.FromString(message)
    assert info.limits.max_frame_bytes
    assert b"grpc-status:0" in trailers.replace(b" ", b"")


def test_a_page_from_a_named_origin_may_call_and_another_may_not(envoy: Proxied) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    allowed = []
    for origin in ("https://console.example.org", "https://elsewhere.example"):
        _, headers, _ = requested(
            envoy, SERVER_INFO, b"", {"Origin": origin, **asked}, method="OPTIONS"
        )
        allowed.append(headers.get("access-control-allow-origin"))
    assert allowed == ["https://console.example.org", None]


def test_a_client_cannot_choose_its_address(envoy: Proxied) -> None:
    """Envoy writes the address that it sees after it, and so does nginx in its place."""
    forged = {"X-Forwarded-For": "192.0.2.99", **JSON}
    body = json.dumps({"gallery_id": "forged"}).encode()
    status, _, _ = requested(envoy, "/facewire.v1.GalleryService/CreateGallery", body, forged)
    assert status == 200
    (entry,) = [
        json.loads(line)
        for server in envoy.servers
        for line in server.log().splitlines()
        if '"forged"' in line
    ]
    assert ipaddress.ip_address(entry["peer"])
    assert entry["peer"] != "192.0.2.99"


def requested(
    envoy: Proxied,
    path: str,
    body: bytes,
    headers: dict[str, str],
    *,
    method: str = "POST",
    token: str = TOKEN,
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to a plain request of HTTP/1.1."""
    trust = ssl.create_default_context(cafile=str(envoy.certificate))
    connection = http.client.HTTPSConnection(envoy.proxy.address, context=trust, timeout=60)
    with contextlib.closing(connection):
        connection.request(method, path, body, {"Authorization": f"Bearer {token}", **headers})
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()


def posted(envoy: Proxied, path: str, message: Any, token: str = TOKEN) -> tuple[int, Any]:
    """Status and message of the answer to a call in JSON."""
    body = json.dumps(message).encode()
    status, _, answer = requested(envoy, path, body, JSON, token=token)
    return status, json.loads(answer or b"{}")


def grpc_web_frame(message: bytes) -> bytes:
    """One frame: a byte of flags, four of length (github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md)."""
    return bytes(1) + len(message).to_bytes(4, "big") + message


def grpc_web_frames(body: bytes) -> list[tuple[int, bytes]]:
    frames = []
    while body:
        end = 5 + int.from_bytes(body[1:5], "big")
        frames.append((body[0], body[5:end]))
        body = body[end:]
    return frames
