"""The blocking client: recognize, compare, enroll, stream."""

import os
from collections.abc import Iterable

from facewire._sync.camera_client import CameraClient
from facewire._values.enums import FaceSelection
from facewire._values.galleries import EnrollResult
from facewire._values.options import (
    DECISION_DEFAULTS,
    DETECTION_DEFAULTS,
    DecisionPolicy,
    DetectionOptions,
)
from facewire._values.pictures import Picture
from facewire._values.results import Comparison, Health, Recognition
from facewire._values.server_info import ServerInfo
from facewire._wire import enrollment, requests
from facewire._wire.address import Address
from facewire._wire.tokens import TokenSource

__all__ = ["Client"]


class Client(CameraClient):
    """A client of a facewire server: blocking, safe for threads, and a context manager.

        with facewire.Client() as client:
            client.enroll("ada", ["ada_1.jpg", "ada_2.jpg"])
            for face in client.recognize("party.jpg").faces:
                print(face.name, face.box)

    The first call opens the connection. Every method may raise, besides the errors that
    it lists:

    * AuthenticationError: the server wants a token.
    * UnreachableError, UnavailableError, and LimitError of a server without room for the call: after
      retries, if these are safe: of calls that only read, and of `enroll`, whose repeated calls the
      server recognizes by their ids.
    * DeadlineError: no response within `timeout_s`, retries included.
    * InvalidRequestError: a value is out of range; `field` names it.
    * ServerError: a fault of the server.

    Args:
        target: the server's address, "host:port".
        token: the server's token, or what returns it: a `TokenFile`, or a function, which `AsyncClient` also awaits. It is called with
            the first call, and again once the server refuses what it returned. Space around the token is left out. Without
            TLS it can be read on the way.
        root_certificates: turns TLS on: PEM, or the path of it, that the server's
            certificate is checked against.
        tls: turns TLS on with the roots that gRPC carries.
        client_certificate: turns TLS on: the path of a certificate (PEM) that the client shows to a server that asks
            for one; it may have the client's role. Each stream that is opened, and each new connection of one, reads it again;
            other calls use the one that was there when the client was made.
        client_key: the path of its key (PEM, without a password). Default: it is in the file of the certificate.
        timeout_s: the limit of one call, retries included, seconds; of a stream, of its opening.
            The `timeout_s` of a method overrides it for one call; None, the default, does not. If a
            method makes several calls (`enroll`, pages, `health`), it is the limit of each call;
            `export_gallery` and `import_gallery` have none.

    Raises:
        OSError: a file of certificates, or of the key, cannot be read.
        ValueError: the token holds other than printable ASCII characters, or `client_certificate` and `client_key` do not
            belong together.
    """

    def __init__(
        self,
        target: str = "127.0.0.1:50051",
        *,
        token: TokenSource | None = None,
        root_certificates: bytes | str | os.PathLike[str] | None = None,
        tls: bool = False,
        client_certificate: str | os.PathLike[str] | None = None,
        client_key: str | os.PathLike[str] | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        address = Address.of(
            target,
            token=token,
            root_certificates=root_certificates,
            tls=tls,
            client_certificate=client_certificate,
            client_key=client_key,
        )
        super().__init__(address, timeout_s=timeout_s)

    def recognize(
        self,
        picture: Picture,
        *,
        gallery: str = "default",
        decision: DecisionPolicy = DECISION_DEFAULTS,
        detection: DetectionOptions = DETECTION_DEFAULTS,
        max_candidates: int = 0,
        explain: bool = False,
        timeout_s: float | None = None,
    ) -> Recognition:
        """Recognizes every face of one picture. A picture without a face is not an error.

        Args:
            picture: a path, bytes, an array (RGB) or an `Image`.
            gallery: the gallery to search.
            decision: when a face counts as recognized.
            detection: what counts as a face.
            max_candidates: the best identities to list for each face. Range [0, 20].
            explain: return with each decision why it is so: `Decision.judgment`.

        Raises:
            InvalidPictureError: the picture cannot be used.
            NotFoundError: no such gallery.
            ContractMismatchError: the gallery was made with another model.
        """
        return self._run(
            requests.recognize(
                picture, gallery, decision, detection, max_candidates, explain=explain
            ),
            timeout_s,
        )

    def compare(
        self,
        first: Picture,
        second: Picture,
        *,
        selection: FaceSelection = FaceSelection.UNSPECIFIED,
        decision: DecisionPolicy = DECISION_DEFAULTS,
        detection: DetectionOptions = DETECTION_DEFAULTS,
        timeout_s: float | None = None,
    ) -> Comparison:
        """Compares two pictures: do they show the same person? No gallery is used.

        Args:
            first: one picture.
            second: the other.
            selection: which face of each is meant; the largest by default.
            decision: when two faces count as the same person's.
            detection: what counts as a face.

        Raises:
            NoFaceError: a picture shows no face; `field` is "first" or "second".
            SeveralFacesError: with FaceSelection.ONLY.
            InvalidPictureError: a picture cannot be used.
        """
        return self._run(requests.compare(first, second, selection, decision, detection), timeout_s)

    def enroll(
        self,
        identity_id: str,
        pictures: Picture | Iterable[Picture],
        *,
        gallery: str = "default",
        display_name: str = "",
        selection: FaceSelection = FaceSelection.UNSPECIFIED,
        source: str = "",
        detection: DetectionOptions = DETECTION_DEFAULTS,
        create_identity: bool = True,
        timeout_s: float | None = None,
    ) -> EnrollResult:
        """Enrolls any number of pictures of one person, in batches of ten, each committed on its own.

        Each picture is accepted or refused on its own. When this returns, the templates are on the
        server's disk. After an error the batches before it stay enrolled.

        Args:
            identity_id: the person, 1 to 128 bytes of UTF-8, all of which can be seen.
            pictures: one or many; an iterator is read as it is needed.
            gallery: the gallery to enroll into.
            display_name: of an identity made by this call. Default: its id.
            selection: which face of a picture is the person's; by default there must be
                only one.
            source: where the pictures came from, kept with each template. At most
                256 bytes.
            detection: what counts as a face.
            create_identity: creates the identity if it does not exist.

        Warns:
            SimilarIdentityWarning: a picture also matches another identity. It is enrolled nevertheless.

        Raises:
            NotFoundError: no such gallery, or no such identity and `create_identity` off.
            ContractMismatchError: the gallery was made with another model.
            LimitError: the gallery is full.
            OSError, ValueError, TypeError: a picture cannot be read.
        """
        result = self._carry_out(
            enrollment.enroll(
                identity_id, pictures, gallery, display_name, selection, source, detection,
                create_identity,
            ),
            timeout_s,
        )  # fmt: skip
        enrollment.warn_of_similar(result)
        return result

    def server_info(self, *, timeout_s: float | None = None) -> ServerInfo:
        """Returns the server's version, model, limits, defaults and features.

        Raises:
            NotSupportedError: the server is older than this call.
        """
        return self._run(requests.server_info(), timeout_s)

    def health(self, *, timeout_s: float | None = None) -> Health:
        """Returns which parts of the server are ready for calls. Needs no token."""
        return Health(
            *(self._run(requests.check_health(name), timeout_s) for name in requests.SERVICES)
        )
