"""Measures the calibration of the configured embedding model on labeled pictures, as its model contract states it."""

import argparse
import json

from facewire_server.app.evaluate_command import progress_bar
from facewire_server.app.evaluate_faces import labeled_samples
from facewire_server.app.values import usable_model_contract
from facewire_server.configuration.settings import Settings
from facewire_server.evaluation.calibrating import (
    LEAST_PEOPLE,
    Measured,
    calibrated,
    one_picture_each,
)
from facewire_server.evaluation.labels import LabelError, read_labels
from facewire_server.thresholds import Calibration
from facewire_server.types import FaceSelection

__all__ = ["entry_of", "run_calibrate_command"]


async def run_calibrate_command(flags: argparse.Namespace, settings: Settings) -> tuple[str, str]:
    """Measures a calibration.

    Args:
        flags: of `calibrate_flags`.
        settings: of the server; its galleries are not touched.

    Returns:
        The calibration as JSON, and what it rests on, for people to read.

    Raises:
        LabelError: the labels cannot be used, do not say who the people are, or show too few.
        SettingsError: a setting cannot be used.
        ServerError, OSError: the text says why; embedded pictures are kept if a folder for them was named.
    """
    labels = read_labels(flags.labels)
    if not labels.people_are_known:
        raise LabelError(
            f"{flags.labels} does not say who the people are: write person_a and person_b, since one person under two names is a false match"
        )
    contract = usable_model_contract(settings, settings.model_contract)
    samples = await labeled_samples(
        labels.pictures,
        settings,
        contract,
        selection=FaceSelection(flags.selection.replace("-", " ")),
        embeddings=flags.embeddings,
        progress=progress_bar(f"{len(labels.pictures)} pictures"),
    )
    rows = one_picture_each(samples, flags.seed)
    if len(rows) < LEAST_PEOPLE:
        raise LabelError(
            f"{flags.labels}: people with a picture that may be enrolled: {len(rows)}; a calibration needs {LEAST_PEOPLE} at least, "
            "since rates are shares of pairs of different people"
        )
    try:
        measured = calibrated(samples.probes[rows], samples.templates[rows], flags.seed)
    except ValueError as error:
        raise LabelError(f"{flags.labels}: {error}") from error
    entry = json.dumps({"calibration": entry_of(measured.calibration)}, indent=2)
    return entry, _described(measured, labels.remark)


def entry_of(calibration: Calibration) -> dict[str, object]:
    """Returns the entry `calibration` of a model contract."""
    return {
        "mean": calibration.mean,
        "spread": calibration.spread,
        "points": [
            {"fmr": point.fmr, "similarity": point.similarity, "fmr_bound": point.fmr_bound}
            for point in calibration.points
        ],
        "measured_to_fmr": calibration.measured_to_fmr,
    }


def _described(measured: Measured, remark: str) -> str:
    lines = [
        *([f"who is who: {remark}"] if remark else []),
        f"{measured.people} people, one picture each; {measured.comparisons:,} comparisons of two different people",
        "FMR      similarity  comparisons  FMR at most (95 %)",
    ]
    for point, hits in zip(measured.calibration.points, measured.hits, strict=True):
        lines.append(
            f"{point.fmr:<8.0e} {point.similarity:<11.4f} {hits:<12,} {point.fmr_bound:.3g}"
        )
    lines.append(f"rates below {measured.calibration.measured_to_fmr:.0e} are extrapolated")
    return "\n".join(lines)
