"""The messages in C, by nanopb, compiled as for a microcontroller: nothing is lost, and the memory is known."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from facewire.v1 import face_pb2, recognition_pb2
from firmware.nanopb import (
    PROFILES,
    REPOSITORY,
    ROOM,
    built,
    compiled,
    generated,
    missing,
    undefined,
)

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())

VECTORS = sorted((REPOSITORY / "protos" / "testdata").glob("*.binpb"))
PAGE = REPOSITORY / "docs" / "firmware-c.md"
HEAP = {"malloc", "calloc", "realloc", "free", "posix_memalign", "aligned_alloc", "strdup"}
KEPT_FACES = 4
"""`MOST_FACES` of vectors.c."""


class Built:
    """A profile, generated and compiled.

    Attributes:
        objects: what a firmware takes of this project.
        program: `vectors`.
    """

    def __init__(self, profile: str, folder: Path) -> None:
        self.profile, self.folder = profile, folder
        sources = [*generated(PROFILES[profile], folder), ROOM / "facewire_messages.c"]
        self.objects = [compiled(source, folder) for source in sources]
        test = compiled(Path(__file__).with_name("vectors.c"), folder)
        self.program = built(
            [*self.objects, test], folder / "vectors", "-Wl,--wrap=realloc,--wrap=free"
        )

    def again(self, message: Message, extra: bytes = b"") -> tuple[bytes, list[list[str]]]:
        """Lets C read a message and write it; returns its bytes, and what C saw of each face."""
        done = subprocess.run(
            [self.program, message.DESCRIPTOR.name],
            input=message.SerializeToString(deterministic=True) + extra,
            capture_output=True,
            timeout=60,
        )
        said = done.stderr.decode().splitlines()
        assert done.returncode == 0, said[-1:]
        return done.stdout, [line.split("|")[1:] for line in said]


@pytest.fixture(scope="module", params=PROFILES)
def c(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(request.param, tmp_path_factory.mktemp(request.param))


def options(profile: str) -> list[tuple[str, str]]:
    """Pairs of a field or message and its option."""
    texts = [
        (PROFILES[profile] / "facewire" / "v1" / f"{name}.options").read_text()
        for name in ("face", "recognition")
    ]
    return re.findall(r"^(facewire\.v1\.\S+) +(\S+)$", "\n".join(texts), re.MULTILINE)


def without_ignored(message: Message, profile: str) -> Message:
    """Clears the fields that a profile passes over, wherever they are."""
    ignored = {name for name, option in options(profile) if option == "type:FT_IGNORE"}
    for field, value in message.ListFields():
        if field.full_name in ignored:
            message.ClearField(field.name)
        elif field.type == field.TYPE_MESSAGE:
            for each in value if field.is_repeated else [value]:
                without_ignored(each, profile)
    return message


def faces_of(message: Any) -> list[Any]:
    if message.DESCRIPTOR.name == "RecognizeResponse":
        return list(message.faces)
    is_frame = message.DESCRIPTOR.name == "StreamRecognizeResponse"
    return list(message.frame.faces) if is_frame else []


def seen_in(lines: list[list[str]]) -> list[tuple[Any, ...]]:
    return [(name, *map(float, box)) for name, *box in lines]


def truth_of(message: Message) -> list[tuple[Any, ...]]:
    return [
        (face.decision.display_name, face.box.x_px, face.box.y_px, face.box.width_px, face.box.height_px)
        for face in faces_of(message)
    ]  # fmt: skip


def message_of(vector: Path) -> Message:
    kind = getattr(recognition_pb2, vector.name.split(".")[0])
    return kind.FromString(vector.read_bytes())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.stem)
def test_c_reads_each_golden_vector_and_writes_the_same_bytes(c: Built, vector: Path) -> None:
    message = message_of(vector)
    written, faces = c.again(message)
    assert seen_in(faces) == truth_of(message)
    kept = without_ignored(message_of(vector), c.profile)
    assert written == kept.SerializeToString(deterministic=True)
    if c.profile == "full":
        assert written == vector.read_bytes()


def longest() -> tuple[
    recognition_pb2.StreamRecognizeResponse, recognition_pb2.StreamRecognizeResponse
]:
    """A frame and an event of which every text and list is as long as the contract allows."""
    texts: dict[str, Any] = {
        "identity_id": "i" * 128,
        "display_name": "ö" * 128,
        "template_id": "f" * 32,
    }
    candidate = face_pb2.Candidate(similarity=0.5, **texts)
    decision = face_pb2.Decision(
        outcome=face_pb2.OUTCOME_KNOWN, similarity=0.5, candidates=[candidate] * 20,
        ambiguous_between=[candidate] * 2,
        judgment=face_pb2.Judgment(template_ids=["f" * 32] * 20, template_count=25), **texts,
    )  # fmt: skip
    faults = [name for name, number in face_pb2.QualityFault.items() if number]
    one = face_pb2.Face(
        box=face_pb2.Box(width_px=8, height_px=9), decision=decision,
        quality=face_pb2.Quality(faults=faults), track_id=2**53 - 1,
    )  # fmt: skip
    frame = recognition_pb2.FrameResult(sequence=2**64 - 1, detail="d" * 256, faces=[one] * 256)
    event = recognition_pb2.TrackEvent(
        camera_id="c" * 128, gallery_id="g" * 64, previous_identity_id="p" * 128, decision=decision
    )
    response = recognition_pb2.StreamRecognizeResponse
    return response(frame=frame), response(track=event)


def test_what_is_as_long_as_the_contract_allows_is_read(c: Built) -> None:
    frame, event = longest()
    _, faces = c.again(frame)
    assert seen_in(faces) == truth_of(frame)
    assert len(faces) == 256
    written, _ = c.again(event)
    assert written == without_ignored(event, c.profile).SerializeToString(deterministic=True)


def test_a_crowd_of_few_is_written_again_in_order(c: Built) -> None:
    frame, _ = longest()
    del frame.frame.faces[KEPT_FACES:]
    for number, face in enumerate(frame.frame.faces):
        face.box.x_px = number
    written, faces = c.again(frame)
    assert [place[1] for place in seen_in(faces)] == [0, 1, 2, 3]
    assert written == without_ignored(frame, c.profile).SerializeToString(deterministic=True)


def test_what_a_later_server_adds_is_passed_over(c: Built) -> None:
    """A field that is not known, and a value of an enumeration that is not known."""
    frame, _ = longest()
    del frame.frame.faces[1:]
    frame.frame.status = 99  # type: ignore[assignment]  # no value of this contract
    unknown_field = b"\xfa\x3f\x03abc"  # number 1023, a text
    written, faces = c.again(frame, unknown_field)
    assert len(faces) == 1
    assert recognition_pb2.StreamRecognizeResponse.FromString(written).frame.status == 99


def test_a_list_of_fixed_length_has_room_for_every_value_there_is(c: Built) -> None:
    fields: dict[str, FieldDescriptor] = {}
    for file in (face_pb2, recognition_pb2):
        for message in file.DESCRIPTOR.message_types_by_name.values():
            fields |= {field.full_name: field for field in message.fields}
    counts = [
        (name, int(option[10:])) for name, option in options(c.profile) if "max_count:" in option
    ]
    assert counts
    for name, count in counts:
        enum = fields[name].enum_type
        assert enum is None or count > len(enum.values), name


def test_no_text_of_what_a_camera_decodes_is_lost_in_a_callback(c: Built) -> None:
    """nanopb makes a callback of each text without a bound: within the oneof that is a field that is never read."""
    stated = {name for name, _ in options(c.profile)}

    ignored = {name for name, option in options(c.profile) if option == "type:FT_IGNORE"}

    def unbounded(message: Descriptor, path: tuple[str, ...] = ()) -> list[str]:
        found: list[str] = []
        for field in message.fields:
            inner = field.message_type
            if field.full_name in ignored:
                continue
            if inner is not None and inner.name not in path:
                found += unbounded(inner, (*path, message.name))
            is_text = field.type in (field.TYPE_STRING, field.TYPE_BYTES)
            if (is_text or field.is_repeated) and field.full_name not in stated:
                found.append(field.full_name)
        return found

    for name in ("StreamRecognizeRequest", "StreamRecognizeResponse", "GetServerInfoResponse"):
        assert not unbounded(getattr(recognition_pb2, name).DESCRIPTOR), name


def test_no_object_of_ours_asks_for_the_heap(c: Built) -> None:
    for object_file in c.objects:
        assert not undefined(object_file) & HEAP, object_file.name


def test_the_memory_of_each_message_is_what_the_page_says(c: Built) -> None:
    printed = subprocess.run([c.program, "sizes"], stdout=subprocess.PIPE, text=True, check=True)
    sizes = {name: int(size) for name, size in map(str.split, printed.stdout.splitlines())}
    rows = re.findall(
        r"^\| `facewire_v1_(\w+)` \| ([\d,]+) \| ([\d,]+) \|", PAGE.read_text(), re.MULTILINE
    )
    column = {"small": 0, "full": 1}[c.profile]
    stated = {name: int(row[column].replace(",", "")) for name, *row in rows}
    assert sizes == stated


def test_the_code_of_the_page_compiles(c: Built) -> None:
    blocks = re.findall(r"^```c\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert blocks
    for number, block in enumerate(blocks):
        source = c.folder / f"page{number}.c"
        source.write_text(block)
        compiled(source, c.folder)
