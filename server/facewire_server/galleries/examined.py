"""A gallery's checkup under the settings of its server: what counts as confusable, and what the findings are worth."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from facewire_server.galleries.checkup import (
    EnrolledPeople,
    FindingKind,
    Findings,
    StoredFaults,
    checkup,
)
from facewire_server.galleries.records import GalleryInfo
from facewire_server.galleries.single_picture import SinglePictureLimits
from facewire_server.thresholds import Threshold, likeness
from facewire_server.thresholds.doubles import LEAST_DOUBLE, probable_double
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
        least_double: cosine from which on two people are probably one.
        least_confusable: cosine from which on two people are confusable.
        findings: of each kind.
    """

    info: GalleryInfo
    people: EnrolledPeople
    threshold: Threshold
    is_of_contract: bool
    least_double: float
    least_confusable: float
    findings: dict[FindingKind, Findings]

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
        stored_faults: says which templates enrollment would refuse, of that model contract.
    """

    decision: DecisionPolicy
    model_contract_id: str
    limits: SinglePictureLimits
    stored_faults: StoredFaults

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
        least_double = LEAST_DOUBLE
        if policy.error_rates is not None:
            between = likeness(policy.error_rates.calibration, info.pairs).between_means()
            least_double = probable_double(len(people.identity_ids), between.similarity_at)
        findings = checkup(
            people,
            least_double=least_double,
            least_confusable=least,
            limits=self.limits,
            stored_faults=self.stored_faults if is_of_contract else lambda *_: (),
            limit=limit,
            progress=progress,
        )
        return Examined(info, people, threshold, is_of_contract, least_double, least, findings)
