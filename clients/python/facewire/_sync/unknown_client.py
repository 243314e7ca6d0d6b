"""The part of the client for people whom a gallery does not know: seen by cameras, kept if the operator allows it, named later."""

from collections.abc import Iterator

from facewire._sync.running import Calls
from facewire._values.galleries import EnrollResult
from facewire._values.unknown import UnknownPerson, UnknownPicture
from facewire._wire import unknown_requests
from facewire._wire.enrollment import warn_of_similar

__all__ = ["UnknownClient"]


class UnknownClient(Calls):
    """Methods for unknown people.

    Each raises NotSupportedError if the operator does not allow their visits to be kept, and what `Client` lists.
    """

    def unknown_people(
        self, *, gallery: str = "default", timeout_s: float | None = None
    ) -> Iterator[UnknownPerson]:
        """Lists the unknown people of a gallery in the order in which they were first seen.

        A visit is listed once its track has ended. Needs the role `operator`.
        """
        return self._walk(unknown_requests.unknown_people(gallery), timeout_s)

    def unknown_pictures(
        self, unknown_id: int, *, gallery: str = "default", timeout_s: float | None = None
    ) -> tuple[UnknownPicture, ...]:
        """Returns the pictures of an unknown person, best first: at most 5, each of another visit.

        Raises:
            NotFoundError: no such person, or they are no longer kept.
        """
        return self._run(unknown_requests.unknown_pictures(unknown_id, gallery), timeout_s)

    def enroll_unknown(
        self,
        unknown_id: int,
        identity_id: str,
        *,
        gallery: str = "default",
        display_name: str = "",
        source: str = "",
        create_identity: bool = True,
        timeout_s: float | None = None,
    ) -> EnrollResult:
        """Enrolls an unknown person from their pictures, each of which is accepted or refused as by `enroll`.

        If one is accepted, the person is no longer unknown, and what was kept of them is erased.

        Not tried again if the response is lost: `identity` says whether it had come to that.

        Args:
            unknown_id: the person, of `unknown_people`.
            identity_id: who they are, 1 to 128 bytes of UTF-8, all of which can be seen.
            gallery: the gallery that does not know them.
            display_name: of an identity made by this call. Default: its id.
            source: kept with each template. At most 256 bytes.
            create_identity: creates the identity if it does not exist.

        Warns:
            SimilarIdentityWarning: a picture also matches another identity. It is enrolled nevertheless.

        Raises:
            NotFoundError: no such unknown person, or they are no longer kept; or no such identity and `create_identity` off.
            ContractMismatchError: the gallery was made with another model.
            LimitError: the gallery is full.
        """
        result = self._run(
            unknown_requests.enroll_unknown(
                unknown_id, identity_id, gallery, display_name, source, create_identity
            ),
            timeout_s,
        )
        warn_of_similar(result)
        return result

    def forget_unknown(
        self, unknown_id: int, *, gallery: str = "default", timeout_s: float | None = None
    ) -> None:
        """Erases an unknown person: when this returns, nothing of their visits is in the server's files of unknown people.

        A visit that goes on is kept again when it ends. Needs the role `operator`.

        Raises:
            NotFoundError: no such person, or they are no longer kept.
        """
        self._run(unknown_requests.forget_unknown(gallery, unknown_id), timeout_s)

    def forget_all_unknown(
        self, *, gallery: str = "default", timeout_s: float | None = None
    ) -> int:
        """Erases all unknown people of a gallery; returns how many. Needs the role `operator`."""
        return self._run(unknown_requests.forget_unknown(gallery, None), timeout_s)
