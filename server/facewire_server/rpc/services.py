"""The services and methods of this server, by their descriptors."""

from typing import Final

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2

from facewire.v1 import gallery_pb2, recognition_pb2

__all__ = ["METHODS", "SERVICES", "is_open"]

SERVICES: Final[tuple[ServiceDescriptor, ...]] = (
    recognition_pb2.DESCRIPTOR.services_by_name["RecognitionService"],
    gallery_pb2.DESCRIPTOR.services_by_name["GalleryService"],
    health_pb2.DESCRIPTOR.services_by_name["Health"],
)
"""Recognition, gallery and health: the services whose calls are counted by method."""

METHODS: Final[dict[str, MethodDescriptor]] = {
    f"/{service.full_name}/{method.name}": method
    for service in (*SERVICES, reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"])
    for method in service.methods
}
"""Every method by its path, those of reflection included."""

_OPEN: Final = "/grpc.health.v1.Health/"


def is_open(path: str) -> bool:
    """Whether a method needs no token: health."""
    return path.startswith(_OPEN)
