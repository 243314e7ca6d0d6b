"""Error rates whose thresholds are the ones a test wants, by the number of people."""

from facewire_server.thresholds import Calibration, ErrorRates

__all__ = ["by_size"]

_MAX_FPIR = 0.01


def by_size(*steps: tuple[int, float]) -> ErrorRates:
    """Returns error rates by which a gallery of each number of people has the threshold beside it, at least two of them."""
    points = [(_MAX_FPIR / count, threshold, _MAX_FPIR / count) for count, threshold in steps]
    calibration = Calibration.checked(0.1, 0.09, points, points[-1][0])
    (_, of_pair), *_ = steps
    return ErrorRates(calibration, _MAX_FPIR, calibration.fmr_at(of_pair).value)
