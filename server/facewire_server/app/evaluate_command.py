"""The command `facewire-server evaluate`: error rates of the settings in force on labeled pictures, as a report."""

import argparse
import json
import math
import os
import shlex
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Final

import cv2

from facewire_server.app.evaluate_gallery import temporary_storage
from facewire_server.app.evaluate_pictures import take_pictures
from facewire_server.app.gallery_files import show_progress
from facewire_server.app.line import join_line
from facewire_server.app.values import (
    enrollment_gate,
    line_threads,
    model_addresses,
    probe_gate,
    processors_of,
    read_model_contract,
    request_defaults,
    serving_limits,
    work,
)
from facewire_server.configuration.credentials import read_file
from facewire_server.configuration.settings import ENVIRONMENT_PREFIX, Settings
from facewire_server.evaluation.cache import face_cache
from facewire_server.evaluation.document import document
from facewire_server.evaluation.fairness import Verdict
from facewire_server.evaluation.galleries import Galleries
from facewire_server.evaluation.identification import Plan
from facewire_server.evaluation.labels import Labels, read_labels
from facewire_server.evaluation.page import page
from facewire_server.evaluation.portraits import portrait
from facewire_server.evaluation.results import Evaluation, evaluated
from facewire_server.evaluation.samples import Gates, Samples
from facewire_server.evaluation.summary import summary
from facewire_server.evaluation.verification import Thresholds
from facewire_server.host.processors import usable_processors
from facewire_server.models import open_models
from facewire_server.pipeline.acquire import Acquirer
from facewire_server.pipeline.match import IfBothBlurred, threshold_of_pair
from facewire_server.proof.model_contract import ModelContract
from facewire_server.types import DecisionPolicy, FaceSelection, Quality

__all__ = ["run_evaluate_command"]

_PATIENCE_S: Final = 600.0
"""Seconds for a picture, in place of `frame_timeout_s`: a busy machine is no error of the models. Chosen, not measured."""

_SHAPING: Final = (
    *("THRESHOLD", "MIN_", "MAX_UPSIDE_DOWN", "MAX_FPIR", "MAX_FACES", "COMPARE_", "ENROLL_"),
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
    flags.report.mkdir(mode=0o700, parents=True, exist_ok=True)
    result = await _evaluated(flags, replace(settings, frame_timeout_s=_PATIENCE_S), labels)
    limits = serving_limits(settings).picture
    kept_in = [folder for folder in (flags.report, flags.embeddings) if folder is not None]
    deletion = shlex.join(["rm", "-r", *map(str, kept_in)])
    html, machine = flags.report / "report.html", flags.report / "report.json"
    _write(html, page(result, lambda sample: portrait(sample, limits), deletion))
    _write(machine, json.dumps(document(result), indent=1) + "\n")
    text = (
        f"{summary(result)}\n\n{html}\n{machine}\n"
        f"They hold faces and names: biometric data, which only you can read. To delete them: {deletion}"
    )
    return text, all(one.verdict is not Verdict.EXCEEDED for one in result.judgments)


async def _evaluated(flags: argparse.Namespace, settings: Settings, labels: Labels) -> Evaluation:
    contract = read_model_contract(settings.model_contract)
    defaults = request_defaults(settings, contract)
    processors = processors_of(settings, usable_processors().count)
    addresses = model_addresses(settings, contract)
    selection = FaceSelection(flags.selection.replace("-", " "))
    policy = defaults.decision
    gates = Gates(
        probe_gate(settings, contract).asking(min_inter_eye_px=policy.min_inter_eye_px),
        enrollment_gate(settings, contract),
    )
    cv2.setNumThreads(1)  # as in a server: pictures are worked on concurrently
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    shaping = (
        contract.id,
        version("facewire-server"),
        settings.detector,
        selection,
        defaults.picture,
    )
    with (
        face_cache(flags.embeddings, repr(shaping)) as cache,
        temporary_storage(contract) as storage,
        ThreadPoolExecutor(line_threads(processors)) as threads,
    ):
        async with open_models(
            contract,
            folder=settings.models,
            threads=processors,
            addresses=addresses,
            tls_ca=read_file(settings.models_tls_ca),
            detector=settings.detector,
        ) as models:
            shared = work(settings, processors, is_served=any(addresses.values()))
            line = join_line(settings, contract, models, storage, shared, threads)
            rows = await take_pictures(
                labels.pictures,
                Acquirer(line.finder, models.embedder, shared.slots),
                cache,
                gates,
                selection,
                defaults.picture,
                at_once=shared.slots.statistics().count,
                progress=_bar(f"{len(labels.pictures)} pictures"),
            )
        return await evaluated(
            Samples(rows, contract.dimension),
            labels,
            configuration=_configuration(settings, contract),
            thresholds=_thresholds(settings, policy),
            plan=Plan(flags.enrolled, flags.templates, seed=flags.seed),
            max_ratio=flags.max_group_ratio,
            new_gallery=Galleries(storage, policy).new,
            progress=_bar("galleries"),
        )


def _thresholds(settings: Settings, policy: DecisionPolicy) -> Thresholds:
    """Returns what a comparison takes for a pair of sharp faces, and for one of blurred ones."""
    limit = settings.compare_min_directional_sharpness
    rule = IfBothBlurred(limit, settings.compare_blurred_raise)
    usual, if_blurred = (
        threshold_of_pair([Quality(0, 0, 0, directional_sharpness=each)] * 2, policy, rule)
        for each in (math.inf, -math.inf)
    )
    return Thresholds(usual, if_blurred, limit)


def _configuration(settings: Settings, contract: ModelContract) -> dict[str, str]:
    chosen = {
        variable: value
        for variable, value, _ in settings.described()
        if variable.removeprefix(ENVIRONMENT_PREFIX).startswith(_SHAPING)
    }
    return {
        "facewire-server": version("facewire-server"),
        "model contract id": contract.id,
    } | chosen


def _bar(label: str) -> Callable[[float], None]:
    if sys.stderr.isatty():
        print(label, file=sys.stderr)
    return show_progress


def _write(path: Path, text: str) -> None:
    """Writes a file that only its owner may read, in the place of one that is there."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with open(
        os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    new.replace(path)
