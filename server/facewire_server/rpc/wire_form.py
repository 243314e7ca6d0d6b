"""Checks the bytes of a message before protobuf parses them: the number of its fields, and the length of its texts.

Protobuf makes an object of each field. 16 MiB can hold 8 million empty fields: 0.5 GB, and a second in which the event
loop does nothing else. So the fields are counted first, and counting ends at the limit.
"""

from functools import cache
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor

from facewire_server.errors import RequestTooLarge

__all__ = ["MAX_FIELDS", "MAX_TEXT_BYTES", "MAX_VARINT_BYTES", "check_form"]

MAX_FIELDS: Final = 1024
"""Most fields of a message, those of the messages in it included. An enrollment of 10 pictures with every option has
about 100. Chosen, not measured."""

MAX_TEXT_BYTES: Final = 1 << 16
"""Most bytes of a text. The contract's longest has 256; above this limit parsing it would take milliseconds. Chosen,
not measured."""

MAX_VARINT_BYTES: Final = 10
"""Most bytes of a number of 64 bits, seven in each. Protobuf refuses a longer one; reading on would build an integer as long
as the message, in a time that grows with the square of its bytes."""

_VARINT, _FIXED64, _LENGTH, _START_GROUP, _END_GROUP, _FIXED32 = range(6)
"""Wire types (https://protobuf.dev/programming-guides/encoding/#structure)."""

_LENGTHS: Final = {_FIXED64: 8, _FIXED32: 4, _START_GROUP: 0, _END_GROUP: 0}
"""Bytes of a value by its wire type; the fields in a group follow it."""

_MORE_FOLLOWS: Final = 0x80
"""The bit of a varint's byte that says that another one follows; the other seven bits are the number's."""


def check_form(data: bytes, message: Any) -> None:
    """Checks the serialized form of a message; bytes that are not one are left to the parser.

    Args:
        data: the bytes.
        message: descriptor of the message.

    Raises:
        RequestTooLarge: it has more than `MAX_FIELDS` fields, or a text of more than `MAX_TEXT_BYTES`.
    """
    field_count = 0
    parts = [(0, len(data), _known_fields(message))]
    while parts:
        at, end, known = parts.pop()
        while at < end:
            field_count += 1
            if field_count > MAX_FIELDS:
                raise RequestTooLarge(f"the message has more than {MAX_FIELDS} fields")
            tag, at = _varint(data, at, end)
            wire_type = tag & 7
            if wire_type == _VARINT:
                _, at = _varint(data, at, end)
            elif wire_type != _LENGTH:
                at += _LENGTHS.get(wire_type, end)
            else:
                length, at = _varint(data, at, end)
                kind = known.get(tag >> 3)
                if kind is str and MAX_TEXT_BYTES < length <= end - at:
                    raise RequestTooLarge(f"a text has more than {MAX_TEXT_BYTES} bytes")
                if kind is not None and kind is not str:
                    parts.append((at, min(at + length, end), _known_fields(kind)))
                at += length


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Returns a number and where it ends, which is behind `end` if it is cut short or too long."""
    value = shift = 0
    last = min(end, at + MAX_VARINT_BYTES)
    while at < last:
        byte = data[at]
        at += 1
        value |= (byte & ~_MORE_FOLLOWS) << shift
        if not byte & _MORE_FOLLOWS:
            return value, at
        shift += 7
    return 0, end + 1


@cache
def _known_fields(message: Any) -> dict[int, Any]:
    """Returns, by number, a field's message or `str`; other fields are not in it."""
    known: dict[int, Any] = {}
    for field in message.fields:
        if field.message_type is not None:
            known[field.number] = field.message_type
        elif field.type == FieldDescriptor.TYPE_STRING:
            known[field.number] = str
    return known
