"""Converts the settings to the values that the rooms take."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from facewire_server import model_contracts
from facewire_server.backends import tfserving
from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.configuration.credentials import read_credentials, read_file
from facewire_server.configuration.settings import Settings, SettingsError
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.proof.model_contract import ModelContract
from facewire_server.proof.servables import servables
from facewire_server.rpc.forwarded import TrustedProxies
from facewire_server.rpc.options import RequestDefaults, ServerOptions
from facewire_server.streams.limits import ServingLimits
from facewire_server.thresholds import ErrorRates, ThresholdSource
from facewire_server.thresholds.alarms import fpir_of_alarms
from facewire_server.types import DecisionPolicy, DetectionOptions, PictureLimits
from facewire_server.work.held_bytes import ByteBudget
from facewire_server.work.left_behind import LeftBehind
from facewire_server.work.slots import WorkSlots

__all__ = [
    "Work",
    "crop_keys",
    "enrollment_gate",
    "gallery_read_threads",
    "line_threads",
    "max_calls",
    "max_connections",
    "model_addresses",
    "most_left_behind",
    "pictures_at_once",
    "probe_gate",
    "processors_of",
    "read_model_contract",
    "request_defaults",
    "server_options",
    "serving_limits",
    "usable_model_contract",
    "work",
]

_SERVED_AT_ONCE: Final = 16
"""Further pictures in work if a model is elsewhere: they need no processor here while it works on them.
Chosen, not measured."""

_CALLS_BESIDE_STREAMS: Final = 64
"""Calls in progress besides `max_streams` streams: unary calls, imports, exports. Chosen, not measured."""

_OTHER_FILES: Final = 128
"""Open files of a server beside its connections: 20 were measured with both models inside; the others are for models
elsewhere, metrics, traces and handles of a moment."""

_PICTURE_FRACTION: Final = 1 / 32
"""Smallest face of a single picture, as a fraction of its shorter side: 34 pixels of a 1080p picture.
Chosen, not measured."""

_STREAM_FRACTION: Final = 1 / 16
"""Smallest face of a stream's frame: twice as large, for a quarter of the canvas. Chosen, not measured."""

_PICTURE_TILES: Final = 8
"""Most tiles of a single picture, each as large as the largest canvas: a panorama thirty times as wide as high is searched as finely
as any picture, in the time of about nine canvases. A stream's frame has none: the frames behind it wait. Chosen, not measured."""


@dataclass(frozen=True, slots=True)
class Work:
    """What all streams and calls share.

    Attributes:
        slots: of the pictures in work.
        frame_bytes: of the frames that streams have sent.
        call_bytes: of the requests of calls.
        left_behind: pictures whose threads go on after their deadline.
    """

    slots: WorkSlots
    frame_bytes: ByteBudget
    call_bytes: ByteBudget
    left_behind: LeftBehind


def work(settings: Settings, processors: int, *, is_served: bool) -> Work:
    """Returns what streams and calls share; each has half of the bytes, so that neither keeps the other out."""
    at_once = pictures_at_once(settings, processors, is_served=is_served)
    return Work(
        WorkSlots(at_once, picture_timeout_s=settings.frame_timeout_s),
        ByteBudget(settings.max_held_bytes // 2),
        ByteBudget(settings.max_held_bytes // 2),
        LeftBehind(most_left_behind(processors)),
    )


def read_model_contract(name_or_path: str) -> ModelContract:
    """Reads a shipped contract by its name, or a contract file.

    Raises:
        SettingsError: it cannot be read, or is not a model contract.
    """
    shipped = Path(model_contracts.__path__[0]) / f"{name_or_path}.json"
    path = shipped if shipped.is_file() else Path(name_or_path)
    try:
        return ModelContract.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"model_contract is {name_or_path}, which cannot be used: {error}"
        ) from error


def usable_model_contract(settings: Settings, name_or_path: str) -> ModelContract:
    """Reads a model contract as `read_model_contract` does, for a command that runs the model.

    Raises:
        SettingsError: also if the license of its weights forbids commercial use, and `accept_non_commercial` is not set.
    """
    contract = read_model_contract(name_or_path)
    if contract.non_commercial and not settings.accept_non_commercial:
        raise SettingsError(
            f"the license of the weights of {name_or_path} forbids commercial use ({contract.non_commercial}): set "
            "accept_non_commercial if yours is none"
        )
    return contract


def crop_keys(settings: Settings) -> CropKeys | None:
    """Returns the keys of the crops that galleries keep; None if the settings name none.

    Raises:
        SettingsError: the file cannot be read, or holds no keys.
    """
    file = settings.enrollment_crop_key_file
    if file is None:
        return None
    try:
        return CropKeys.parse(read_file(file).decode("ascii", errors="replace"))
    except ValueError as error:
        raise SettingsError(f"enrollment_crop_key_file {file} cannot be used: {error}") from error


def model_addresses(settings: Settings, contract: ModelContract) -> dict[str, str]:
    """Returns the address of each servable, "" for this process, by the name of its setting.

    Raises:
        SettingsError: a setting is not an address.
    """
    names = {row.address_setting for row in servables(contract)}
    addresses: dict[str, str] = {name: getattr(settings, name) for name in names}
    for name, address in addresses.items():
        try:
            if address:
                tfserving.hosts(address)
        except ValueError as error:
            raise SettingsError(f"{name} is {address!r}: {error}") from error
    return addresses


def serving_limits(settings: Settings) -> ServingLimits:
    """Returns the limits of requests and streams."""
    return ServingLimits(
        picture=PictureLimits(settings.max_frame_bytes, settings.max_pixels),
        max_stream_pixels=min(settings.max_stream_pixels, settings.max_pixels),
        max_in_flight=settings.max_in_flight,
        slow_reader_timeout_s=settings.slow_reader_timeout_s,
        max_streams=settings.max_streams,
        max_calls_per_connection=settings.max_calls_per_connection,
        request_timeout_s=settings.request_timeout_s,
        stream_idle_timeout_s=settings.stream_idle_timeout_s,
    )


def request_defaults(settings: Settings, contract: ModelContract) -> RequestDefaults:
    """Returns the options of a request that leaves them unset."""

    def detection(short_side_fraction: float, max_tiles: int) -> DetectionOptions:
        return DetectionOptions(
            min_score=settings.min_score,
            max_faces=settings.max_faces,
            short_side_fraction=short_side_fraction,
            max_tiles=max_tiles,
        )

    return RequestDefaults(
        decision=DecisionPolicy(
            threshold=settings.threshold or None,
            min_margin=settings.min_margin,
            min_inter_eye_px=settings.min_inter_eye_px,
            threshold_source=ThresholdSource.OPERATOR,
            error_rates=error_rates(settings, contract),
        ),
        picture=detection(_PICTURE_FRACTION, _PICTURE_TILES),
        stream=detection(_STREAM_FRACTION, 0),
    )


def error_rates(settings: Settings, contract: ModelContract) -> ErrorRates | None:
    """Returns the error rates that are wanted; None = the model contract has no calibration, so that none can be kept."""
    if contract.calibration is None:
        return None
    max_fpir = settings.max_fpir
    if settings.false_alarms_a_month:
        max_fpir = fpir_of_alarms(settings.false_alarms_a_month, settings.strangers_a_day)
    return ErrorRates(contract.calibration, max_fpir, settings.compare_max_fmr)


def probe_gate(settings: Settings, contract: ModelContract) -> Gate:
    """Returns which faces are TOO_POOR to be decided about, whatever their size."""
    limits = QualityLimits(
        min_norm=_norm(settings.min_norm, contract.min_norm),
        max_upside_down=settings.max_upside_down,
        min_directional_sharpness=settings.min_directional_sharpness,
    )
    causes = QualityLimits(
        min_directional_sharpness=settings.enroll_min_directional_sharpness,
        max_yaw=settings.enroll_max_yaw,
        min_brightness=settings.enroll_min_brightness,
        max_brightness=settings.enroll_max_brightness,
        prefix="enroll_",
    )
    return Gate(limits, upside_down=contract.upside_down, causes=causes)


def enrollment_gate(settings: Settings, contract: ModelContract) -> Gate:
    """Returns which faces are too poor to be enrolled: each limit is the setting of its name after "enroll_"."""
    prefix = "enroll_"
    limits = {
        field.name: getattr(settings, prefix + field.name)
        for field in dataclasses.fields(QualityLimits)
        if field.name != "prefix"
    }
    limits["min_norm"] = _norm(settings.enroll_min_norm, contract.enroll_min_norm)
    return Gate(QualityLimits(prefix=prefix, **limits), upside_down=contract.upside_down)


def _norm(set_norm: float, stated: float) -> float:
    """Returns the setting, or what the model contract states: another model's norms have another scale."""
    return stated if set_norm < 0 else set_norm


def server_options(settings: Settings, open_files: int) -> ServerOptions:
    """Returns address, credentials and limits of calls and connections; reads the files of the credentials.

    Args:
        settings: of the server.
        open_files: that the process may have.

    Raises:
        SettingsError: a file cannot be used.
    """
    credentials = read_credentials(settings)
    return ServerOptions(
        address=settings.listen,
        shares_port=settings.workers > 1,
        tokens=credentials.tokens,
        tls_certificate_chain=credentials.tls_certificate_chain,
        tls_private_key=credentials.tls_private_key,
        tls_client_authorities=credentials.tls_client_authorities,
        max_calls=max_calls(settings),
        max_connections=max_connections(settings, open_files),
        trusted_proxies=TrustedProxies.of(settings.proxies),
    )


def pictures_at_once(settings: Settings, processors: int, *, is_served: bool) -> int:
    """Returns the number of work slots.

    One more than processors, so that the next picture is read while all are busy; more if a model is
    elsewhere (`is_served`).
    """
    return settings.pictures_at_once or processors + 1 + (_SERVED_AT_ONCE if is_served else 0)


def processors_of(settings: Settings, usable: int) -> int:
    """Returns the processors of this process: its part of those that may be used, of several workers."""
    return max(1, (settings.threads or usable) // settings.workers)


def line_threads(processors: int) -> int:
    """Returns the number of threads that work on pixels.

    Two for each picture in work with embedded models (`pictures_at_once`): while a picture is decoded at full size
    it may also be decoded at a reduced one, for the detector. With models elsewhere more pictures are in work,
    but processors and not threads are what they wait for. Two more for each that is left behind. Chosen, not measured.
    """
    return 2 * (processors + 1 + most_left_behind(processors))


def most_left_behind(processors: int) -> int:
    """Returns the most pictures whose threads may go on after their deadline, without a slot.

    Half of the processors stay for the pictures that hold one. Chosen, not measured.
    """
    return max(1, processors // 2)


def gallery_read_threads(processors: int) -> int:
    """Returns the most searches and other reads of galleries at once.

    One for each processor, which a search keeps busy, and one more that runs while another waits for the disk.
    Chosen, not measured.
    """
    return processors + 1


def max_calls(settings: Settings) -> int:
    """Returns the most calls in progress, streams included and health not."""
    return settings.max_streams + _CALLS_BESIDE_STREAMS


def max_connections(settings: Settings, open_files: int) -> int:
    """Returns the most connections: the setting, or what the limit of open files leaves."""
    return max(1, min(settings.max_connections, open_files - _OTHER_FILES))
