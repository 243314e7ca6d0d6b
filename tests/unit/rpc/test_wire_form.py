"""The fields of a message are counted before it is parsed, whatever the bytes are."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2
from hypothesis import given
from hypothesis import strategies as st

from facewire.v1 import face_pb2, gallery_pb2, recognition_pb2
from facewire_server.errors import RequestTooLarge
from facewire_server.rpc.method_rules import MAX_SMALL_BYTES, method_rules
from facewire_server.rpc.services import METHODS
from facewire_server.rpc.wire_form import (
    MAX_FIELDS,
    MAX_TEXT_BYTES,
    MAX_VARINT_BYTES,
    check_form,
)
from fakes.wire import LIMITS

ENROLL = gallery_pb2.EnrollTemplatesRequest
RECOGNIZE = recognition_pb2.RecognizeRequest
UNKNOWN = b"\xf8\x3f\x01"
"""Field 1023, which no message has, a number."""


def tagged(number: int, payload: bytes) -> bytes:
    """A field with a length."""
    return bytes([number << 3 | 2]) + varint(len(payload)) + payload


def varint(number: int) -> bytes:
    """As protobuf writes it: seven bits a byte, the lowest first."""
    data = b""
    while number > 127:
        data, number = data + bytes([number & 127 | 128]), number >> 7
    return data + bytes([number])


def test_the_largest_honest_enrollment_has_room():
    option = face_pb2.DetectionOptions(min_face_px=1, min_score=0.75, max_faces=1)
    raw = face_pb2.Image(
        data=b"x" * 100_000,
        format=face_pb2.IMAGE_FORMAT_RGB8,
        width_px=9,
        height_px=9,
        stride_bytes=9,
    )
    request = ENROLL(
        gallery_id="g", identity_id="i", images=[raw] * 10, detection=option, source="s"
    )
    check_form(request.SerializeToString(), ENROLL.DESCRIPTOR)


@pytest.mark.parametrize(
    ("one_field", "around"),
    [
        (b"\x1a\x00", lambda fields: fields),
        (UNKNOWN, lambda fields: fields),
        (b"\xf9\x3f" + bytes(8), lambda fields: fields),
        (b"\xfd\x3f" + bytes(4), lambda fields: fields),
        (b"\xfb\x3f\xfc\x3f", lambda fields: fields),
        (UNKNOWN, lambda fields: tagged(3, fields)),
    ],
    ids=["pictures", "numbers", "fixed64", "fixed32", "groups", "in a picture"],
)
def test_fields_are_counted_up_to_the_most(one_field, around):
    per_field = 2 if one_field[0] == 0xFB else 1
    more = 0 if around(b"x") == b"x" else 1
    check_form(around(one_field * ((MAX_FIELDS - more) // per_field)), ENROLL.DESCRIPTOR)
    with pytest.raises(RequestTooLarge):
        check_form(around(one_field * (MAX_FIELDS // per_field + 1)), ENROLL.DESCRIPTOR)


def test_bytes_of_a_picture_may_look_like_fields_and_a_text_may_not_be_long():
    check_form(
        RECOGNIZE(image=face_pb2.Image(data=UNKNOWN * MAX_FIELDS)).SerializeToString(),
        RECOGNIZE.DESCRIPTOR,
    )
    check_form(tagged(1, b"g" * MAX_TEXT_BYTES), RECOGNIZE.DESCRIPTOR)
    with pytest.raises(RequestTooLarge):
        check_form(tagged(1, b"g" * (MAX_TEXT_BYTES + 1)), RECOGNIZE.DESCRIPTOR)


class CountedBytes(bytes):
    """Counts how often one of its bytes is read."""

    reads = 0

    def __getitem__(self, index: Any) -> Any:
        self.reads += 1
        return super().__getitem__(index)


MOST_READS = (MAX_FIELDS + 1) * 2 * MAX_VARINT_BYTES
"""A tag and a number of each field."""

HEALTH = health_pb2.HealthCheckRequest
NESTED = ENROLL.DESCRIPTOR.fields_by_name["images"].number
PIECES = st.one_of(
    st.binary(min_size=1, max_size=12),
    st.sampled_from([b"\x1a\x00", UNKNOWN, b"\xfb\x3f", b"\xff", b"\x80", b"\x0a\xff"]),
)
RUNS = st.lists(st.tuples(PIECES, st.sampled_from([1, 9, 500, 3_000])), max_size=6)


def joined(runs):
    return b"".join(piece * count for piece, count in runs)


@given(RUNS, st.integers(0, 120))
def test_whatever_the_bytes_are_few_are_read_and_nothing_else_is_raised(runs, depth):
    data = joined(runs)
    for _ in range(depth):
        data = tagged(NESTED, data)
    counted = CountedBytes(data)
    try:
        check_form(counted, ENROLL.DESCRIPTOR)
    except RequestTooLarge:
        assert len(data) > MAX_FIELDS, "a field has at least one byte"
    assert counted.reads <= MOST_READS


FIELDS = st.sampled_from(
    [b"\x1a\x00", UNKNOWN, tagged(NESTED, b"\x0a\x01x"), tagged(1, b"gallery")]
)


@given(st.lists(st.tuples(FIELDS, st.sampled_from([1, 100, 255, 256, 512])), max_size=8))
def test_what_is_refused_by_its_form_would_have_been_parsed(runs):
    """So the count of fields is protobuf's: nothing is refused that the parser refuses anyway."""
    data = joined(runs)
    fields = sum(
        count * (2 if piece == tagged(NESTED, b"\x0a\x01x") else 1) for piece, count in runs
    )
    ENROLL.FromString(data)
    if fields > MAX_FIELDS:
        with pytest.raises(RequestTooLarge):
            check_form(data, ENROLL.DESCRIPTOR)
    else:
        check_form(data, ENROLL.DESCRIPTOR)


@pytest.mark.parametrize(
    ("message", "head", "size"),
    [
        (HEALTH, b"", 1 << 16),
        (HEALTH, b"\x0a", 1 << 16),
        (HEALTH, b"\x08", 1 << 16),
        (RECOGNIZE, b"", 1 << 24),
        (RECOGNIZE, b"\x12", 1 << 24),
        (RECOGNIZE, b"\x18", 1 << 24),
    ],
    ids=["tag", "length", "number", "large tag", "large length", "large number"],
)
def test_a_number_without_an_end_is_read_for_ten_bytes(message, head, size):
    data = CountedBytes(head + b"\xff" * (size - len(head)))
    check_form(data, message.DESCRIPTOR)
    assert data.reads <= len(head) + MAX_VARINT_BYTES
    with pytest.raises(DecodeError):
        message.FromString(bytes(data))


@pytest.mark.parametrize("number", [0, 1, 127, 128, 1 << 31, (1 << 64) - 1])
def test_the_longest_number_is_a_number(number):
    """A field follows it, which is counted."""
    long = b"\x78" + varint(number)
    assert len(varint((1 << 64) - 1)) == MAX_VARINT_BYTES
    with pytest.raises(RequestTooLarge):
        check_form(long * (MAX_FIELDS + 1), ENROLL.DESCRIPTOR)


@pytest.mark.parametrize("path", METHODS)
def test_only_a_small_request_has_numbers_that_are_not_counted(path):
    """A packed field is one field however many numbers it has, so no large message may have one."""
    packed = [field.name for field in packed_fields(METHODS[path].input_type)]
    expected = {"ImportGallery": ["faults", "faults"], "WatchTracks": ["states"]}
    assert packed == expected.get(path.rsplit("/", 1)[1], [])
    assert not packed or method_rules(LIMITS)[path].max_bytes == MAX_SMALL_BYTES


def packed_fields(message: Any, above: tuple[Any, ...] = ()) -> Iterator[Any]:
    for field in message.fields:
        if field.message_type is not None and field.message_type not in above:
            yield from packed_fields(field.message_type, (*above, message))
        elif field.is_packed:
            yield field


@pytest.mark.parametrize(
    "cut_short", [b"\x1a", b"\x1a\xff", b"\x1a\x05\x0a", b"\xf9\x3f\x00", b"\x07"]
)
def test_what_is_no_message_is_left_to_the_parser(cut_short):
    check_form(cut_short, ENROLL.DESCRIPTOR)
    with pytest.raises(DecodeError):
        ENROLL.FromString(cut_short)
