"""The threshold of a match: its table by size, the calibration of a model, and the rule of a gallery."""

from facewire_server.thresholds.calibration import Calibration, CalibrationPoint, FalseMatchRate
from facewire_server.thresholds.rule import NO_PAIRS, GalleryPairs, GalleryRule, gallery_rule
from facewire_server.thresholds.steps import EVERY_SIZE, ThresholdStep, checked_steps, threshold_for
from facewire_server.thresholds.values import Threshold, ThresholdSource

__all__ = [
    "EVERY_SIZE",
    "NO_PAIRS",
    "Calibration",
    "CalibrationPoint",
    "FalseMatchRate",
    "GalleryPairs",
    "GalleryRule",
    "Threshold",
    "ThresholdSource",
    "ThresholdStep",
    "checked_steps",
    "gallery_rule",
    "threshold_for",
]
