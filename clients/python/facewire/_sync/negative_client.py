"""The part of the client for negative examples: faces that were taken for a person and are not this person."""

from collections.abc import Iterator

from facewire._sync.running import Calls
from facewire._values.enums import FaceSelection
from facewire._values.negatives import AddedNegativeExample, NegativeExample
from facewire._values.options import DETECTION_DEFAULTS, DetectionOptions
from facewire._values.pictures import Picture
from facewire._wire import negative_requests

__all__ = ["NegativeClient"]


class NegativeClient(Calls):
    """Methods for negative examples.

    Each raises NotSupportedError if the server is older than these, and what `Client` lists.
    """

    def add_negative_example(
        self,
        identity_id: str,
        picture: Picture,
        *,
        gallery: str = "default",
        selection: FaceSelection = FaceSelection.UNSPECIFIED,
        source: str = "",
        detection: DetectionOptions = DETECTION_DEFAULTS,
        timeout_s: float | None = None,
    ) -> AddedNegativeExample:
        """Says that a face is not this person: faces that are nearer to it than to the person no longer get their name.

        What identifies the face is kept, the picture is not. A repeated call, after a lost response, adds no second one.

        Args:
            identity_id: who it is not.
            picture: a path, bytes, an array (RGB) or an `Image`.
            gallery: of the person.
            selection: which face of the picture is meant; by default there must be only one.
            source: where the picture came from, kept with the example. At most 256 bytes.
            detection: what counts as a face.
            timeout_s: seconds for the call. Default: the client's.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
            NoFaceError, SeveralFacesError, InvalidPictureError: the picture cannot be used, or its face is too poor to get a name.
            ContractMismatchError: the gallery was made with another model.
            LimitError: the identity has 100 negative examples, or the gallery is full.
            OSError, ValueError, TypeError: the picture cannot be read.
        """
        return self._run(
            negative_requests.add_negative_example(
                identity_id, picture, gallery, selection, source, detection
            ),
            timeout_s,
        )

    def negative_examples(
        self, identity_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> Iterator[NegativeExample]:
        """Lists the negative examples of an identity, oldest first: at most 100.

        Raises:
            NotFoundError: no such gallery, or no such identity in it.
        """
        return self._walk(negative_requests.negative_examples(identity_id, gallery), timeout_s)

    def delete_negative_example(
        self, negative_example_id: str, *, gallery: str = "default", timeout_s: float | None = None
    ) -> int:
        """Takes back a negative example: faces get the person's name again as if it had never been added.

        Returns:
            The gallery's revision after the write.

        Raises:
            NotFoundError: no such gallery, or no such negative example in it.
        """
        return self._run(
            negative_requests.delete_negative_example(negative_example_id, gallery), timeout_s
        )
