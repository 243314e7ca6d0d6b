"""The part of the client that examines galleries."""

from facewire._sync.running import Calls
from facewire._values.checkup import GalleryCheckup
from facewire._wire import checkup_requests

__all__ = ["CheckupClient"]


class CheckupClient(Calls):
    """The method that examines a gallery; it raises what `Client` lists."""

    def check_gallery(
        self,
        *,
        gallery: str = "default",
        max_findings: int = 20,
        timeout_s: float = checkup_requests.CHECK_TIMEOUT_S,
    ) -> GalleryCheckup:
        """Finds what in a gallery harms its recognition: people who are there twice or look alike, pictures that are wrong or poor.

        Needs the role `operator`. `facewire-server gallery doctor` finds the same beside the server, in galleries of any size.

        Args:
            gallery: the gallery.
            max_findings: most findings of a kind that are listed, 1 to 100.
            timeout_s: seconds for the call, in which the server may examine other galleries first.

        Raises:
            NotFoundError: no such gallery.
            NotSupportedError: the gallery has more than 10,000 templates or identities.
            DeadlineError: it took too long.
        """
        return self._run(checkup_requests.check_gallery(gallery, max_findings), timeout_s)
