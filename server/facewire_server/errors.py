"""The errors of the domain, independent of any transport.

ServerError
  InvalidInput            the caller must change the request
    InvalidField            a value is missing or out of range
    OutOfOrder              a message came out of order on a stream
    InvalidImage            the picture cannot be used
      EmptyImage
      UndecodableImage        unknown format, cut short, damaged
      TooManyBytes
      TooManyPixels
      ImageLayout             a raw picture's size, stride and bytes contradict each other
    NoFace
    SeveralFaces
    TooPoor                 the face is too poor to enroll
    RequestIdReused
  TokenRequired           no token, or a wrong one
  RoleRequired            the caller has not the role, or is not for this gallery
  NotFound
    GalleryNotFound
    IdentityNotFound
    TemplateNotFound
    NegativeExampleNotFound
    TrackNotFound
    UnknownPersonNotFound
  AlreadyExists
    GalleryExists
    IdentityExists
  ModelContractMismatch        templates of another model contract
  CropKeyMissing          kept crops cannot be encrypted for another person without their key
  GalleryTooLarge         a gallery has too many people to be compared with one another in a call
  CropsNotKept            the operator does not allow pictures of tracks to be kept
  UnknownPeopleNotKept    the operator does not allow unknown visits to be kept
  StreamTakenOver         another stream was opened with this one's resume token
  Exhausted               a limit was reached
    GalleryFull
    TooManyStreams
    SlowReader
    RequestTooLarge         more bytes than the method takes
    TooManyCalls
    OutOfMemory             no memory for a picture
  GalleryDamaged          the storage holds something that cannot be
  StorageDamaged          the file of the storage was cut short or overwritten
  Unavailable             a transient condition; the caller should retry
    ModelUnavailable
    StorageBusy             the gallery's storage had to end a reading early
    ShuttingDown
    WorkerBusy              another process of this server has fewer streams
  TimedOut                a picture was not finished in time
  NotImplementedYet       in the contract, not in this server

The text of an error goes to the client and nowhere else. It may repeat what the
client sent (a field's name, an id); it never holds another person's data.
"""

from collections.abc import Sequence

__all__ = [
    "AlreadyExists",
    "CropKeyMissing",
    "CropsNotKept",
    "EmptyImage",
    "Exhausted",
    "GalleryDamaged",
    "GalleryExists",
    "GalleryFull",
    "GalleryNotFound",
    "GalleryTooLarge",
    "IdentityExists",
    "IdentityNotFound",
    "ImageLayout",
    "InvalidField",
    "InvalidImage",
    "InvalidInput",
    "ModelContractMismatch",
    "ModelUnavailable",
    "NegativeExampleNotFound",
    "NoFace",
    "NotFound",
    "NotImplementedYet",
    "OutOfMemory",
    "OutOfOrder",
    "RequestIdReused",
    "RequestTooLarge",
    "RoleRequired",
    "ServerError",
    "SeveralFaces",
    "ShuttingDown",
    "SlowReader",
    "StorageBusy",
    "StorageDamaged",
    "StreamTakenOver",
    "TemplateNotFound",
    "TimedOut",
    "TokenRequired",
    "TooManyBytes",
    "TooManyCalls",
    "TooManyPixels",
    "TooManyStreams",
    "TooPoor",
    "TrackNotFound",
    "Unavailable",
    "UndecodableImage",
    "UnknownPeopleNotKept",
    "UnknownPersonNotFound",
    "WorkerBusy",
]


class ServerError(Exception):
    """Base class of all failures that are reported to a client."""


class InvalidInput(ServerError):
    """The request cannot be served as it is.

    Attributes:
        field: path of the request's field at fault ("image", "images[3]"), or "".
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class InvalidField(InvalidInput):
    """A field is missing or out of range."""


class OutOfOrder(InvalidInput):
    """A message came out of order on a stream."""


class InvalidImage(InvalidInput):
    """The picture cannot be used."""


class EmptyImage(InvalidImage):
    """The picture has no bytes."""


class UndecodableImage(InvalidImage):
    """Not a picture of a known format, cut short, or damaged."""


class TooManyBytes(InvalidImage):
    """The picture has more bytes than the server takes."""


class TooManyPixels(InvalidImage):
    """The picture has more pixels than the server decodes."""


class ImageLayout(InvalidImage):
    """A raw picture's size, stride and bytes contradict each other."""


class NoFace(InvalidInput):
    """The picture shows no face, and one is needed."""


class SeveralFaces(InvalidInput):
    """The picture shows several faces, and one is needed."""


class TooPoor(InvalidInput):
    """The face is too poor to make a template of: too small, blurred, turned away, ..."""


class RequestIdReused(InvalidInput):
    """The request id was used before, for another request."""


class TokenRequired(ServerError):
    """The call carries no token, or a wrong one."""


class RoleRequired(ServerError):
    """The caller has none of the roles with which the call is allowed, or is not for this gallery.

    Attributes:
        roles: with which the call is allowed.
    """

    def __init__(self, message: str, *, roles: Sequence[str]) -> None:
        super().__init__(message)
        self.roles = tuple(roles)


class NotFound(ServerError):
    """The requested object does not exist."""


class GalleryNotFound(NotFound):
    """No gallery of this id."""


class IdentityNotFound(NotFound):
    """No identity of this id in the gallery."""


class TemplateNotFound(NotFound):
    """No template of this id in the gallery."""


class NegativeExampleNotFound(NotFound):
    """No negative example of this id in the gallery."""


class TrackNotFound(NotFound):
    """No track of this id, or nothing is kept of it."""


class UnknownPersonNotFound(NotFound):
    """No unknown person of this id in the gallery, or they are no longer kept."""


class AlreadyExists(ServerError):
    """The object to create exists."""


class GalleryExists(AlreadyExists):
    """A gallery of this id exists."""


class IdentityExists(AlreadyExists):
    """An identity of this id exists in the gallery."""


class ModelContractMismatch(ServerError):
    """Templates of another model contract: similarities to them would mean nothing."""


class CropKeyMissing(ServerError):
    """Crops are kept with the templates, and the server has no key to encrypt them for another person."""


class GalleryTooLarge(ServerError):
    """A gallery has too many people to be compared with one another in a call; a command does it."""


class CropsNotKept(ServerError):
    """The operator does not allow pictures of tracks to be kept."""


class UnknownPeopleNotKept(ServerError):
    """The operator does not allow unknown visits to be kept."""


class StreamTakenOver(ServerError):
    """Another stream was opened with this one's resume token."""


class Exhausted(ServerError):
    """A limit was reached."""


class GalleryFull(Exhausted):
    """The gallery's storage, or a quota of it, is full. Nothing was written."""


class TooManyStreams(Exhausted):
    """The server's limit of open streams is reached."""


class SlowReader(Exhausted):
    """The client left its answers unread."""


class RequestTooLarge(Exhausted):
    """The request has more bytes than its method takes; it was not parsed."""


class TooManyCalls(Exhausted):
    """As many calls are in progress as are allowed, on one connection or in all."""


class OutOfMemory(Exhausted):
    """There was no memory for the picture. The same picture may succeed later."""


class GalleryDamaged(ServerError):
    """The gallery's storage holds something that cannot be; retrying does not help."""


class StorageDamaged(ServerError):
    """A storage's file was cut short or overwritten: nothing in it can be used; retrying does not help."""


class Unavailable(ServerError):
    """A transient condition; the caller should retry with backoff."""


class ModelUnavailable(Unavailable):
    """A model does not answer, or has not proved to be the right one."""


class StorageBusy(Unavailable):
    """The gallery's storage had to end a reading early, or has no slot for another reader now."""


class ShuttingDown(Unavailable):
    """The server is shutting down."""


class WorkerBusy(Unavailable):
    """Another process of this server has fewer streams: a new connection may reach it."""


class TimedOut(ServerError):
    """A picture was not finished before its deadline."""


class NotImplementedYet(ServerError):
    """The contract has this, and this server has not implemented it."""
