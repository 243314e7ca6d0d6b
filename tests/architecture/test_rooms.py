"""Who may import whom: the architecture, held by reading every import of every file."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

STANDARD = frozenset(sys.stdlib_module_names)
SERVER = "facewire_server"
VALUES = frozenset({f"{SERVER}.{each}" for each in ("errors", "thresholds", "types", "events")})
# What the line may know of galleries: what it asks, and the values of questions and results.
GALLERIES = frozenset({f"{SERVER}.galleries.{each}" for each in ("ports", "records", "refusal")})

# Room (longest prefix wins): what its files may import besides the standard library.
# From the bottom up; a room imports only rooms that stand above it in this table.
ROOMS: dict[str, frozenset[str]] = {
    f"{SERVER}.configuration.settings": frozenset(),
    f"{SERVER}.configuration.checks": frozenset({f"{SERVER}.configuration.settings"}),
    f"{SERVER}.configuration.env_file": frozenset({f"{SERVER}.configuration.settings"}),
    f"{SERVER}.configuration.sources": frozenset(
        f"{SERVER}.configuration.{each}" for each in ("checks", "env_file", "settings")
    ),
    f"{SERVER}.host.memory": frozenset(),
    f"{SERVER}.host.open_files": frozenset(),
    f"{SERVER}.host.processors": frozenset(),
    f"{SERVER}.host.signals": frozenset(),
    f"{SERVER}.host.ending": frozenset(),
    f"{SERVER}.host.file_modes": frozenset(),
    f"{SERVER}.host.ports": frozenset(),
    f"{SERVER}.host.overwriting": frozenset(),
    f"{SERVER}.host.disk": frozenset(),
    f"{SERVER}.host.disk_faults": frozenset(),
    f"{SERVER}.host.private_files": frozenset({f"{SERVER}.host.disk"}),
    f"{SERVER}.errors": frozenset(),
    f"{SERVER}.stacks": frozenset(),
    f"{SERVER}.events.operators": frozenset(),
    f"{SERVER}.events": frozenset({f"{SERVER}.errors", f"{SERVER}.events.operators"}),
    f"{SERVER}.logs": frozenset({f"{SERVER}.logs", f"{SERVER}.events", f"{SERVER}.stacks"}),
    f"{SERVER}.thresholds": frozenset({f"{SERVER}.thresholds"}),
    f"{SERVER}.types.pictures": frozenset({"numpy"}),
    f"{SERVER}.types.faces": frozenset({"numpy"}),
    f"{SERVER}.types.decisions": frozenset(
        {"numpy", f"{SERVER}.thresholds", f"{SERVER}.types.faces"}
    ),
    f"{SERVER}.types.comparisons": frozenset({f"{SERVER}.thresholds", f"{SERVER}.types.decisions"}),
    f"{SERVER}.types.judgments": frozenset({f"{SERVER}.thresholds", f"{SERVER}.types.decisions"}),
    f"{SERVER}.types.tracks": frozenset({f"{SERVER}.types.decisions"}),
    f"{SERVER}.types": frozenset(
        f"{SERVER}.types.{each}"
        for each in ("pictures", "faces", "decisions", "comparisons", "tracks")
    ),
    f"{SERVER}.work": frozenset({f"{SERVER}.work", f"{SERVER}.stacks", *VALUES}),
    f"{SERVER}.galleries": frozenset({f"{SERVER}.galleries", "numpy", *VALUES}),
    f"{SERVER}.galleries.examining": frozenset(
        {f"{SERVER}.galleries", f"{SERVER}.work.threads", *VALUES}
    ),
    f"{SERVER}.access": frozenset(
        {
            f"{SERVER}.access",
            f"{SERVER}.errors",
            *(f"{SERVER}.galleries.{each}" for each in ("deletions", "ids")),
            *(f"{SERVER}.host.{each}" for each in ("disk", "disk_faults", "private_files")),
        }
    ),
    f"{SERVER}.access.certificate_expiry": frozenset({"cryptography"}),
    f"{SERVER}.configuration.credentials": frozenset(
        {
            f"{SERVER}.configuration.settings",
            f"{SERVER}.events",
            *(f"{SERVER}.access.{each}" for each in ("token_file", "tokens")),
        }
    ),
    f"{SERVER}.audit_command": frozenset(
        {
            *(f"{SERVER}.{each}" for each in ("access", "configuration.settings", "errors")),
            f"{SERVER}.host.disk_faults",
        }
    ),
    f"{SERVER}.token_command": frozenset(
        {
            *(f"{SERVER}.{each}" for each in ("access", "configuration.settings", "galleries.ids")),
            f"{SERVER}.host.disk_faults",
        }
    ),
    f"{SERVER}.pictures": frozenset({"numpy", "cv2", f"{SERVER}.pictures", *VALUES}),
    f"{SERVER}.pipeline": frozenset(
        {
            "numpy",
            "cv2",
            *(f"{SERVER}.pipeline.{each}" for each in ("ports", "face_outputs")),
            *VALUES,
        }
    ),
    # Its drivers call the steps; no step knows another.
    f"{SERVER}.pipeline.find": frozenset(
        {"numpy", f"{SERVER}.pictures", f"{SERVER}.pipeline", f"{SERVER}.work", *VALUES}
    ),
    f"{SERVER}.pipeline.first_look": frozenset(
        {"numpy", f"{SERVER}.pictures", f"{SERVER}.pipeline", *VALUES}
    ),
    f"{SERVER}.pipeline.frame": frozenset(
        {"numpy", f"{SERVER}.pictures", f"{SERVER}.pipeline", f"{SERVER}.work", *VALUES}
    ),
    f"{SERVER}.pipeline.plan": frozenset(
        {*(f"{SERVER}.pipeline.{each}" for each in ("canvas", "tiles")), *VALUES}
    ),
    f"{SERVER}.pipeline.cut": frozenset(
        {"numpy", *(f"{SERVER}.pipeline.{each}" for each in ("align", "light", "quality")), *VALUES}
    ),
    f"{SERVER}.pipeline.search": frozenset({f"{SERVER}.pipeline", f"{SERVER}.work", *VALUES}),
    f"{SERVER}.pipeline.second_look": frozenset(
        {
            "numpy",
            "cv2",
            f"{SERVER}.work",
            *(f"{SERVER}.pipeline.{each}" for each in ("follow", "merge")),
            *VALUES,
        }
    ),
    f"{SERVER}.pipeline.match": frozenset({"numpy", f"{SERVER}.galleries.records", *VALUES}),
    f"{SERVER}.pipeline.compare": frozenset({f"{SERVER}.pipeline.match", *VALUES}),
    f"{SERVER}.pipeline.similar": frozenset(
        {*VALUES, *(f"{SERVER}.galleries.{each}" for each in ("ids", "records"))}
    ),
    f"{SERVER}.pipeline.recognize": frozenset(
        {"numpy", f"{SERVER}.pipeline", f"{SERVER}.work", *VALUES, *GALLERIES}
    ),
    f"{SERVER}.pipeline.enroll": frozenset(
        {"numpy", f"{SERVER}.pipeline", f"{SERVER}.work", *VALUES, *GALLERIES}
    ),
    f"{SERVER}.pipeline.negative": frozenset(
        {"numpy", f"{SERVER}.pipeline", f"{SERVER}.work", *VALUES, *GALLERIES}
    ),
    f"{SERVER}.pipeline.acquire": frozenset(
        {"numpy", f"{SERVER}.pipeline", f"{SERVER}.work", *VALUES}
    ),
    # Labeled pictures and decisions in, error rates and a report out; `app` brings models and galleries.
    f"{SERVER}.evaluation": frozenset(
        {
            "numpy",
            f"{SERVER}.evaluation",
            *(f"{SERVER}.pipeline.{each}" for each in ("acquire", "gate", "match")),
            *VALUES,
            *GALLERIES,
        }
    ),
    f"{SERVER}.evaluation.portraits": frozenset(
        {"numpy", "cv2", f"{SERVER}.evaluation", f"{SERVER}.pictures", *VALUES}
    ),
    f"{SERVER}.doctor_flags": frozenset(),
    f"{SERVER}.evaluate_flags": frozenset(),
    f"{SERVER}.calibrate_flags": frozenset({f"{SERVER}.evaluate_flags"}),
    f"{SERVER}.proof": frozenset(
        {
            "numpy",
            f"{SERVER}.proof",
            f"{SERVER}.work.deadline",
            *VALUES,
            *(
                f"{SERVER}.pipeline.{each}"
                for each in ("ports", "attacks", "detect", "embed", "follow")
            ),
        }
    ),
    # Pure: frames and detections in, tracks out.
    f"{SERVER}.streams.tracks": frozenset({"numpy", f"{SERVER}.streams.tracks", *VALUES}),
    f"{SERVER}.streams.verdicts": frozenset({"numpy", f"{SERVER}.streams.verdicts", *VALUES}),
    f"{SERVER}.streams.values": VALUES,
    f"{SERVER}.streams.journal": frozenset({f"{SERVER}.streams.journal", *VALUES}),
    f"{SERVER}.streams.unknown": frozenset(
        {
            "numpy",
            *VALUES,
            *(f"{SERVER}.streams.{each}" for each in ("journal", "unknown")),
            *(f"{SERVER}.galleries.{each}" for each in ("ports", "records")),
            f"{SERVER}.pipeline.match",
        }
    ),
    # A stream's own line: it calls the steps for each frame, and keeps what is known between frames.
    f"{SERVER}.streams.camera": frozenset(
        {
            "numpy",
            f"{SERVER}.work",
            *VALUES,
            *(
                f"{SERVER}.streams.{each}"
                for each in ("camera", "journal", "tracks", "unknown", "values", "verdicts")
            ),
            *(f"{SERVER}.galleries.{each}" for each in ("ports", "records")),
            *(
                f"{SERVER}.pipeline.{each}"
                for each in (
                    *("attacks", "embed", "face_gray", "first_look", "frame"),
                    *("gate", "match", "near", "ports", "quality", "surroundings"),
                )
            ),
        }
    ),
    f"{SERVER}.streams": frozenset(
        {
            f"{SERVER}.streams",
            f"{SERVER}.work",
            *VALUES,
            *(f"{SERVER}.galleries.{each}" for each in ("ids", "records")),
            f"{SERVER}.pipeline.canvas",
        }
    ),
    f"{SERVER}.streams.known_references": frozenset(
        {
            *VALUES,
            *(f"{SERVER}.galleries.{each}" for each in ("ports", "records")),
            f"{SERVER}.streams.kept_events",
        }
    ),
    f"{SERVER}.rpc": frozenset(
        {
            f"{SERVER}.rpc",
            f"{SERVER}.host.ports",
            f"{SERVER}.access",
            f"{SERVER}.streams",
            f"{SERVER}.work",
            f"{SERVER}.galleries",
            f"{SERVER}.stacks",
            *VALUES,
            *(f"{SERVER}.pipeline.{each}" for each in ("recognize", "enroll", "negative")),
            "facewire.v1",
            "google",
            "grpc",
            "grpc_health",
            "grpc_reflection",
            "grpc_status",
            "numpy",  # the embeddings of an export
        }
    ),
    "facewire_server.backends.saved_model": frozenset({f"{SERVER}.errors", "google.protobuf"}),
    "facewire_server.backends.compiled_file": frozenset({f"{SERVER}.host.private_files"}),
    "facewire_server.backends.openvino_engine": frozenset(
        {
            f"{SERVER}.backends.compiled_file",
            f"{SERVER}.backends.saved_model",
            f"{SERVER}.pipeline.ports",
            f"{SERVER}.proof.signature",
            *(f"{SERVER}.work.{each}" for each in ("breadth", "spent")),
            "numpy",
            "openvino",
            *VALUES,
        }
    ),
    "facewire_server.backends.dlib_detector": frozenset(
        {
            *(f"{SERVER}.pipeline.{each}" for each in ("follow", "merge", "ports")),
            "dlib",
            "numpy",
            *VALUES,
        }
    ),
    "facewire_server.backends.tfserving": frozenset(
        {
            "facewire_server.backends.tfserving",
            *(f"{SERVER}.proof.{each}" for each in ("served", "signature")),
            f"{SERVER}.work.threads",
            *VALUES,
            "google.protobuf",
            "grpc",
            "numpy",
        }
    ),
    "facewire_server.backends.crop_cipher": frozenset({"cryptography"}),
    "facewire_server.backends.lmdb_storage": frozenset(
        {
            *(f"{SERVER}.host.{each}" for each in ("disk", "overwriting", "private_files")),
            "facewire_server.backends.lmdb_storage",
            f"{SERVER}.galleries.records",
            f"{SERVER}.work.cancellation",
            f"{SERVER}.work.threads",
            *VALUES,
            "google.protobuf",
            "lmdb",
        }
    ),
    "facewire_server.backends.new_vectors": frozenset(
        # The storage locks folders and erases files.
        {
            *("numpy", f"{SERVER}.backends.lmdb_storage"),
            *(f"{SERVER}.host.{each}" for each in ("disk_faults", "private_files")),
        }
    ),
    "facewire_server.backends.lmdb_gallery": frozenset(
        {
            *(f"{SERVER}.host.{each}" for each in ("disk", "private_files")),
            *(f"{SERVER}.backends.{each}" for each in ("crop_cipher", "new_vectors")),
            "facewire_server.backends.lmdb_gallery",
            "facewire_server.backends.lmdb_storage",
            f"{SERVER}.galleries",
            f"{SERVER}.pictures.aligned_crop",
            f"{SERVER}.work.threads",
            *VALUES,
            "google.protobuf",
            "lmdb",
            "numpy",
        }
    ),
    "facewire_server.backends.memory_journal": frozenset(
        {
            *(f"{SERVER}.galleries.{each}" for each in ("ports", "records")),
            *(
                f"{SERVER}.streams.{each}"
                for each in ("journal", "kept_events", "known_references")
            ),
            *(f"{SERVER}.work.{each}" for each in ("condition", "steady_clock")),
            *VALUES,
        }
    ),
    "facewire_server.backends.erasable_files": frozenset(
        f"{SERVER}.host.{each}" for each in ("overwriting", "private_files")
    ),
    "facewire_server.backends.unknown_files": frozenset(
        {
            f"{SERVER}.host.private_files",
            "numpy",
            *(
                f"{SERVER}.backends.{each}"
                for each in (
                    *("crop_cipher", "erasable_files", "unknown_files"),
                    "lmdb_gallery.quality_records",
                )
            ),
            *(f"{SERVER}.streams.{each}" for each in ("journal", "unknown")),
            *VALUES,
            "google.protobuf",
        }
    ),
    "facewire_server.backends.lmdb_journal.soundness": frozenset(
        {
            "facewire_server.backends.lmdb_journal",
            "facewire_server.backends.lmdb_storage",
            f"{SERVER}.errors",
            "lmdb",
        }
    ),
    "facewire_server.backends.lmdb_journal": frozenset(
        {
            f"{SERVER}.host.private_files",
            "facewire_server.backends.lmdb_journal",
            "facewire_server.backends.lmdb_storage",
            *(
                f"{SERVER}.backends.{each}"
                for each in ("erasable_files", "lmdb_gallery.quality_records", "memory_journal")
            ),
            *(f"{SERVER}.galleries.{each}" for each in ("ports", "records")),
            *(
                f"{SERVER}.streams.{each}"
                for each in ("journal", "kept_events", "known_references")
            ),
            *(f"{SERVER}.work.{each}" for each in ("condition", "steady_clock")),
            *VALUES,
            "google.protobuf",
        }
    ),
    # The vector engine knows no store: another one can stand behind the same seam.
    "facewire_server.backends.exact_search": frozenset(
        {
            f"{SERVER}.errors",
            *(f"{SERVER}.galleries.{each}" for each in ("embeddings", "vector_search")),
            "numpy",
            "threadpoolctl",
        }
    ),
    "facewire_server.healthcheck": frozenset(
        {"facewire_server.configuration.settings", "grpc", "grpc_health"}
    ),
    # Joins the line to its engines, for `app` and the measurements.
    "facewire_server.models": frozenset(
        {
            f"{SERVER}.backends",
            f"{SERVER}.pipeline",
            f"{SERVER}.proof",
            f"{SERVER}.work",
            *VALUES,
        }
    ),
    # What an operator sees: it listens to events and reads statistics. Only traces know OpenTelemetry.
    f"{SERVER}.telemetry": frozenset(
        {
            f"{SERVER}.telemetry",
            *VALUES,
            f"{SERVER}.galleries.records",
            f"{SERVER}.proof.opened",
            *(f"{SERVER}.streams.{each}" for each in ("journal", "registry")),
            f"{SERVER}.work.held_bytes",
            f"{SERVER}.work.slots",
            *(
                f"{SERVER}.rpc.{each}"
                for each in ("convert_recognition", "handlers", "services", "status")
            ),
            "facewire.v1",
            "grpc",
            "prometheus_client",
        }
    ),
    f"{SERVER}.telemetry.traces": frozenset(
        {
            f"{SERVER}.telemetry.metrics",
            *VALUES,
            f"{SERVER}.rpc.handlers",
            f"{SERVER}.rpc.services",
            "grpc",
            "opentelemetry",
        }
    ),
    # The parent of several processes, which must load no engine, no gRPC and no LMDB.
    f"{SERVER}.workers": frozenset(
        {
            f"{SERVER}.workers",
            f"{SERVER}.configuration.settings",
            f"{SERVER}.events",
            f"{SERVER}.logs",
            f"{SERVER}.telemetry.merged",
            *(f"{SERVER}.host.{each}" for each in ("ending", "ports", "signals")),
        }
    ),
    f"{SERVER}.command_flags": frozenset(
        {
            *(f"{SERVER}.{each}" for each in ("audit_command", "token_command")),
            *(f"{SERVER}.{each}" for each in ("calibrate_flags", "doctor_flags", "evaluate_flags")),
            *(f"{SERVER}.configuration.{each}" for each in ("settings", "sources")),
            f"{SERVER}.workers.orders",
        }
    ),
    "facewire_server.app": frozenset({"facewire_server", "cv2", "grpc"}),
    "facewire_server.__main__": frozenset({"facewire_server"}),
    "facewire": frozenset({"facewire"}),
    "facewire._values": frozenset({"facewire._values"}),
    "facewire._values.heic": frozenset({"pillow_heif"}),
    "facewire._wire": frozenset(
        {
            "facewire._values",
            "facewire._version",
            "facewire._wire",
            "facewire.v1",
            "google.protobuf",
            "grpc",
        }
    ),
    "facewire._probing": frozenset({"facewire._probing", "facewire._values", "facewire._wire"}),
    "facewire._sync": frozenset(
        {
            *("facewire._sync", "facewire._probing", "facewire._values", "facewire._wire"),
            *("facewire.v1", "grpc"),
            "facewire.video",  # of an extra: within the function that needs it
        }
    ),
    "facewire._aio": frozenset(
        {
            *("facewire._aio", "facewire._probing", "facewire._values", "facewire._wire"),
            *("facewire.v1", "grpc"),
            "facewire.video",  # of an extra: within the function that needs it
        }
    ),
    "examples": frozenset({"facewire"}),
    "facewire.video": frozenset(
        {"facewire._values", "facewire._wire.backoff", "facewire.video", "cv2", "numpy"}
    ),
    "facewire.video._av": frozenset({"facewire.video", "av", "numpy"}),
    "facewire.cli": frozenset({"facewire", "cv2", "grpc", "numpy", "rich", "typer"}),
    # A client like any other, with doors of HTTP: it never imports the server.
    "facewire_console.settings": frozenset(),
    "facewire_console.judgments": frozenset({"facewire"}),
    "facewire_console.face_shapes": frozenset({"facewire", "facewire_console.judgments"}),
    "facewire_console.shapes": frozenset({"facewire", "facewire_console.face_shapes"}),
    "facewire_console.errors": frozenset({"facewire", "starlette"}),
    "facewire_console.guard": frozenset(
        {
            *(f"facewire_console.{each}" for each in ("errors", "guard", "settings")),
            "starlette",
        }
    ),
    "facewire_console.guard.connections": frozenset(
        {
            *("h11", "uvicorn", "websockets"),
            "facewire_console.errors",
            *(f"facewire_console.guard.{each}" for each in ("headers", "places")),
        }
    ),
    "facewire_console.health": frozenset({"facewire_console.settings"}),
    "facewire_console.permissions": frozenset({"facewire"}),
    "facewire_console.cameras": frozenset({"facewire", "facewire_console.errors"}),
    "facewire_console.following": frozenset({"facewire"}),
    "facewire_console.names": frozenset({"facewire"}),
    "facewire_console.sightings": frozenset(
        {
            "facewire",
            *(f"facewire_console.{each}" for each in ("errors", "following", "names", "shapes")),
        }
    ),
    "facewire_console.console": frozenset(
        {
            "facewire",
            "starlette",
            "facewire_console.guard.held",
            *(
                f"facewire_console.{each}"
                for each in ("cameras", "metrics", "permissions", "settings", "sightings")
            ),
        }
    ),
    "facewire_console.live_frames": frozenset(
        {
            "facewire",
            "starlette",
            *(f"facewire_console.{each}" for each in ("guard.held", "shapes")),
        }
    ),
    "facewire_console.live": frozenset(
        {
            "facewire",
            "starlette",
            *(
                f"facewire_console.{each}"
                for each in ("console", "errors", "live_frames", "shapes")
            ),
        }
    ),
    "facewire_console.ancestor": frozenset(
        {
            "facewire",
            "starlette",
            *(f"facewire_console.{each}" for each in ("ancestor", "console", "errors")),
        }
    ),
    "facewire_console.api": frozenset(
        {
            "facewire",
            "starlette",
            *(
                f"facewire_console.{each}"
                for each in (
                    *("__version__", "api", "console", "errors"),
                    *("face_shapes", "following", "guard.login", "metrics", "shapes"),
                )
            ),
        }
    ),
    "facewire_console.compreface": frozenset(
        {
            *("facewire", "starlette"),
            *(
                f"facewire_console.{each}"
                for each in ("compreface", "console", "errors", "settings")
            ),
        }
    ),
    "facewire_console.app": frozenset({"facewire", "facewire_console", "starlette"}),
    "facewire_console.__main__": frozenset({"facewire", "facewire_console", "uvicorn"}),
    "facewire._mqtt": frozenset(
        {"facewire", "facewire._mqtt", "facewire._wire.backoff", "aiomqtt"}  # and what is public
    ),
    # Builds the SavedModels: without TensorFlow.
    "facewire_serving": frozenset({"facewire_serving", "numpy", "google.protobuf", "rich"}),
    # The graphs, and what writes them.
    "facewire_serving.embedder": frozenset({"tensorflow"}),
    "facewire_serving.embedding": frozenset({"facewire_serving", "numpy", "tensorflow"}),
    "facewire_serving.facenet": frozenset({"facewire_serving", "numpy", "tensorflow"}),
    "facewire_serving.layers": frozenset({"numpy", "tensorflow"}),
    "facewire_serving.mobilefacenet": frozenset({"facewire_serving", "tensorflow"}),
    "facewire_serving.minifasnet": frozenset({"facewire_serving", "tensorflow"}),
    "facewire_serving.mtcnn": frozenset({"facewire_serving", "numpy", "tensorflow"}),
    "facewire_serving.mtcnn_boxes": frozenset({"tensorflow"}),
    "facewire_serving.mtcnn_nets": frozenset({"numpy", "tensorflow"}),
    "facewire_serving.mtcnn_pyramid": frozenset({"numpy", "tensorflow"}),
    "facewire_serving.export": frozenset({"facewire_serving", "rich", "tensorflow"}),
    "facewire_serving.warm_up": frozenset(
        {"facewire_serving", "numpy", "tensorflow", "tensorflow_serving"}
    ),
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
    "facewire_serving.engines": frozenset({"numpy", "openvino", "tensorflow"}),
}
PRIVATE = tuple(f"facewire._{room}" for room in ("values", "wire", "probing", "sync", "aio"))
# Room: what its files may not import, though the table above or the standard library has it.
BARRED: dict[str, tuple[str, ...]] = {
    # Pure: the time is passed to them.
    f"{SERVER}.streams.tracks": ("asyncio", "datetime", "random", "threading", "time"),
    f"{SERVER}.streams.verdicts": ("asyncio", "datetime", "random", "threading", "time"),
    "facewire._values": ("asyncio", "concurrent", "threading"),
    "facewire._wire": ("asyncio", "concurrent", "grpc.aio", "threading"),
    "facewire._probing": ("asyncio", "grpc"),
    "facewire._sync": ("asyncio", "grpc.aio"),
    "facewire.cli": PRIVATE,
    "facewire_console": PRIVATE,
    "facewire._mqtt": (
        *(room for room in PRIVATE if room != "facewire._wire"),
        *("facewire.cli", "grpc"),
    ),
    "examples": PRIVATE,
}
# Entered by nobody but themselves: they know everything, so nothing may lean on them.
CLOSED = frozenset({"facewire_server.app", "facewire_server.__main__"})
DOORS = {  # vendor: the places that may import it
    "aiomqtt": ("facewire._mqtt",),
    "av": ("facewire.video._av",),
    "cryptography": (f"{SERVER}.backends.crop_cipher", f"{SERVER}.access.certificate_expiry"),
    "dlib": ("facewire_server.backends.dlib_detector",),
    # The checks open a storage by themselves, in a process of their own.
    "lmdb": (
        f"{SERVER}.backends.lmdb_storage",
        *(f"{SERVER}.backends.lmdb_{each}.soundness" for each in ("gallery", "journal")),
    ),
    "opentelemetry": (f"{SERVER}.telemetry.traces",),
    "pillow_heif": ("facewire._values.heic",),
    "prometheus_client": (f"{SERVER}.telemetry",),
    "openvino": ("facewire_server.backends.openvino_engine", "facewire_serving.engines"),
    "tensorflow": ("facewire_serving",),
    "tensorflow_serving": ("facewire_serving",),
}


def is_under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def reads_environment(source: str) -> bool:
    """Whether a file names `os.environ` or `os.getenv`, however it is imported."""
    names = {"environ", "environb", "getenv", "getenvb"}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in names)
        or (isinstance(node, ast.Name) and node.id in names)
        or (isinstance(node, ast.alias) and node.name in names)
        for node in ast.walk(ast.parse(source))
    )


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
    barred = [name for room, names in BARRED.items() if is_under(module, room) for name in names]
    return [
        f"{module} imports {name}"
        for name in imports_of(source, module)
        if any(is_under(name, prefix) for prefix in barred)
        or (
            name.split(".")[0] not in STANDARD
            and not any(is_under(name, prefix) for prefix in allowed)
        )
    ]


def modules(repository: Path) -> dict[str, str]:
    found = {}
    for root in ("server", "clients/python", "clients/console", "serving"):
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


def test_a_room_may_import_only_what_stands_above_it_in_the_table() -> None:
    order = list(ROOMS)
    for number, (room, allowed) in enumerate(ROOMS.items()):
        if room in CLOSED:
            continue
        for name in allowed:
            owners = [each for each in order if is_under(name, each)]
            if name.startswith(SERVER) and owners and not is_under(room, name):
                owner = max(owners, key=len)
                assert order.index(owner) <= number, f"{room} may import {name}, which is below it"


def test_nothing_leans_on_the_composition_root(repository: Path) -> None:
    for module, source in modules(repository).items():
        if any(is_under(module, closed) for closed in CLOSED):
            continue
        for name in imports_of(source, module):
            assert not any(is_under(name, closed) for closed in CLOSED), f"{module} imports {name}"


def test_only_the_composition_root_knows_telemetry(repository: Path) -> None:
    room = f"{SERVER}.telemetry"
    for module, source in modules(repository).items():
        if any(is_under(module, one) for one in (room, f"{SERVER}.app", f"{SERVER}.workers")):
            continue
        for name in imports_of(source, module):
            assert not is_under(name, room), f"{module} imports {name}"


def test_a_vendor_has_one_door(repository: Path) -> None:
    for module, source in modules(repository).items():
        for name in imports_of(source, module):
            doors = DOORS.get(name.split(".")[0], (module,))
            assert any(is_under(module, door) for door in doors), f"{module} imports {name}"


def test_the_server_reads_the_environment_in_one_place(repository: Path) -> None:
    reading = {
        module
        for module, source in modules(repository).items()
        if is_under(module, SERVER) and reads_environment(source)
    }
    assert reading == {f"{SERVER}.__main__"}  # which hands it to `settings`


@pytest.mark.parametrize(
    "source",
    ["import os\nos.environ", "from os import environ as e", "import os as o\no.getenv('X')"],
)
def test_a_planted_read_of_the_environment_is_found(source: str) -> None:
    assert reads_environment(source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("facewire_server.pipeline.align", "import grpc"),
        ("facewire_server.pipeline.align", "from facewire_server.pipeline.embed import Embedder"),
        ("facewire_server.pipeline.align", "def late():\n    import lmdb"),
        ("facewire_server.streams.session", "from facewire_server.backends import openvino_engine"),
        ("facewire_server.backends.openvino_engine", "import lmdb"),
        ("facewire_server.backends.openvino_engine", "from facewire_server.proof import proven"),
        ("facewire_server.proof.opened", "from facewire_server.work import slots"),
        ("facewire_server.proof.servables", "from facewire_server.backends import tfserving"),
        ("facewire_server.backends.tfserving.wire", "import tensorflow"),
        ("facewire_server.backends.tfserving.served", "from facewire_server import rpc"),
        ("facewire_server.models", "import grpc"),
        ("facewire_server.telemetry.metrics", "import opentelemetry.sdk"),
        ("facewire_server.telemetry.state", "from facewire_server.streams.session import Session"),
        ("facewire_server.streams.session", "from facewire_server.telemetry import metrics"),
        ("facewire_server.rpc.server", "import prometheus_client"),
        ("facewire_server.logs", "from facewire_server.telemetry import metrics"),
        ("facewire_server.errors", "import numpy"),
        ("facewire_server.galleries.ids", "from facewire_server.work import threads"),
        ("facewire_server.galleries.ports", "import lmdb"),
        ("facewire_server.galleries.refusal", "from facewire_server.rpc import status"),
        ("facewire_server.pipeline.match", "from facewire_server.galleries.ports import Search"),
        ("facewire_server.pipeline.recognize", "from facewire_server.galleries import transfer"),
        ("facewire_server.backends.exact_search", "import lmdb"),
        (
            "facewire_server.backends.exact_search",
            "from facewire_server.backends.lmdb_gallery import blocks",
        ),
        ("facewire_server.backends.lmdb_gallery.gallery", "import threadpoolctl"),
        (
            "facewire_server.backends.lmdb_gallery.gallery",
            "from facewire_server.backends.exact_search import ExactSearch",
        ),
        ("facewire_server.backends.lmdb_gallery.gallery", "from facewire_server.work import slots"),
        ("facewire._sync.client", "import facewire_server"),
        ("facewire._sync.client", "from facewire._aio.feed import AsyncFeed"),
        ("facewire._aio.client", "from facewire._sync import running"),
        ("facewire._values.faces", "import grpc"),
        ("facewire._values.faces", "from facewire.v1 import face_pb2"),
        ("facewire._values.faces", "from facewire._wire import read_faces"),
        ("facewire._values.pictures", "import asyncio"),
        ("facewire._values.pictures", "import numpy"),
        ("facewire._wire.requests", "import asyncio"),
        ("facewire._wire.requests", "from grpc import aio"),
        ("facewire._wire.requests", "from facewire._sync import running"),
        ("facewire.video._camera", "import grpc"),
        ("facewire.video._camera", "import av"),
        ("facewire.cli._watch", "from facewire._values.faces import Face"),
        ("facewire_console.api.people", "from facewire_server import errors"),
        ("facewire_console.api.people", "from facewire._wire import requests"),
        ("facewire_console.cameras", "from facewire_console.app import create_app"),
        ("facewire_console.guard.login", "import facewire"),
        ("facewire.cli._mqtt", "import aiomqtt"),
        ("facewire._mqtt.bridge", "from facewire._aio.track_feed import AsyncTrackFeed"),
        ("facewire_serving.export", "import facewire_server.errors"),
        ("facewire_serving.models", "import tensorflow"),
    ],
)
def test_a_planted_violation_is_found(module: str, source: str) -> None:
    assert violations(source, module)
