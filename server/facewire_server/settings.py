"""Everything an operator can set, and the only reader of the environment.

A setting `x_y` is the flag `--x-y` and the variable `FACEWIRE_X_Y`; the flag wins.
"""

import argparse
import dataclasses
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

__all__ = ["ENVIRONMENT_PREFIX", "Settings", "SettingsError"]

ENVIRONMENT_PREFIX = "FACEWIRE_"


class SettingsError(Exception):
    """A setting cannot be what it was set to; the text says which, and what it may be."""


class _About(NamedTuple):
    text: str
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one server process."""

    listen: Annotated[str, _About("address and port to serve on")] = "127.0.0.1:50051"
    insecure_listen: Annotated[
        bool, _About("serve others without TLS and a token: whoever reaches the port may use it")
    ] = False
    tls_certificate: Annotated[Path | None, _About("PEM certificate chain; with tls_key")] = None
    tls_key: Annotated[Path | None, _About("PEM private key of the certificate")] = None
    token_file: Annotated[
        Path | None, _About("file with the bearer token that every call must carry")
    ] = None
    data: Annotated[Path, _About("folder of the gallery: biometric data")] = Path("data")
    models: Annotated[Path, _About("folder of the SavedModels")] = Path("models")
    detector_address: Annotated[
        str,
        _About(
            "TensorFlow Serving of `mtcnn`: host:port, several with commas between; empty = run "
            "it here"
        ),
    ] = ""
    embedder_address: Annotated[
        str,
        _About("TensorFlow Serving of `embedding`, in the same form; empty = run it here"),
    ] = ""
    models_tls_ca: Annotated[
        Path | None, _About("PEM certificates to check those servers with; not set = no TLS")
    ] = None
    contract: Annotated[
        str, _About("model contract: the name of one that comes with the server, or a JSON file")
    ] = "sface"
    gallery_max_bytes: Annotated[
        int, _About("bytes that the gallery may grow to on disk", least=1 << 20)
    ] = 64 << 30
    threads: Annotated[int, _About("processors to use; 0 = all", least=0, most=1024)] = 0
    threshold: Annotated[
        float, _About("lowest cosine similarity of a match", least=0.01, most=1.0)
    ] = 0.42
    min_margin: Annotated[
        float,
        _About("lead over the runner-up under which a match is AMBIGUOUS", least=0.0, most=1.0),
    ] = 0.03
    min_inter_eye_px: Annotated[
        float, _About("distance of the eyes under which a face is TOO_POOR", least=0.0)
    ] = 8.0
    enroll_min_inter_eye_px: Annotated[
        float, _About("distance of the eyes under which a face makes no template", least=0.0)
    ] = 16.0
    min_score: Annotated[float, _About("lowest detection score of a face", least=0.7, most=1.0)] = (
        0.9
    )
    max_faces: Annotated[int, _About("most faces of one picture", least=1, most=1024)] = 256
    max_frame_bytes: Annotated[
        int, _About("most bytes of one picture", least=1 << 10, most=1 << 30)
    ] = 16 << 20
    max_pixels: Annotated[
        int, _About("most pixels of one picture", least=1 << 10, most=1 << 30)
    ] = 50_000_000
    max_streams: Annotated[int, _About("streams open at the same time", least=1)] = 64
    max_in_flight: Annotated[
        int, _About("credit: frames of a stream not accounted for", least=1, most=64)
    ] = 4
    pictures_at_once: Annotated[
        int,
        _About(
            "pictures in work at the same time; 0 = one more than processors, and 16 more where a "
            "model is elsewhere",
            least=0,
        ),
    ] = 0
    frame_timeout_s: Annotated[
        float, _About("time from a picture's arrival to its answer", least=0.1)
    ] = 10.0
    slow_reader_timeout_s: Annotated[
        float, _About("time that a client may leave its answers unread", least=0.1)
    ] = 30.0
    drain_s: Annotated[
        float, _About("time to finish what is in hand when the server is stopped", least=0.0)
    ] = 10.0
    log_format: Annotated[str, _About("text, json, or auto: text on a terminal")] = "auto"

    @classmethod
    def read(
        cls, arguments: Sequence[str], environment: Mapping[str, str], *, program: str
    ) -> "Settings":
        """Reads flags, then variables, then defaults.

        Raises:
            SettingsError: a value is not of its type, out of range, or contradicts another.
        """
        flags = vars(cls._parser(program).parse_args(arguments))
        values = {}
        for name, kind, _ in _fields():
            variable = ENVIRONMENT_PREFIX + name.upper()
            if flags[name] is not None:
                values[name] = _parse(kind, flags[name], said_as=_flag(name))
            elif variable in environment:
                values[name] = _parse(kind, environment[variable], said_as=variable)
        settings = cls(**values)
        settings._check()
        return settings

    def described(self) -> list[tuple[str, str, str]]:
        """Variable, value now, and what it is for, of each setting."""
        return [
            (ENVIRONMENT_PREFIX + name.upper(), _shown(getattr(self, name)), about.text)
            for name, _, about in _fields()
        ]

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach `listen`."""
        host = self.listen.rpartition(":")[0].strip("[]")
        if host == "localhost" or self.listen.startswith("unix:"):
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:  # a name may resolve to anything
            return False

    @classmethod
    def _parser(cls, program: str) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            program,
            description="Serves facewire.v1. Every flag is a variable too: --max-streams is "
            f"{ENVIRONMENT_PREFIX}MAX_STREAMS.",
            allow_abbrev=False,
        )
        defaults = cls()
        for name, kind, about in _fields():
            text = f"{about.text} (default: {_shown(getattr(defaults, name))})"
            if kind is bool:
                parser.add_argument(_flag(name), nargs="?", const="true", metavar="BOOL", help=text)
            else:
                parser.add_argument(_flag(name), metavar=name.upper(), help=text)
        return parser

    def _check(self) -> None:
        for name, _, about in _fields():
            value = getattr(self, name)
            # Negated, so that a NaN fails too.
            if about.least is not None and not value >= about.least:
                raise SettingsError(f"{name} is {value}; it must be at least {about.least:g}")
            if about.most is not None and not value <= about.most:
                raise SettingsError(f"{name} is {value}; it must be at most {about.most:g}")
        if self.log_format not in ("auto", "text", "json"):
            raise SettingsError(f"log_format is {self.log_format}; it must be auto, text or json")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise SettingsError("tls_certificate and tls_key belong together: set both or none")
        secured = self.tls_certificate is not None and self.token_file is not None
        if not (self.is_loopback or secured or self.insecure_listen):
            raise SettingsError(
                f"listen is {self.listen}, which others can reach: set tls_certificate, tls_key "
                "and token_file, or say --insecure-listen where something else protects the port"
            )


def _fields() -> list[tuple[str, Any, _About]]:
    """Name, type and explanation of each setting, in order."""
    hints = get_type_hints(Settings, include_extras=True)
    return [
        (field.name, *get_args(hints[field.name])[:2]) for field in dataclasses.fields(Settings)
    ]


_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _parse(kind: Any, text: str, *, said_as: str) -> Any:
    try:
        if kind is bool:
            return _TRUTH[text.lower()]
        return kind(text) if kind in (int, float, str) else Path(text)
    except (KeyError, ValueError) as error:
        wanted = {int: "a whole number", float: "a number", bool: "true or false"}[kind]
        raise SettingsError(f"{said_as} is {text!r}; it must be {wanted}") from error


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _shown(value: object) -> str:
    return "not set" if value is None else str(value)
