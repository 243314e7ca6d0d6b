"""The evidence of a verdict: looks at one person, and apart from them those that may show another one."""

from typing import Final

from facewire_server.streams.verdicts.looks import Look, Looks

__all__ = ["Evidence"]

_SAME_PERSON: Final = 0.45
"""Cosine of a look and the mean of those before, below which the look may be another person's. Of a person's own looks 1.1 % lie lower on
different days and none within a clip (the least: .66); of other people's, 6 in 100,000 lie higher."""


class Evidence:
    """The looks at the face of a track.

    A look that does not resemble the others is averaged with them only if nothing depends on whose they are. Otherwise the verdict is
    searched for by such looks alone, until it is known whose face they show: averaged with three looks at its owner, two looks at another
    person would keep a name.
    """

    def __init__(self) -> None:
        """Starts without a look."""
        self._kept = Looks()
        self._doubted = Looks()
        self.is_held = False

    @property
    def searched(self) -> Looks:
        """The looks whose mean is the probe."""
        return self._doubted or self._kept

    @property
    def is_doubted(self) -> bool:
        """Whether the probe is of looks that may show another person."""
        return bool(self._doubted)

    @property
    def is_unproven(self) -> bool:
        """Whether the face was held back, and the looks since then do not resemble those before, if there are any."""
        return self.is_held and self.is_doubted

    @property
    def largest_inter_eye_px(self) -> float:
        """Distance of the eyes in the largest look; 0 without a look."""
        return self._kept.largest_inter_eye_px

    def add(self, look: Look, *, is_named: bool) -> bool:
        """Adds a look.

        Args:
            look: later than the ones before.
            is_named: whether the person has a name, which the look might contradict.

        Returns:
            Whether the probe changed.
        """
        agreement = self._kept.agreement(look.embedding)
        if agreement is not None and agreement >= _SAME_PERSON:
            changed = self.is_doubted
            self._doubted = Looks()
            self.is_held = False
            return self._kept.add(look) or changed
        if is_named:
            return self._doubted.add(look)
        if self.is_held:
            self._kept = Looks()
        return self._kept.add(look)

    def accept(self) -> None:
        """Counts the looks that were doubted among the others."""
        if self._doubted:
            self._kept.extend(self._doubted)
            self._doubted = Looks()
            self.is_held = False

    def start_again(self, *, is_looked_at: bool) -> None:
        """Keeps the looks that were doubted, if there are any, and forgets the others.

        Args:
            is_looked_at: the face was not held back after the last look.
        """
        if self._doubted:
            self._kept, self._doubted = self._doubted, Looks()
            self.is_held &= not is_looked_at
