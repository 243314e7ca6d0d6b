"""The calls of old cameras: their JSON, their answers, marked as deprecated."""

import base64
import shlex
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from console.described import checked
from facewire import ImageFormat
from facewire_console.ancestor.pixels import MAX_BASE64_BYTES, NotAPicture, picture_of
from harness.console_running import RunningConsole, running_console

OLD = "/sanushost/api/v1.0/"


def text_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def call(console: RunningConsole, name: str, gallery: str, **fields: Any) -> Any:
    answer = console.send("POST", f"{OLD}{name}?gallery={gallery}", content=fields)
    assert answer.status == 200, answer.body
    assert answer.headers["deprecation"].startswith("@")
    return checked(answer, "POST", f"{OLD}{name}")


@pytest.fixture(scope="module")
def face(astronaut) -> np.ndarray:
    return np.ascontiguousarray(astronaut[:256, 96:352])


@pytest.mark.parametrize("kind", ["float64", "uint8", "jpeg", "list"])
def test_a_person_is_added_enters_and_is_removed(console, gallery, face, portrait, kind) -> None:
    image: Any = {
        "float64": text_of(face.astype(np.float64).tobytes()),
        "uint8": text_of(face.tobytes()),
        "jpeg": text_of(portrait),
        "list": [text_of(portrait)],
    }[kind]
    sent = {"Image": image, "Shape": str(face.shape)}
    seen = {**sent, "NodeID": "D1", "Timestamp": 1543000000.5}
    assert call(console, "entry_img", gallery, **seen) == {"Face": 1, "Result": []}
    assert call(console, "add_face", gallery, ID="klaus", **sent) == {"Status": "success"}
    assert call(console, "entry_img", gallery, **seen) == {"Face": 1, "Result": [["klaus", 0]]}
    updated = {"Face": 1, "Result": "updated"}
    assert call(console, "sanitizer_img", gallery, **seen) == updated
    assert call(console, "entry_img", gallery, **seen) == {"Face": 1, "Result": [["klaus", 1]]}
    assert call(console, "remove_face", gallery, ID="klaus") == {"Status": "success"}
    assert call(console, "remove_face", gallery, ID="klaus") == {"Status": "failed"}


def test_a_picture_without_a_face(console, gallery, gray) -> None:
    sent = {"Image": text_of(gray), "Shape": "(240, 320, 3)"}
    nothing = {"Face": 0, "Result": None}
    assert call(console, "add_face", gallery, ID="x", **sent) == {"Status": "no face"}
    assert call(console, "sanitizer_img", gallery, **sent) == nothing
    assert call(console, "entry_img", gallery, **sent) == nothing


def stated_flags(repository: Path) -> dict[str, str]:
    """The flags of the command that console.md gives for a network of old cameras."""
    page = (repository / "docs" / "console.md").read_text().replace("\\\n", " ")
    (command,) = (
        line for line in page.splitlines() if line.endswith("--old-cameras-without-login")
    )
    _, *words = shlex.split(command)
    return {
        flag.removeprefix("--"): "true" if after.startswith("--") else after
        for flag, after in pairwise([*words, "--"])
        if flag.startswith("--")
    }


def test_old_cameras_and_boards_reach_the_console_that_the_page_starts(
    server, repository, tmp_path, portrait
) -> None:
    flags = stated_flags(repository)
    token = tmp_path / flags.pop("login-token-file")
    token.write_text("0123456789abcdef0123456789abcdef\n")
    here = {"Host": f"{flags['allowed-hosts']}:5000"}
    known = {**here, "Authorization": f"Bearer {token.read_text().strip()}"}
    sent = {"Image": text_of(portrait), "Shape": "(256, 256, 3)"}
    with running_console(server.address, login_token_file=token, **flags) as console:

        def status(path: str, headers: dict[str, str], **fields: Any) -> int:
            return console.send("POST", path, content=fields, headers=headers).status

        for name in ("entry_img", "sanitizer_img"):
            assert status(OLD + name, here, **sent) == 200
        for headers, expected in ((here, 401), (known, 200)):
            assert status(f"{OLD}add_face", headers, ID="klaus", **sent) == expected
            assert status(f"{OLD}remove_face", headers, ID="klaus") == expected
            posted = console.send("POST", "/v1/frames/door", portrait, headers=headers)
            assert posted.status == expected
        assert status(f"{OLD}entry_img", {"Host": "192.168.1.11:5000"}, **sent) == 421


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"Image": 5}', b'{"Image": "!", "Shape": "(1, 1, 3)"}', b"[" * 100_000],
)
def test_what_is_no_picture_is_refused(console, body) -> None:
    answer = console.send("POST", f"{OLD}entry_img", body)
    assert (answer.status, answer.reason) == (400, "BAD_REQUEST")


def test_a_deprecated_call_is_logged_once(console, gallery) -> None:
    for _ in range(2):
        call(console, "remove_face", gallery, ID="x")
    assert console.log().count("an old camera calls") == 1


def test_a_body_above_the_largest_picture_is_refused(console) -> None:
    answer = console.send(
        "POST", f"{OLD}entry_img", b"", headers={"Content-Length": str(MAX_BASE64_BYTES * 2)}
    )
    assert answer.status == 413


def test_pixels_are_read_exactly() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(8, 32)
    gray = picture_of(text_of(values.astype(np.float64).tobytes()), "(8, 32)")
    assert (gray.format, gray.width_px, gray.height_px) == (ImageFormat.GRAY8, 32, 8)
    assert gray.data == values.tobytes()
    rgb = picture_of(text_of(values[:, :30].tobytes()), [8, 10, 3])
    assert (rgb.format, rgb.width_px, rgb.height_px) == (ImageFormat.RGB8, 10, 8)


@pytest.mark.parametrize(
    ("image", "shape"),
    [
        (text_of(bytes(12)), "(2, 2, 4)"),
        (text_of(bytes(11)), "(2, 2, 3)"),
        (text_of(np.full(12, 256.0).tobytes()), "(2, 2, 3)"),
        (text_of(np.full(12, -1.0).tobytes()), "(2, 2, 3)"),
        (text_of(np.full(12, np.nan).tobytes()), "(2, 2, 3)"),
        (text_of(np.full(12, np.inf).tobytes()), "(2, 2, 3)"),
        (text_of(bytes(12)), "(99999, 99999, 3)"),
        (text_of(bytes(12)), "__import__('os')"),
        (text_of(bytes(12)), "(2, 2, 3" + ")" * 1000),
        (text_of(bytes(12)), None),
        ([text_of(bytes(12))] * 2, "(2, 2, 3)"),
        (text_of(bytes(0)), "(0, 0, 3)"),
    ],
)
def test_what_does_not_fit_its_shape_is_refused(image, shape) -> None:
    with pytest.raises(NotAPicture):
        picture_of(image, shape)


def test_a_stated_size_costs_no_memory() -> None:
    image = text_of(bytes(1000))
    tracemalloc.start()
    try:
        with pytest.raises(NotAPicture):
            picture_of(image, "(99999, 99999, 3)")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20
