"""A SavedModel without its weights: the committed part, and how the weights are put back.

TensorFlow writes a SavedModel once (`export.py`). `cut` takes the bytes of every constant that is made from weights
out of its files and notes where each stood; `fill` puts the same constants back and needs no TensorFlow. The sha256 of
each whole file is noted, too, and checked, so what `fill` writes is what TensorFlow wrote, byte for byte.

A graph is kept as a ZIP archive, `graphs/<servable>.zip`: the cut files, and `graph.json`, which holds the notes.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["GRAPHS", "CutFile", "Graph", "GraphError"]

GRAPHS: Final = Path(__file__).parent / "graphs"
"""The folder of the committed graphs."""

_NOTES: Final = "graph.json"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Time of each member: the earliest of the format, so that it does not change with the clock."""


class GraphError(Exception):
    """A graph and its constants do not fit each other."""


@dataclass(frozen=True)
class CutFile:
    """One file of a SavedModel, without the constants.

    Attributes:
        content: the bytes that are left.
        cuts: offset in the whole file and name of each constant, in the order of the offsets.
        sha256: of the whole file, hexadecimal.
    """

    content: bytes
    cuts: tuple[tuple[int, str], ...]
    sha256: str


@dataclass(frozen=True)
class Graph:
    """A SavedModel without its weights.

    Attributes:
        tensorflow: version of the TensorFlow that wrote it.
        files: by path inside the version folder.
    """

    tensorflow: str
    files: Mapping[str, CutFile]

    @classmethod
    def cut(cls, directory: Path, constants: Mapping[str, NDArray], tensorflow: str) -> "Graph":
        """Takes the constants out of a SavedModel.

        Args:
            directory: the SavedModel; it is not changed.
            constants: the constants to take out, by name.
            tensorflow: version of the TensorFlow that wrote it.

        Raises:
            GraphError: a constant does not stand in `saved_model.pb` exactly once, as plain bytes.
        """
        return cls(
            tensorflow,
            {
                str(path.relative_to(directory)): _cut(
                    path.read_bytes(), constants if path.name == "saved_model.pb" else {}
                )
                for path in sorted(directory.rglob("*"))
                if path.is_file()
            },
        )

    @classmethod
    def read(cls, path: Path) -> "Graph":
        """Reads the archive that `write` wrote."""
        with zipfile.ZipFile(path) as archive:
            notes = json.loads(archive.read(_NOTES))
            return cls(
                notes["tensorflow"],
                {
                    name: CutFile(archive.read(name), tuple(map(tuple, one["cuts"])), one["sha256"])
                    for name, one in notes["files"].items()
                },
            )

    def write(self, path: Path) -> None:
        """Writes the archive."""
        with zipfile.ZipFile(path, "w") as archive:
            members = {_NOTES: self._notes()}
            members |= {name: file.content for name, file in self.files.items()}
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED, 9)

    def digest(self) -> str:
        """The sha256 of the notes, hence of all files with their constants; hexadecimal."""
        return hashlib.sha256(self._notes()).hexdigest()

    def fill(self, constants: Mapping[str, NDArray], directory: Path) -> None:
        """Writes the SavedModel.

        Args:
            constants: by the names that the graph has cut out; float32.
            directory: the version folder; made if absent.

        Raises:
            GraphError: a constant is missing, or a file is not the one that TensorFlow wrote.
        """
        for name, file in self.files.items():
            target = directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            whole = _filled(name, file, constants)
            found = hashlib.sha256(whole).hexdigest()
            if found != file.sha256:
                raise GraphError(
                    f"{name} is not the file that TensorFlow wrote, and was not kept: the weights have "
                    f"changed and the graph has not (run `make graphs`).\n"
                    f"  expected sha256 {file.sha256}\n  found    sha256 {found}"
                )
            target.write_bytes(whole)

    def _notes(self) -> bytes:
        files = {
            name: {"sha256": file.sha256, "cuts": file.cuts} for name, file in self.files.items()
        }
        notes = {"tensorflow": self.tensorflow, "files": files}
        return (json.dumps(notes, indent=1) + "\n").encode()


def _bytes(constant: NDArray) -> bytes:
    """Returns a constant's bytes as in protobuf's `tensor_content`."""
    return np.ascontiguousarray(constant, "<f4").tobytes()


def _cut(whole: bytes, constants: Mapping[str, NDArray]) -> CutFile:
    spans = []
    for name, constant in constants.items():
        data = _bytes(constant)
        count = whole.count(data)
        if count != 1:
            raise GraphError(f"{name} stands {count} times in the file, not once")
        spans.append((whole.index(data), len(data), name))
    spans.sort()
    pieces, end = [], 0
    for offset, length, name in spans:
        if offset < end:
            raise GraphError(f"{name} overlaps another constant")
        pieces.append(whole[end:offset])
        end = offset + length
    pieces.append(whole[end:])
    cuts = tuple((offset, name) for offset, _, name in spans)
    return CutFile(b"".join(pieces), cuts, hashlib.sha256(whole).hexdigest())


def _filled(path: str, file: CutFile, constants: Mapping[str, NDArray]) -> bytes:
    pieces, written, read = [], 0, 0
    for offset, name in file.cuts:
        if name not in constants:
            raise GraphError(f"{path} asks for the constant {name}, which the weights do not have")
        kept = file.content[read : read + offset - written]
        data = _bytes(constants[name])
        pieces += [kept, data]
        read += len(kept)
        written = offset + len(data)
    pieces.append(file.content[read:])
    return b"".join(pieces)
