"""Tokens with roles, and a call of any method with as little as it takes."""

from pathlib import Path
from typing import Any, Final, NamedTuple

import grpc
from google.protobuf import message_factory
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from facewire_server.access.roles import Role
from facewire_server.access.token_changes import add_token
from facewire_server.access.tokens import Token
from facewire_server.rpc.services import METHODS

__all__ = ["PATIENCE_S", "Outcome", "bearer", "called", "with_token"]

PATIENCE_S: Final = 60.0
"""Seconds for a call, on a busy machine. Chosen, not measured."""

_ENDLESS: Final = {"WatchTracks": {"kept_only": True}}
"""What ends the methods that would go on for ever."""


class Outcome(NamedTuple):
    """How a call ended."""

    code: grpc.StatusCode
    details: str = ""
    reason: str = ""
    roles: str = ""


def with_token(
    file: Path, label: str, *roles: Role, galleries: frozenset[str] | None = None
) -> str:
    """Adds a token to a file, and returns it."""
    return add_token(file, Token(label, b"", frozenset(roles), galleries)).secret


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call."""
    return (("authorization", f"Bearer {token}"),)


def request_of(path: str, gallery_id: str) -> Any:
    """A request of a method: for a gallery, if it is for one, and otherwise empty."""
    method = METHODS[path]
    request: Any = message_factory.GetMessageClass(method.input_type)()
    for name, value in _ENDLESS.get(method.name, {}).items():
        setattr(request, name, value)
    if method.name == "StreamRecognize":
        request.config.gallery_id = gallery_id
    elif "gallery_id" in method.input_type.fields_by_name:
        request.gallery_id = gallery_id
    if method.name == "ImportGallery":
        request.record.header.gallery.model_contract_id = "0" * 64
        request.record.header.dimension = 128
    if "identity_id" in method.input_type.fields_by_name:
        request.identity_id = "ada"
    if "template_id" in method.input_type.fields_by_name:
        request.template_id = "0" * 32
    if method.name == "GetTrackCrop":
        request.track_id = 1
    return request


def called(
    channel: grpc.Channel, path: str, metadata: Any = (), gallery_id: str = "nowhere"
) -> Outcome:
    """Calls a method with one request, and returns how that ended; of a stream that goes on, after its first response."""
    request = request_of(path, gallery_id).SerializeToString()
    call: Any = channel.stream_stream(path, bytes, bytes)(
        iter([request]), metadata=metadata, timeout=PATIENCE_S
    )
    try:
        for _ in call:
            if path.endswith("/Watch"):
                call.cancel()
                return Outcome(grpc.StatusCode.OK)
    except grpc.RpcError as error:
        status = rpc_status.from_call(call)
        info = error_details_pb2.ErrorInfo()
        if status is not None and status.details:
            status.details[0].Unpack(info)
        return Outcome(error.code(), error.details() or "", info.reason, info.metadata["roles"])
    return Outcome(grpc.StatusCode.OK)
