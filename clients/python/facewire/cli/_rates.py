"""Error rates in words."""

__all__ = ["false_match_line", "share"]

_RAREST = 1e-6
"""Rarer rates are not printed: no calibration has data for them, and a number would say more than is known."""


_COMMON = 0.1
"""More frequent rates are printed in percent: "1 in 1" says nothing."""


def share(rate: float) -> str:
    """Returns a rate in percent."""
    return f"{100 * rate:.3g}%"


def false_match_line(
    what: str, rate: float | None, bound: float | None = None, *, is_extrapolated: bool = False
) -> str:
    """Returns how often two different people are as similar; "" if it is unknown.

    Args:
        what: they reach.
        rate: estimated share of comparisons of two different people; None = unknown.
        bound: its upper bound; None = not stated.
        is_extrapolated: it lies beyond the data of the calibration.
    """
    if not rate:
        return ""
    guess = ", a guess beyond the calibration's data" if is_extrapolated else ""
    if rate < _RAREST:
        return f"fewer than 1 comparison of two different people in {1 / _RAREST:,.0f} reach {what}{guess}"
    if rate > _COMMON:
        return f"{rate:.0%} of comparisons of two different people reach {what}"
    most = f" (at most 1 in {1 / bound:,.0f})" if bound else ""
    return f"1 comparison of two different people in {1 / rate:,.0f} reaches {what}{most}{guess}"
