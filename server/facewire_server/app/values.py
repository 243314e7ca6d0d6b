"""Converts the settings to the values that the rooms take."""

import dataclasses
from pathlib import Path
from typing import Final

from facewire_server import model_contracts
from facewire_server.app.capacity import max_calls, max_connections
from facewire_server.backends import tfserving
from facewire_server.backends.crop_cipher import CropKeys
from facewire_server.configuration.credentials import read_credentials, read_file
from facewire_server.configuration.settings import Settings, SettingsError
from facewire_server.galleries.examined import Standards
from facewire_server.galleries.single_picture import SinglePictureLimits
from facewire_server.pipeline.gate import Gate, QualityLimits
from facewire_server.proof.model_contract import ModelContract
from facewire_server.proof.servables import servables
from facewire_server.rpc.forwarded import TrustedProxies
from facewire_server.rpc.options import RequestDefaults, ServerOptions
from facewire_server.streams.limits import ServingLimits
from facewire_server.thresholds import ErrorRates, ThresholdSource
from facewire_server.thresholds.alarms import fpir_of_alarms
from facewire_server.types import DecisionPolicy, DetectionOptions, PictureLimits

__all__ = [
    "crop_keys",
    "enrollment_gate",
    "model_addresses",
    "probe_gate",
    "read_model_contract",
    "request_defaults",
    "server_options",
    "serving_limits",
    "standards",
    "usable_model_contract",
]

_PICTURE_FRACTION: Final = 1 / 32
"""Smallest face of a single picture, as a fraction of its shorter side: 34 pixels of a 1080p picture.
Chosen, not measured."""

_STREAM_FRACTION: Final = 1 / 16
"""Smallest face of a stream's frame: twice as large, for a quarter of the canvas. Chosen, not measured."""

_PICTURE_TILES: Final = 8
"""Most tiles of a single picture, each as large as the largest canvas: a panorama thirty times as wide as high is searched as finely
as any picture, in the time of about nine canvases. A stream's frame has none: the frames behind it wait. Chosen, not measured."""


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


def standards(settings: Settings, contract: ModelContract) -> Standards:
    """Returns what galleries are held to when they are examined."""
    limits = SinglePictureLimits.above_enrollment(
        inter_eye_px=settings.enroll_min_inter_eye_px,
        directional_sharpness=settings.enroll_min_directional_sharpness,
        yaw=settings.enroll_max_yaw,
        pitch=settings.enroll_max_pitch,
    )
    return Standards(
        request_defaults(settings, contract).decision,
        contract.id,
        limits,
        enrollment_gate(settings, contract).stored_faults,
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
