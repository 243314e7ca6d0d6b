"""Reads the constants of a TensorFlow Lite file (`.tflite`), without TensorFlow.

The file is a FlatBuffer (flatbuffers.dev, "FlatBuffer Internals"). Of its schema (tensorflow/compiler/mlir/lite/schema/schema.fbs) only the
tables and fields are followed that lead from an operator to the constants that it reads.
"""

from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Operator", "OperatorCode", "operators"]

_IDENTIFIER: Final = b"TFL3"

_FLOAT: Final = 0  # TensorType.FLOAT32


class OperatorCode(IntEnum):
    """`BuiltinOperator`, as far as its constants are of use."""

    CONV_2D = 3
    DEPTHWISE_CONV_2D = 4
    FULLY_CONNECTED = 9
    MUL = 18


class Operator(NamedTuple):
    """An operator of the graph.

    Attributes:
        code: number of a `BuiltinOperator`.
        constants: the float32 constants that it reads, in the order of its inputs.
    """

    code: int
    constants: tuple[NDArray[np.float32], ...]


def operators(path: Path) -> list[Operator]:
    """Reads the operators of the only subgraph, in the order in which they run.

    Raises:
        ValueError: the file is no TensorFlow Lite model of one subgraph.
    """
    file = _File(path.read_bytes())
    model = file.root()
    subgraphs = file.tables(model, 2)
    if len(subgraphs) != 1:
        raise ValueError(f"{path.name} has {len(subgraphs)} subgraphs, not one")
    # An older field holds one byte of the code, a newer one all of it: the larger one counts.
    codes = [max(file.byte(one, 0), file.integer(one, 3)) for one in file.tables(model, 1)]
    buffers = file.tables(model, 4)
    constants: dict[int, NDArray[np.float32]] = {}
    for number, tensor in enumerate(file.tables(subgraphs[0], 0)):
        data = file.bytes(buffers[file.integer(tensor, 2)], 0)
        if data and file.byte(tensor, 1) == _FLOAT:
            shape = file.integers(tensor, 0)
            constants[number] = np.frombuffer(data, "<f4").reshape(shape)
    return [
        Operator(
            codes[file.integer(one, 0)],
            tuple(constants[each] for each in file.integers(one, 1) if each in constants),
        )
        for one in file.tables(subgraphs[0], 3)
    ]


class _File:
    """The bytes of a FlatBuffer. Tables are named by their positions, fields by their numbers in the schema."""

    def __init__(self, data: bytes) -> None:
        if data[4:8] != _IDENTIFIER:
            raise ValueError("this is no TensorFlow Lite model")
        self._data = data

    def root(self) -> int:
        return self._number(0, 4)

    def byte(self, table: int, field: int) -> int:
        at = self._field(table, field)
        return self._number(at, 1) if at else 0

    def integer(self, table: int, field: int) -> int:
        at = self._field(table, field)
        return self._number(at, 4) if at else 0

    def integers(self, table: int, field: int) -> list[int]:
        count, start = self._vector(table, field)
        places = range(start, start + 4 * count, 4)
        return [self._number(place, 4, signed=True) for place in places]

    def bytes(self, table: int, field: int) -> bytes:
        count, start = self._vector(table, field)
        return self._data[start : start + count]

    def tables(self, table: int, field: int) -> list[int]:
        count, start = self._vector(table, field)
        places = range(start, start + 4 * count, 4)
        return [place + self._number(place, 4) for place in places]

    def _vector(self, table: int, field: int) -> tuple[int, int]:
        """Returns how many elements a field has, and where they begin; 0, 0 if it is absent."""
        at = self._field(table, field)
        if not at:
            return 0, 0
        start = at + self._number(at, 4)
        return self._number(start, 4), start + 4

    def _field(self, table: int, field: int) -> int:
        """Returns where a field is; 0 if it is absent."""
        fields = table - self._number(table, 4, signed=True)
        place = 4 + 2 * field  # behind the sizes of the list of fields and of the table
        if place >= self._number(fields, 2):
            return 0
        offset = self._number(fields + place, 2)
        return table + offset if offset else 0

    def _number(self, at: int, size: int, *, signed: bool = False) -> int:
        return int.from_bytes(self._data[at : at + size], "little", signed=signed)
