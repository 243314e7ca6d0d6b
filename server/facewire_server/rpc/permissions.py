"""What each method needs: the one table. Health needs nothing, since load balancers have no token."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from facewire_server.access.roles import Permission

__all__ = ["PERMISSIONS"]

_RECOGNITION: Final = "/facewire.v1.RecognitionService/"
_GALLERIES: Final = "/facewire.v1.GalleryService/"
_HEALTH: Final = "/grpc.health.v1.Health/"

PERMISSIONS: Final[Mapping[str, Permission | None]] = MappingProxyType(
    {
        f"{_RECOGNITION}StreamRecognize": Permission.RECOGNIZE,
        f"{_RECOGNITION}Recognize": Permission.RECOGNIZE,
        f"{_RECOGNITION}Compare": Permission.RECOGNIZE,
        f"{_RECOGNITION}WatchTracks": Permission.WATCH,
        f"{_RECOGNITION}GetTrackCrop": Permission.CROP,
        f"{_RECOGNITION}GetServerInfo": Permission.INFO,
        f"{_GALLERIES}GetGallery": Permission.READ,
        f"{_GALLERIES}ListGalleries": Permission.READ,
        f"{_GALLERIES}GetIdentity": Permission.READ,
        f"{_GALLERIES}ListIdentities": Permission.READ,
        f"{_GALLERIES}ListTemplates": Permission.READ,
        f"{_GALLERIES}CreateGallery": Permission.WRITE,
        f"{_GALLERIES}DeleteGallery": Permission.WRITE,
        f"{_GALLERIES}CreateIdentity": Permission.WRITE,
        f"{_GALLERIES}UpdateIdentity": Permission.WRITE,
        f"{_GALLERIES}DeleteIdentity": Permission.WRITE,
        f"{_GALLERIES}EnrollTemplates": Permission.WRITE,
        f"{_GALLERIES}DeleteTemplate": Permission.WRITE,
        f"{_GALLERIES}MergeIdentities": Permission.WRITE,
        f"{_GALLERIES}SplitIdentity": Permission.WRITE,
        f"{_GALLERIES}AddNegativeExample": Permission.WRITE,
        f"{_GALLERIES}ListNegativeExamples": Permission.READ,
        f"{_GALLERIES}DeleteNegativeExample": Permission.WRITE,
        f"{_GALLERIES}ImportGallery": Permission.WRITE,
        f"{_GALLERIES}PurgeDeleted": Permission.PURGE,
        f"{_GALLERIES}ListUnknownPeople": Permission.WATCH,
        f"{_GALLERIES}GetUnknownPictures": Permission.CROP,
        f"{_GALLERIES}EnrollUnknown": Permission.WRITE,
        f"{_GALLERIES}ForgetUnknown": Permission.PURGE,
        f"{_GALLERIES}GetTemplate": Permission.READ,
        f"{_GALLERIES}CheckGallery": Permission.CHECK,
        f"{_GALLERIES}ExportGallery": Permission.EXPORT,
        f"{_HEALTH}Check": None,
        f"{_HEALTH}List": None,
        f"{_HEALTH}Watch": None,
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": Permission.INFO,
    }
)
"""The permission of each method, by its path; None: open to all. A method that is not here is refused to everyone."""
