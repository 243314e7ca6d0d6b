"""The console's settings: flags and variables FACEWIRE_CONSOLE_*, and what is refused of them."""

import argparse
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

__all__ = ["PREFIX", "Settings", "SettingsError", "is_loopback", "read"]

PREFIX: Final = "FACEWIRE_CONSOLE_"

_LEAST_TOKEN_BYTES: Final = 24
"""Bytes of a login's token: as many random ones cannot be guessed, however fast they are tried. Chosen, not measured."""

_TRUE: Final = frozenset({"1", "true", "yes"})
_FALSE: Final = frozenset({"0", "false", "no"})

_SERVICE_LINK: Final = re.compile(r"SERVICE_(HOST|PORT(_\w+)?)|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?")
"""Variables that Kubernetes sets in every pod for a Service called facewire-console, without the prefix."""

_ADDRESS: Final = re.compile(r"[^\s/]+:\d{1,5}", re.ASCII)

_MIB: Final = 1 << 20
"""Bytes of a MiB."""


class SettingsError(Exception):
    """A setting cannot be used; the text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a console is started with.

    Attributes:
        host: address to listen on.
        port: port to listen on; 0 is any free one.
        server: address of the facewire server, "HOST:PORT".
        server_token_file: file of the token for the server, or None.
        server_tls: reach the server by TLS, checked with the authorities that gRPC knows.
        server_tls_ca: file of the certificates to check the server with, or None; implies TLS.
        server_metrics: address of the server's page of metrics, "HOST:PORT"; "" = Health shows no workers and no replicas.
        gallery: gallery of a request that names none.
        login_token_file: file of the token that browsers and programs log in with, or None for no login.
        tls_certificate: file of the console's certificate, or None for plain HTTP.
        tls_key: file of its key.
        insecure_listen: listen beyond loopback by plain HTTP, behind a proxy that has TLS.
        allowed_hosts: further values of the header `Host`, without port, comma-separated: names that lead here.
        old_cameras_without_login: the two calls of old cameras that only recognize need no login.
        max_image_bytes: most bytes of a picture, and of a message of a WebSocket; the server's own limit holds, too.
        max_cameras: most cameras that post frames at the same time.
        max_connections: most connections at the same time.
        compreface_keys: file of the keys of the CompreFace door, or None: no key opens it.
        compreface_delete_all: a request of that door that names no person may delete all of them.
        deepstack_gallery: gallery of DeepStack's requests without a key; "" = they are refused.
    """

    host: str = "127.0.0.1"
    port: int = 5000
    server: str = "127.0.0.1:50051"
    server_token_file: Path | None = None
    server_tls: bool = False
    server_tls_ca: Path | None = None
    server_metrics: str = ""
    gallery: str = "default"
    login_token_file: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    insecure_listen: bool = False
    allowed_hosts: str = ""
    old_cameras_without_login: bool = False
    max_image_bytes: int = 16 * _MIB
    max_cameras: int = 64
    max_connections: int = 256
    compreface_keys: Path | None = None
    compreface_delete_all: bool = False
    deepstack_gallery: str = ""

    @property
    def has_tls(self) -> bool:
        """Whether the console itself is reached by TLS."""
        return self.tls_certificate is not None

    @property
    def allowed(self) -> frozenset[str]:
        """`allowed_hosts`, lower case."""
        return frozenset(each.strip().lower() for each in self.allowed_hosts.split(",")) - {""}

    def login_token(self) -> bytes | None:
        """Reads the token of the login; None if there is none.

        Raises:
            SettingsError: the file cannot be read, or the token is too short.
        """
        if self.login_token_file is None:
            return None
        try:
            token = self.login_token_file.read_bytes().strip()
        except OSError as error:
            raise SettingsError(f"login_token_file cannot be read: {error.strerror}") from None
        if len(token) < _LEAST_TOKEN_BYTES:
            raise SettingsError(
                f"the token in login_token_file has {len(token)} bytes: at least {_LEAST_TOKEN_BYTES} random ones are "
                "needed, as `openssl rand -hex 16` writes them"
            )
        return token

    def check(self) -> None:
        """Refuses what would be open to others, or cannot work.

        Raises:
            SettingsError: see its text.
        """
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise SettingsError("tls_certificate and tls_key go together")
        for name in ("max_image_bytes", "max_cameras", "max_connections"):
            if getattr(self, name) < 1:
                raise SettingsError(f"{name} must be at least 1")
        if self.server_metrics and not _ADDRESS.fullmatch(self.server_metrics):
            raise SettingsError("server_metrics must be HOST:PORT, as 127.0.0.1:9464")
        if not 0 <= self.port <= 65535:
            raise SettingsError("port must be between 0 and 65535")
        self.login_token()
        if is_loopback(self.host):
            return
        if self.login_token_file is None:
            raise SettingsError(
                f"host {self.host} can be reached from other machines: give --login-token-file, or listen on 127.0.0.1"
            )
        if not (self.has_tls or self.insecure_listen):
            raise SettingsError(
                f"host {self.host} can be reached from other machines, and the login would cross the network in plain text: "
                "give --tls-certificate and --tls-key, or --insecure-listen behind a proxy that has TLS"
            )


def is_loopback(host: str) -> bool:
    """Returns whether only this machine reaches an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """Reads the settings: a flag wins over its variable, and that over the default.

    Args:
        arguments: of the command line, without the program's name.
        environment: the variables; those of other programs are left alone.

    Raises:
        SettingsError: a variable is unknown, or a value is refused.
        SystemExit: a flag is unknown (2), or help was asked for (0).
    """
    names = {each.name: each for each in fields(Settings)}
    variables = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and not _is_service_link(name.removeprefix(PREFIX), value)
    }
    if unknown := sorted(variables.keys() - names.keys()):
        raise SettingsError(f"unknown variable {PREFIX}{unknown[0].upper()}")
    flags = vars(_parser().parse_args(list(arguments)))
    values = {**variables, **{name: value for name, value in flags.items() if value is not None}}
    settings = Settings(**{name: _typed(name, value) for name, value in values.items()})
    settings.check()
    return settings


def _is_service_link(stem: str, value: str) -> bool:
    return bool(_SERVICE_LINK.fullmatch(stem)) or (stem == "PORT" and "://" in value)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="facewire-console",
        description="A page, JSON over HTTP and a WebSocket in front of a facewire server.",
        epilog=f"Each flag has a variable: --server-token-file is {PREFIX}SERVER_TOKEN_FILE.",
    )
    for each in fields(Settings):
        flag = f"--{each.name.replace('_', '-')}"
        if isinstance(each.default, bool):
            parser.add_argument(flag, nargs="?", const="true", metavar="BOOL")
        else:
            shown = "none" if each.default in (None, "") else each.default
            parser.add_argument(flag, metavar="VALUE", help=f"default: {shown}")
    return parser


def _typed(name: str, text: str) -> Any:
    default = getattr(Settings(), name)
    if isinstance(default, bool):
        if text.lower() not in _TRUE | _FALSE:
            raise SettingsError(f"{name} must be true or false")
        return text.lower() in _TRUE
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{name} must be a whole number") from None
    if default is None:
        return Path(text) if text else None
    return text
