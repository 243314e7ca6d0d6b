"""Checks settings: each within its bounds, and none against another."""

import ipaddress
import re
from typing import Final

from facewire_server.configuration.settings import Settings, SettingsError, all_settings

__all__ = ["check"]

_MOST_CAMERAS: Final = 256
"""Camera ids that may be labels; each is about twenty series, which Prometheus keeps. Chosen, not measured."""

_LEAST_THRESHOLD: Final = 0.01
"""Lowest threshold that can be set, a cosine similarity. Chosen, not measured: below it everyone is everyone."""

_ADDRESS: Final = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):\d{1,5}")

_MOST_PORT: Final = 65535
"""The largest port of TCP (RFC 9293: 16 bits). gRPC takes larger numbers, and listens on another port."""


def check(settings: Settings) -> None:
    """Checks bounds, and that no value contradicts another.

    Raises:
        SettingsError: the first value that cannot be used.
    """
    _check_bounds(settings)
    if 0 < settings.threshold < _LEAST_THRESHOLD:
        raise SettingsError(
            f"threshold is {settings.threshold}; it must be 0 or at least {_LEAST_THRESHOLD:g}"
        )
    _check_error_rates(settings)
    if settings.log_format not in ("auto", "text", "json"):
        raise SettingsError(f"log_format is {settings.log_format}; it must be auto, text or json")
    if settings.detector not in ("mtcnn", "dlib"):
        raise SettingsError(f"detector is {settings.detector}; it must be mtcnn or dlib")
    if settings.embed_frames not in ("auto", "float32", "bfloat16"):
        raise SettingsError(
            f"embed_frames is {settings.embed_frames}; it must be auto, float32 or bfloat16"
        )
    if settings.embed_frames == "bfloat16" and settings.embedder_address:
        raise SettingsError(
            "embed_frames is bfloat16, but embedder_address names a model server, which computes in its own way"
        )
    if settings.keep_enrollment_crops and settings.enrollment_crop_key_file is None:
        raise SettingsError(
            "keep_enrollment_crops needs a key: make one with `openssl rand -hex 32`, in a file that only the server's user "
            "can read, and name it by enrollment_crop_key_file"
        )
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise SettingsError("tls_certificate and tls_key belong together: set both or none")
    if not (settings.listen.startswith("unix:") or _is_address(settings.listen)):
        raise SettingsError(
            f"listen is {settings.listen!r}; it must be host:port, such as 127.0.0.1:50051, "
            "with a port up to 65535"
        )
    if settings.workers > 1 and settings.listen.startswith("unix:"):
        raise SettingsError(
            "workers share a port, which listen must name: not the path of a socket"
        )
    if settings.metrics_listen and not _is_address(settings.metrics_listen):
        raise SettingsError(
            f"metrics_listen is {settings.metrics_listen!r}; it must be host:port, such as "
            "127.0.0.1:9464, with a port up to 65535"
        )
    if len(settings.shown_cameras) > _MOST_CAMERAS:
        raise SettingsError(f"metrics_cameras may name at most {_MOST_CAMERAS} cameras")
    if "other" in settings.shown_cameras:
        raise SettingsError("metrics_cameras names 'other', which stands for all the others")
    for proxy in settings.proxies:
        if proxy != "unix" and not _is_network(proxy):
            raise SettingsError(
                f"trusted_proxies names {proxy!r}; each must be an IP address, a network such as "
                "10.0.0.0/8, or unix"
            )
    endpoint = settings.traces_endpoint
    if endpoint and not endpoint.startswith(("http://", "https://")):
        raise SettingsError(f"traces_endpoint is {endpoint!r}; it must begin with http(s)://")
    if settings.tls_client_ca is not None and settings.tls_certificate is None:
        raise SettingsError("tls_client_ca needs TLS: set tls_certificate and tls_key")
    asks = settings.token_file is not None or settings.tls_client_ca is not None
    secured = settings.tls_certificate is not None and asks
    if not (settings.is_loopback or secured or settings.insecure_listen):
        raise SettingsError(
            f"listen is {settings.listen}, which others can reach: set tls_certificate, tls_key "
            "and token_file or tls_client_ca, or --insecure-listen if something else protects the port"
        )


def _check_error_rates(settings: Settings) -> None:
    unset = Settings()
    is_by_alarms = settings.false_alarms_a_month > 0
    if is_by_alarms != (settings.strangers_a_day > 0):
        raise SettingsError(
            "false_alarms_a_month and strangers_a_day belong together: set both or none"
        )
    if is_by_alarms and settings.max_fpir != unset.max_fpir:
        raise SettingsError("max_fpir and false_alarms_a_month say the same thing: set one of them")
    if settings.threshold and (is_by_alarms or settings.max_fpir != unset.max_fpir):
        raise SettingsError(
            "threshold holds exactly, and so leaves no error rate to choose: set it or max_fpir (false_alarms_a_month), not both"
        )


def _check_bounds(settings: Settings) -> None:
    for name, _, about in all_settings():
        value = getattr(settings, name)
        # Written as a negation, so that a NaN fails, too.
        if about.least is not None and not value >= about.least:
            raise SettingsError(f"{name} is {value}; it must be at least {about.least:g}")
        if about.most is not None and not value <= about.most:
            raise SettingsError(f"{name} is {value}; it must be at most {about.most:g}")


def _is_address(text: str) -> bool:
    return bool(_ADDRESS.fullmatch(text)) and int(text.rpartition(":")[2]) <= _MOST_PORT


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
