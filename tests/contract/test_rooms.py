"""Who may import whom: the architecture, held by reading every import of every file."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

STANDARD = frozenset(sys.stdlib_module_names)
LINE = "facewire_server.pipeline"

# Room (longest prefix wins): what its files may import besides the standard library.
ROOMS: dict[str, frozenset[str]] = {
    "facewire_server.settings": frozenset(),
    "facewire_server.errors": frozenset(),
    "facewire_server.logs": frozenset(),
    LINE: frozenset(
        {"facewire_server.errors", "numpy", "cv2"}
        | {f"{LINE}.{each}" for each in ("types", "records", "ports")}
    ),
    f"{LINE}.types": frozenset({"numpy"}),
    f"{LINE}.canary": frozenset({"numpy"}),
    f"{LINE}.contract": frozenset(
        {"facewire_server.errors", "numpy", f"{LINE}.canary", f"{LINE}.embed"}
    ),
    f"{LINE}.portrait": frozenset(
        {
            "facewire_server.errors",
            "numpy",
            f"{LINE}.canary",
            f"{LINE}.detect",
            f"{LINE}.types",
        }
    ),
    f"{LINE}.clock": frozenset({f"{LINE}.types"}),
    f"{LINE}.look": frozenset({"facewire_server.errors", "numpy", LINE}),
    f"{LINE}.recognize": frozenset({"facewire_server.errors", "numpy", LINE}),
    f"{LINE}.enroll": frozenset({"facewire_server.errors", "numpy", LINE}),
    "facewire_server.rpc": frozenset(
        {
            "facewire_server.errors",
            "facewire_server.rpc",
            LINE,
            "facewire.v1",
            "google",
            "grpc",
            "grpc_health",
            "grpc_reflection",
            "grpc_status",
            "numpy",  # the embeddings of an export
        }
    ),
    "facewire_server.backends.openvino_engine": frozenset(
        {"facewire_server.errors", f"{LINE}.ports", f"{LINE}.types", "numpy", "openvino"}
    ),
    "facewire_server.backends.tfserving": frozenset(
        {
            "facewire_server.backends.tfserving",
            "facewire_server.errors",
            f"{LINE}.deadline",
            f"{LINE}.proven",
            f"{LINE}.signature",
            "google.protobuf",
            "grpc",
            "numpy",
        }
    ),
    "facewire_server.backends.lmdb_gallery": frozenset(
        {
            "facewire_server.backends.lmdb_gallery",
            "facewire_server.errors",
            f"{LINE}.ids",
            f"{LINE}.ports",
            f"{LINE}.records",
            f"{LINE}.types",
            "google.protobuf",
            "lmdb",
            "numpy",
            "threadpoolctl",
        }
    ),
    "facewire_server.healthcheck": frozenset({"facewire_server.settings", "grpc", "grpc_health"}),
    # Joins the line to its engines, for `app` and the measurements.
    "facewire_server.models": frozenset(
        {"facewire_server.backends", "facewire_server.errors", LINE}
    ),
    "facewire_server.app": frozenset({"facewire_server", "cv2", "grpc"}),
    "facewire_server.__main__": frozenset({"facewire_server"}),
    "facewire": frozenset({"facewire", "grpc", "google.protobuf"}),
    "facewire._pictures": frozenset({"facewire", "numpy"}),
    "examples": frozenset({"facewire"}),
    "facewire.video": frozenset({"facewire", "cv2", "numpy"}),
    "facewire.cli": frozenset({"facewire", "cv2", "grpc", "numpy", "rich", "typer"}),
    "facewire_serving": frozenset({"facewire_serving", "numpy", "onnx", "rich", "tensorflow"}),
    # The local model server.
    "facewire_serving.model_server": frozenset(
        {"facewire_serving", "google.protobuf", "grpc", "tensorflow", "tensorflow_serving"}
    ),
    "facewire_serving.services": frozenset(
        {"facewire_serving", "grpc", "tensorflow", "tensorflow_serving"}
    ),
    "facewire_serving.versions": frozenset(
        {"facewire_serving", "tensorflow", "tensorflow_serving"}
    ),
    "facewire_serving.warm_up": frozenset(
        {"facewire_serving", "numpy", "tensorflow", "tensorflow_serving"}
    ),
    "facewire_serving.engines": frozenset({"numpy", "openvino", "tensorflow"}),
}
# Entered by nobody but themselves: they know everything, so nothing may lean on them.
CLOSED = frozenset({"facewire_server.app", "facewire_server.__main__"})
DOORS = {  # vendor: the places that may import it
    "lmdb": ("facewire_server.backends.lmdb_gallery",),
    "openvino": ("facewire_server.backends.openvino_engine", "facewire_serving.engines"),
    "tensorflow": ("facewire_serving",),
    "tensorflow_serving": ("facewire_serving",),
}


def is_under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def room_of(module: str) -> frozenset[str]:
    rooms = [room for room in ROOMS if is_under(module, room)]
    return ROOMS[max(rooms, key=len)] if rooms else frozenset()


def imports_of(source: str, module: str) -> Iterator[str]:
    """Every module named by an import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = module.split(".")[: -node.level] if node.level else []
            source_module = [*package, *([node.module] if node.module else [])]
            # With the name: `from facewire_server import errors` imports a module by it.
            yield from (".".join([*source_module, alias.name]) for alias in node.names)


def violations(source: str, module: str) -> list[str]:
    allowed = room_of(module)
    return [
        f"{module} imports {name}"
        for name in imports_of(source, module)
        if name.split(".")[0] not in STANDARD
        and not any(is_under(name, prefix) for prefix in allowed)
    ]


def modules(repository: Path) -> dict[str, str]:
    found = {}
    for root in ("server", "clients/python", "serving"):
        for path in sorted((repository / root).rglob("*.py")):
            if "_pb2" in path.name or "build" in path.parts:
                continue
            parts = path.relative_to(repository / root).with_suffix("").parts
            found[".".join(part for part in parts if part != "__init__")] = path.read_text()
    return found


def test_every_file_imports_only_what_its_room_may(repository: Path) -> None:
    found = modules(repository)
    assert len(found) > 30, "the files are not where they are looked for"
    broken = [line for module, source in found.items() for line in violations(source, module)]
    assert not broken, "\n".join(broken)


def test_nothing_leans_on_the_composition_root(repository: Path) -> None:
    for module, source in modules(repository).items():
        if module in CLOSED:
            continue
        for name in imports_of(source, module):
            assert not any(is_under(name, closed) for closed in CLOSED), f"{module} imports {name}"


def test_a_vendor_has_one_door(repository: Path) -> None:
    for module, source in modules(repository).items():
        for name in imports_of(source, module):
            doors = DOORS.get(name.split(".")[0], (module,))
            assert any(is_under(module, door) for door in doors), f"{module} imports {name}"


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("facewire_server.pipeline.align", "import grpc"),
        ("facewire_server.pipeline.align", "from facewire_server.pipeline.embed import Embedder"),
        ("facewire_server.pipeline.align", "def late():\n    import lmdb"),
        ("facewire_server.rpc.session", "from facewire_server.backends import openvino_engine"),
        ("facewire_server.backends.openvino_engine", "import lmdb"),
        ("facewire_server.backends.tfserving.wire", "import tensorflow"),
        ("facewire_server.backends.tfserving.served", "from facewire_server import rpc"),
        ("facewire_server.models", "import grpc"),
        ("facewire_server.errors", "import numpy"),
        ("facewire._client", "import facewire_server"),
        ("facewire_serving.export", "import facewire_server.errors"),
    ],
)
def test_a_planted_violation_is_found(module: str, source: str) -> None:
    assert violations(source, module)
