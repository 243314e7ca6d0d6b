"""The threshold of a match: the error rates that are wanted, the calibration of a model, and the rule of a gallery."""

from facewire_server.thresholds.calibration import Calibration, CalibrationPoint, FalseMatchRate
from facewire_server.thresholds.error_rates import ErrorRates
from facewire_server.thresholds.likeness import NO_PAIRS, GalleryPairs, Likeness, likeness
from facewire_server.thresholds.rule import GalleryRule, gallery_rule
from facewire_server.thresholds.values import UNCALIBRATED, Threshold, ThresholdSource

__all__ = [
    "NO_PAIRS",
    "UNCALIBRATED",
    "Calibration",
    "CalibrationPoint",
    "ErrorRates",
    "FalseMatchRate",
    "GalleryPairs",
    "GalleryRule",
    "Likeness",
    "Threshold",
    "ThresholdSource",
    "gallery_rule",
    "likeness",
]
