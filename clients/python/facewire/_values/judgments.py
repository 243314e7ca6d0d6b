"""Why a decision is what it is, as immutable values."""

from dataclasses import dataclass

from facewire._values.enums import DecidingRule

__all__ = ["Judgment", "ThresholdRule"]


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """The threshold that follows from the wanted error rate: t = m + s · z(max_fpir / N).

    If the decision's `threshold_source` is ERROR_RATE, its threshold is t, or the one that `compare_max_fmr` asks of each comparison, if that is more.

    Attributes:
        threshold: t.
        max_fpir: wanted share of looks at people who are not enrolled that give a name.
        identity_count: N, the identities that a search compares.
        mean: m, how much two different people resemble each other, after shrinkage.
        spread: s, the standard deviation of that.
        shrinkage: how much the gallery's own people count in m and s; the model's calibration counts the rest. Range [0, 1).
        pair_mean: mean similarity between a template and another person's mean, in this gallery.
        pair_spread: the standard deviation of that.
        paired_identity_count: people whose pairs were compared.
        is_extrapolated: whether it rests on a rate beyond the data of the calibration.
        cohesion: how alike the pictures are of which the means are made, (0, 1]; 1 = each is of one picture. The calibration's part
            of m is divided by it.
    """

    threshold: float
    max_fpir: float
    identity_count: int
    mean: float
    spread: float
    shrinkage: float
    pair_mean: float
    pair_spread: float
    paired_identity_count: int
    is_extrapolated: bool
    cohesion: float


@dataclass(frozen=True, slots=True)
class Judgment:
    """Why a decision is what it is, in the terms of the rule that made it.

    Attributes:
        deciding_rule: what made the outcome what it is.
        false_match_rate: estimated share of comparisons of two different people, such as the gallery's, that reach the
            decision's similarity; None if the face was not compared, or the model has no calibration.
        false_match_rate_bound: its upper bound: of the 95 % interval if the data suffice for one, else chosen; None with it.
        is_extrapolated: whether the rate lies beyond the data of the calibration.
        false_name_rate: estimated share of looks at people who are not enrolled that get a name with the threshold in
            force, whoever chose it; None without a calibration.
        threshold_rule: what the threshold follows from, or would follow from; None without a calibration.
        min_margin: lead over a runner-up that also reaches the threshold, under which the outcome is AMBIGUOUS.
        min_inter_eye_px: eye distance under which the outcome is TOO_POOR, pixels.
        template_ids: of the mean that was matched, oldest first, at most 20; empty in a stream.
        template_count: how many templates that mean has.
        passed_over_similarity: of the face to the most similar identity that was passed over, since the face is nearer to a negative example
            of it; None if none was.
        negative_example_similarity: the face's highest similarity to a negative example of that identity; None with it.
    """

    deciding_rule: DecidingRule
    false_match_rate: float | None
    false_match_rate_bound: float | None
    is_extrapolated: bool
    false_name_rate: float | None
    threshold_rule: ThresholdRule | None
    min_margin: float
    min_inter_eye_px: float
    template_ids: tuple[str, ...]
    template_count: int
    passed_over_similarity: float | None = None
    negative_example_similarity: float | None = None
