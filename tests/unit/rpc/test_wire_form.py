"""The fields of a message are counted before it is parsed, whatever the bytes are."""

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from facewire.v1 import face_pb2, gallery_pb2, recognition_pb2
from facewire_server.errors import RequestTooLarge
from facewire_server.rpc.wire_form import MAX_FIELDS, MAX_TEXT_BYTES, check_form

ENROLL = gallery_pb2.EnrollTemplatesRequest
RECOGNIZE = recognition_pb2.RecognizeRequest
UNKNOWN = b"\xf8\x3f\x01"
"""Field 1023, which no message has, a number."""


def tagged(number: int, payload: bytes) -> bytes:
    """A field with a length."""
    length, size = b"", len(payload)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + payload


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


@given(st.binary(max_size=200))
def test_what_is_short_is_never_refused_here_and_never_fails(data):
    check_form(data, ENROLL.DESCRIPTOR)


@given(st.lists(st.sampled_from([b"\x1a\x00", UNKNOWN, tagged(3, b"\x0a\x01x")]), max_size=20))
def test_what_is_refused_by_its_form_would_have_been_parsed(parts):
    """So the count of fields is protobuf's: nothing is refused that the parser refuses anyway."""
    data = b"".join(parts)
    check_form(data, ENROLL.DESCRIPTOR)
    ENROLL.FromString(data)


@pytest.mark.parametrize(
    "cut_short", [b"\x1a", b"\x1a\xff", b"\x1a\x05\x0a", b"\xf9\x3f\x00", b"\x07"]
)
def test_what_is_no_message_is_left_to_the_parser(cut_short):
    check_form(cut_short, ENROLL.DESCRIPTOR)
    with pytest.raises(DecodeError):
        ENROLL.FromString(cut_short)
