"""Joins the line: recognizing and enrolling, over models and gallery."""

from concurrent.futures import Executor
from typing import NamedTuple

from facewire_server.app.capacity import Work
from facewire_server.app.values import (
    enrollment_gate,
    probe_gate,
    request_defaults,
    serving_limits,
)
from facewire_server.configuration.settings import Settings
from facewire_server.events import Emit, ignore
from facewire_server.galleries.ports import LiveEnrollments
from facewire_server.models import Models
from facewire_server.pipeline.attacks import AttackHints
from facewire_server.pipeline.compare import IfBothBlurred
from facewire_server.pipeline.enroll import Enroller
from facewire_server.pipeline.find import FaceFinder
from facewire_server.pipeline.frame import FrameReader
from facewire_server.pipeline.recognize import Recognizer
from facewire_server.proof.model_contract import ModelContract
from facewire_server.streams.camera.line import CameraLine
from facewire_server.streams.unknown import NotKeptUnknown, UnknownVisits
from facewire_server.work.budget import PixelBudgets

__all__ = ["Line", "join_line"]


class Line(NamedTuple):
    """What is done with pictures: in a server by its services, in an evaluation or a measurement without one."""

    recognizer: Recognizer
    enroller: Enroller
    camera_line: CameraLine
    finder: FaceFinder


def join_line(
    settings: Settings,
    contract: ModelContract,
    models: Models,
    gallery: LiveEnrollments,
    work: Work,
    threads: Executor,
    emit: Emit = ignore,
    unknown: UnknownVisits | None = None,
) -> Line:
    """Builds the line over models and gallery; it works on pixels in `threads`, and hands unknown visits over."""
    limits = serving_limits(settings)
    budget = PixelBudgets(limits.picture.max_pixels, small_pixels=limits.max_stream_pixels)
    finder = FaceFinder(
        models.detector,
        limits=limits.picture,
        threads=threads,
        budget=budget,
        left_behind=work.left_behind,
        emit=emit,
        follower=lambda: models.follower,
    )
    attacks = AttackHints(models.attacks, emit) if models.attacks else None
    recognizer = Recognizer(
        finder,
        models.embedder,
        gallery,
        work.slots,
        gate=probe_gate(settings, contract),
        if_both_blurred=IfBothBlurred(
            settings.compare_min_directional_sharpness, settings.compare_blurred_raise
        ),
        model_contract_id=contract.id,
        attacks=attacks,
    )
    enroller = Enroller(
        finder,
        models.embedder,
        gallery,
        work.slots,
        gate=enrollment_gate(settings, contract),
        policy=request_defaults(settings, contract).decision,
    )
    reader = FrameReader(
        models.detector, lambda: models.follower, threads=threads, budget=budget, emit=emit
    )
    camera_line = CameraLine(
        reader,
        models.embedder,
        gallery,
        probe_gate(settings, contract),
        limits.frame,
        work.left_behind,
        settings.keep_crops,
        unknown or NotKeptUnknown(),
        attacks,
    )
    return Line(recognizer, enroller, camera_line, finder)
