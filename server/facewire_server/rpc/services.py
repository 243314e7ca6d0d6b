"""The services of this server whose calls have handlers of its own, by their descriptors."""

from typing import Final

from google.protobuf.descriptor import ServiceDescriptor
from grpc_health.v1 import health_pb2

from facewire.v1 import gallery_pb2, recognition_pb2

__all__ = ["SERVICES"]

SERVICES: Final[tuple[ServiceDescriptor, ...]] = (
    recognition_pb2.DESCRIPTOR.services_by_name["RecognitionService"],
    gallery_pb2.DESCRIPTOR.services_by_name["GalleryService"],
    health_pb2.DESCRIPTOR.services_by_name["Health"],
)
"""Recognition, gallery and health. Reflection is served too, by gRPC's own handlers."""
