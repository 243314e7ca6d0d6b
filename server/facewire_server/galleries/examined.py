"""A gallery's checkup under the settings of its server: what counts as confusable, and what the findings are worth."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from facewire_server.galleries.checkup import EnrolledPeople, FindingKind, Findings, checkup
from facewire_server.galleries.records import GalleryInfo
from facewire_server.galleries.single_picture import SinglePictureLimits
from facewire_server.thresholds import Threshold
from facewire_server.thresholds.rule import PROBABLE_DOUBLE
from facewire_server.types import DecisionPolicy

__all__ = ["Examined", "Standards"]


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """One gallery, and what was found in it.

    Attributes:
        info: of the gallery.
        people: in it.
        threshold: of the gallery, under the settings.
        is_of_contract: whether the settings' model contract is the gallery's.
        least_confusable: cosine from which on two people are confusable.
        findings: of each kind.
    """

    info: GalleryInfo
    people: EnrolledPeople
    threshold: Threshold
    is_of_contract: bool
    least_confusable: float
    findings: dict[FindingKind, Findings]

    @property
    def doubles_by_chance(self) -> float | None:
        """Pairs of different people who are expected to be as similar as probable doubles; None without a calibration.

        The calibration is of comparisons of two pictures, and these are of means.
        """
        if self.threshold.rule is None:
            return None
        people = len(self.people.identity_ids)
        return self.threshold.rule.fmr_at(PROBABLE_DOUBLE).value * people * (people - 1) / 2

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not any(found.total for found in self.findings.values())


@dataclass(frozen=True, slots=True)
class Standards:
    """What the galleries of a server are held to.

    Attributes:
        decision: when two people match.
        model_contract_id: that `decision` is calibrated for.
        limits: what the only picture of a person must reach.
    """

    decision: DecisionPolicy
    model_contract_id: str
    limits: SinglePictureLimits

    def examine(
        self,
        info: GalleryInfo,
        people: EnrolledPeople,
        limit: int,
        progress: Callable[[float], None] = lambda share: None,
    ) -> Examined:
        """Returns what is wrong in a gallery; for a thread, since all pairs are compared.

        Args:
            info: of the gallery.
            people: in it.
            limit: most findings of a kind that are listed, 1 or more.
            progress: takes the share that is done, 0 to 1, if there are many; may raise.
        """
        policy = self.decision
        is_of_contract = info.model_contract_id == self.model_contract_id
        if not is_of_contract:
            policy = dataclasses.replace(policy, error_rates=None)
        threshold = policy.threshold_among(info.enrolled_count, info.pairs)
        least = threshold.value - policy.min_margin
        findings = checkup(
            people, least_confusable=least, limits=self.limits, limit=limit, progress=progress
        )
        return Examined(info, people, threshold, is_of_contract, least, findings)
