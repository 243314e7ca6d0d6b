"""The scans of a JPEG: how many a decoder must work through, and what is missing without the last of them.

A decoder works through all coefficients of a picture once a scan, however few bytes the scan has, so
a file of some kB could cost minutes (ITU-T T.81, annex G; "Two Issues with the JPEG Standard", the libjpeg-turbo project, 2013).
"""

from typing import Final

from facewire_server.errors import UndecodableImage

__all__ = ["MAX_SCANS", "Scans"]

MAX_SCANS: Final = 100
"""Most scans of a JPEG. The most that were found in 1,459 real files are 59; encoders write 10 to 13."""

_MAX_SCANNED_PIXELS: Final = 1_000_000_000
"""Most pixels times scans of a progressive JPEG: 48 megapixels in 20 scans. Measured on OpenCV 5: such a file costs at
most three times the processor time of a picture of 48 megapixels in one scan."""

_COEFFICIENTS: Final = 64
"""Coefficients of a block of 8x8 pixels (T.81, A.3.3)."""


class Scans:
    """Reads the headers of the scans of one frame."""

    def __init__(self, components: bytes, pixel_count: int, *, is_progressive: bool) -> None:
        """Starts before the first scan.

        Args:
            components: the ids of the frame's components.
            pixel_count: of the picture.
            is_progressive: a scan brings a part of the coefficients, or of their bits.
        """
        self.count = 0
        self._is_progressive = is_progressive
        self._pixel_count = pixel_count
        # Per component and coefficient: the lowest bit that the scans so far bring; None = none yet.
        self._lowest_bits: dict[int, list[int | None]] = {
            each: [None] * (_COEFFICIENTS if is_progressive else 1) for each in components
        }

    def add(self, header: bytes) -> None:
        """Takes the header of a scan, from behind its length.

        Raises:
            UndecodableImage: the header contradicts itself, or there are too many scans.
        """
        count = header[0] if header else 0
        if not 1 <= count <= 4 or len(header) != 4 + 2 * count:
            raise UndecodableImage(
                "the JPEG picture is damaged: a scan's header contradicts itself"
            )
        self.count += 1
        if self.count > MAX_SCANS or (
            self._is_progressive and self.count * self._pixel_count > _MAX_SCANNED_PIXELS
        ):
            raise UndecodableImage(
                f"the JPEG picture has more scans than are decoded: at most {MAX_SCANS}, and "
                f"{_MAX_SCANNED_PIXELS // 1_000_000} megapixels in all of them; save it again, not progressive"
            )
        first, last, bits = header[-3:]
        for component in header[1 : 1 + 2 * count : 2]:
            lowest = self._lowest_bits.get(component, [])
            for index in (
                range(first, min(last, _COEFFICIENTS - 1) + 1) if self._is_progressive else (0,)
            ):
                if index < len(lowest):
                    lowest[index] = bits & 0x0F if self._is_progressive else 0

    def refuse_if_most_is_missing(self) -> None:
        """Raises `UndecodableImage` if whole scans are missing, not only a part of the last one."""
        if any(bit != 0 for lowest in self._lowest_bits.values() for bit in lowest):
            raise UndecodableImage("the JPEG picture is cut short: scans are missing")
