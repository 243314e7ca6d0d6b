"""The command `facewire-server evaluate`: error rates of the settings in force on labeled pictures, as a report."""

import argparse
import json
import math
import os
import shlex
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Final

from facewire_server.app.evaluate_beside import settings_beside
from facewire_server.app.evaluate_faces import labeled_samples, prove_models
from facewire_server.app.evaluate_gallery import temporary_storage
from facewire_server.app.gallery_files import show_progress
from facewire_server.app.values import request_defaults, serving_limits, usable_model_contract
from facewire_server.configuration.settings import ENVIRONMENT_PREFIX, Settings
from facewire_server.evaluation.document import document
from facewire_server.evaluation.fairness import Verdict
from facewire_server.evaluation.galleries import Galleries
from facewire_server.evaluation.identification import Plan
from facewire_server.evaluation.labels import Labels, read_labels
from facewire_server.evaluation.page import page
from facewire_server.evaluation.portraits import portrait
from facewire_server.evaluation.results import Evaluation, evaluated
from facewire_server.evaluation.summary import summary
from facewire_server.evaluation.verification import Thresholds
from facewire_server.evaluation.wanted import Wanted
from facewire_server.pipeline.compare import IfBothBlurred, threshold_of_pair
from facewire_server.proof.model_contract import ModelContract
from facewire_server.types import DecisionPolicy, FaceSelection, Quality

__all__ = ["progress_bar", "run_evaluate_command", "write_report"]

_SHAPING: Final = (
    *("THRESHOLD", "MIN_", "MAX_UPSIDE_DOWN", "MAX_FPIR", "FALSE_ALARMS_", "STRANGERS_"),
    *("MAX_FACES", "COMPARE_", "ENROLL_"),
    *("DETECTOR", "EMBEDDER", "MODEL", "MAX_PIXELS", "MAX_FRAME_BYTES"),
)
"""What the names of settings begin with that shape decisions: the report states these."""


async def run_evaluate_command(flags: argparse.Namespace, settings: Settings) -> tuple[str, bool]:
    """Evaluates, and writes the report.

    Args:
        flags: of `evaluate_flags`.
        settings: of the server; its galleries are not touched.

    Returns:
        What to print, and whether no group is worse off than is allowed.

    Raises:
        LabelError: the labels cannot be used.
        SettingsError: a setting cannot be used.
        ServerError, OSError: the text says why; embedded pictures are kept if a folder for them was named.
    """
    labels = read_labels(flags.labels)
    others = settings_beside(settings, flags.beside)
    for each in others:
        await prove_models(each)  # one that is missing is said before the first picture
    flags.report.mkdir(mode=0o700, parents=True, exist_ok=True)
    result = await _evaluated(flags, settings, labels, flags.enrolled)
    # As many people as in the galleries of the first model: FPIR grows with them.
    size = flags.enrolled if result.searched is None else result.searched.gallery_sizes[0]
    beside = [await _evaluated(flags, each, labels, size) for each in others]
    limits = serving_limits(settings).picture
    kept_in = [folder for folder in (flags.report, flags.embeddings) if folder is not None]
    deletion = shlex.join(["rm", "-r", *map(str, kept_in)])
    html, machine = flags.report / "report.html", flags.report / "report.json"
    write_report(html, page(result, lambda sample: portrait(sample, limits), deletion, beside))
    write_report(machine, json.dumps(document(result, beside), indent=1) + "\n")
    text = (
        f"{summary(result, beside)}\n\n{html}\n{machine}\n"
        f"They hold faces and names: biometric data, which only you can read. To delete them: {deletion}"
    )
    return text, all(one.verdict is not Verdict.EXCEEDED for one in result.judgments)


async def _evaluated(
    flags: argparse.Namespace, settings: Settings, labels: Labels, enrolled: int
) -> Evaluation:
    contract = usable_model_contract(settings, settings.model_contract)
    policy = request_defaults(settings, contract).decision
    samples = await labeled_samples(
        labels.pictures,
        settings,
        contract,
        selection=FaceSelection(flags.selection.replace("-", " ")),
        embeddings=flags.embeddings,
        progress=progress_bar(f"{settings.model_contract}: {len(labels.pictures)} pictures"),
    )
    with temporary_storage(contract) as storage:
        return await evaluated(
            samples,
            labels,
            model=settings.model_contract,
            configuration=_configuration(settings, contract, policy),
            thresholds=_thresholds(settings, policy),
            wanted=_wanted(policy),
            plan=Plan(enrolled, flags.templates, seed=flags.seed),
            max_ratio=flags.max_group_ratio,
            new_gallery=Galleries(storage, policy).new,
            progress=progress_bar(f"{settings.model_contract}: galleries"),
        )


def _thresholds(settings: Settings, policy: DecisionPolicy) -> Thresholds:
    """Returns what a comparison takes for a pair of sharp faces, and for one of blurred ones."""
    limit = settings.compare_min_directional_sharpness
    rule = IfBothBlurred(limit, settings.compare_blurred_raise)
    usual, if_blurred = (
        threshold_of_pair([Quality(0, 0, 0, directional_sharpness=each)] * 2, policy, rule).value
        for each in (math.inf, -math.inf)
    )
    return Thresholds(usual, if_blurred, limit)


def _wanted(policy: DecisionPolicy) -> Wanted:
    if policy.threshold is not None or policy.error_rates is None:
        return Wanted()
    return Wanted(policy.error_rates.max_fpir, policy.error_rates.max_fmr)


def _configuration(
    settings: Settings, contract: ModelContract, policy: DecisionPolicy
) -> dict[str, str]:
    chosen = {
        variable: value
        for variable, value, _ in settings.described()
        if variable.removeprefix(ENVIRONMENT_PREFIX).startswith(_SHAPING)
    }
    rates = policy.error_rates
    in_force = {} if rates is None else {"max_fpir in force": f"{rates.max_fpir:.3g}"}
    return {
        "facewire-server": version("facewire-server"),
        "model contract id": contract.id,
        **in_force,
        **chosen,
    }


def progress_bar(label: str) -> Callable[[float], None]:
    """Returns what draws a bar on a terminal, under this label."""
    if sys.stderr.isatty():
        print(label, file=sys.stderr)
    return show_progress


def write_report(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, in the place of one that is there; raises OSError, and leaves nothing then."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(text)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise OSError(error.errno, os.strerror(error.errno or 0), str(path)) from error
