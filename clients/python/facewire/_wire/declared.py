"""Messages of other packages that are read here, declared in few lines.

This stays because the packages that have them bound what users may install:
googleapis-common-protos 1.76 takes protobuf from 6.33.5 to below 8, grpcio-health-checking 1.85
nothing older than grpcio 1.85 and protobuf 7.35. Each group lies in its own descriptor pool,
so that these packages may be installed, too.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

__all__ = ["BYTES", "ENUM", "INTEGER", "TEXT", "declare"]

_Field = descriptor_pb2.FieldDescriptorProto
TEXT = _Field.TYPE_STRING
BYTES = _Field.TYPE_BYTES
INTEGER = _Field.TYPE_INT64
"""Types of fields, for `declare`."""

ENUM = _Field.TYPE_INT32
"""Enums are read as their numbers: both have the same bytes."""


def declare(declared: dict[str, list[tuple[str, int, Any]]]) -> dict[str, Any]:
    """Makes message classes.

    Args:
        declared: for each message its fields: name, number, and TEXT, BYTES, INTEGER, ENUM or, for
            fields of a message among these, its name: these are read as repeated.

    Returns:
        The classes by name.
    """
    file = descriptor_pb2.FileDescriptorProto(name="declared", syntax="proto3")
    for name, fields in declared.items():
        message = file.message_type.add(name=name)
        for field_name, number, kind in fields:
            field = message.field.add(name=field_name, number=number)
            if isinstance(kind, str):
                field.type, field.type_name = field.TYPE_MESSAGE, f".{kind}"
                field.label = field.LABEL_REPEATED
            else:
                field.type, field.label = kind, field.LABEL_OPTIONAL
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name)) for name in declared
    }
