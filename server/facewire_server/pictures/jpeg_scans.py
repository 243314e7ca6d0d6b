"""The scans of a JPEG: how many a decoder must work through, and what is missing without the last of them.

A decoder works through all coefficients of a picture once a scan, however few bytes the scan has, so
a file of some kB could cost minutes (ITU-T T.81, annex G; "Two Issues with the JPEG Standard", the libjpeg-turbo project, 2013).
"""

from typing import Final

from facewire_server.errors import UndecodableImage

__all__ = ["MAX_SCANS", "Scans"]

MAX_SCANS: Final = 120
"""Most scans of a JPEG, weighed by their work: one that brings coefficients of one component counts once. Measured: of 51 progressive
files among 2,945 real ones the heaviest counts 36, in 14 scans; encoders write 26, in 10."""

_MAX_SCANNED_PIXELS: Final = 2_000_000_000
"""Most pixels times scans of a JPEG: 48 megapixels in 41 scans; a progressive file of that size counts 26. Measured on OpenCV 5: they take
half of the processor time of an honest picture of 48 megapixels."""

_REFINEMENT: Final = 3
"""Scans that the refinement of all coefficients counts more than a scan that brings them. Measured: 2.1 to 0.5 ms for 4 megapixels, since a
decoder looks at each coefficient although the scan may have no data."""

_ARITHMETIC: Final = 2
"""Scans of Huffman codes that an arithmetic one counts. Chosen, not measured: it takes up to ten times as long, but so do honest ones, and
with ten, those would be refused."""

_CUT_PASSES: Final = 3
"""Times that a JPEG without its end is decoded: `refuse_if_much_is_lost` does it twice more."""

_COEFFICIENTS: Final = 64
"""Coefficients of a block of 8x8 pixels (T.81, A.3.3)."""


class Scans:
    """Reads the headers of the scans of one frame."""

    def __init__(
        self,
        components: bytes,
        pixel_count: int,
        *,
        is_progressive: bool,
        is_arithmetic: bool = False,
    ) -> None:
        """Starts before the first scan.

        Args:
            components: the ids of the frame's components.
            pixel_count: of the picture.
            is_progressive: a scan brings a part of the coefficients, or of their bits.
            is_arithmetic: its scans are coded arithmetically, which takes longer to decode.
        """
        self.count = 0
        self._weight = 0.0
        self._weight_of_one = _ARITHMETIC if is_arithmetic else 1
        self._is_progressive = is_progressive
        self._pixel_count = pixel_count
        # Per component and coefficient: the lowest bit that the scans so far bring; None = none yet.
        self._lowest_bits: dict[int, list[int | None]] = {
            each: [None] * (_COEFFICIENTS if is_progressive else 1) for each in components
        }

    def add(self, header: bytes) -> None:
        """Takes the header of a scan, from behind its length.

        Raises:
            UndecodableImage: the header contradicts itself, or the scans so far are too much work.
        """
        count = header[0] if header else 0
        if not 1 <= count <= 4 or len(header) != 4 + 2 * count:
            raise UndecodableImage(
                "the JPEG picture is damaged: a scan's header contradicts itself"
            )
        first, last, bits = header[-3:]
        self.count += 1
        refined = max(0, last - first + 1) / _COEFFICIENTS if bits >> 4 else 0.0
        self._weight += self._weight_of_one * count * (1 + _REFINEMENT * refined)
        self._refuse_if_too_heavy(self._weight)
        if self.count > 1 and self._weight * self._pixel_count > _MAX_SCANNED_PIXELS:
            raise _too_many()
        for component in header[1 : 1 + 2 * count : 2]:
            lowest = self._lowest_bits.get(component, [])
            for index in (
                range(first, min(last, _COEFFICIENTS - 1) + 1) if self._is_progressive else (0,)
            ):
                if index < len(lowest):
                    lowest[index] = bits & 0x0F if self._is_progressive else 0

    def refuse_if_most_is_missing(self) -> None:
        """Raises `UndecodableImage` if whole scans are missing, not only a part of the last one.

        It also does if there are more scans than should be decoded several times, which a picture without its end is.
        """
        self._refuse_if_too_heavy(_CUT_PASSES * self._weight)
        if any(bit != 0 for lowest in self._lowest_bits.values() for bit in lowest):
            raise UndecodableImage("the JPEG picture is cut short: scans are missing")

    def _refuse_if_too_heavy(self, weight: float) -> None:
        if self.count > 1 and weight > MAX_SCANS:
            raise _too_many()


def _too_many() -> UndecodableImage:
    return UndecodableImage(
        f"the JPEG picture has more scans than are decoded: at most {MAX_SCANS}, and "
        f"{_MAX_SCANNED_PIXELS // 1_000_000} megapixels in all of them; save it again, not progressive"
    )
