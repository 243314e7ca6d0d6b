"""Where settings come from: flags, then variables, then a file, then defaults; the first wins.

`__main__` alone reads the environment, and passes it in.
"""

import argparse
import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from facewire_server.configuration.checks import check
from facewire_server.configuration.env_file import read_env_file
from facewire_server.configuration.settings import (
    ENVIRONMENT_PREFIX,
    Setting,
    Settings,
    SettingsError,
    all_settings,
)

__all__ = ["NOT_THE_SERVERS", "add_flags", "read"]

NOT_THE_SERVERS: Final = MappingProxyType(
    {
        "FACEWIRE_SERVER": "the client's, and the demo's: the server's address",
        "FACEWIRE_TOKEN": "the client's: its token",
        "FACEWIRE_CLIENT_TOKEN_FILE": "the client's: file of its token",
        "FACEWIRE_CLIENT_CERT": "the client's: file of its certificate",
        "FACEWIRE_CLIENT_KEY": "the client's: file of its key",
        "FACEWIRE_TLS_CA": "the client's: certificates to check the server with",
        "FACEWIRE_MQTT_BROKER": "the MQTT bridge's: the broker's address",
        "FACEWIRE_MQTT_USER": "the MQTT bridge's: its name at the broker",
        "FACEWIRE_MQTT_PASSWORD_FILE": "the MQTT bridge's: file of its password",
        "FACEWIRE_FRIGATE_USER": "the MQTT bridge's: its name at Frigate",
        "FACEWIRE_FRIGATE_PASSWORD_FILE": "the MQTT bridge's: file of its password there",
        "FACEWIRE_PORT": "compose.yaml's: the published port",
        "FACEWIRE_CPUS": "compose.yaml's: processors of a container",
        "FACEWIRE_SECRETS": "compose.public.yaml's: folder of certificate and key",
        "FACEWIRE_SHARED": "the tests' and measurements': a folder of pictures",
        "FACEWIRE_TEST_SERVER": "the tests': a server that runs already",
    }
)
"""Variables with the prefix that belong to other programs, each with its owner. The server ignores
them: they are often set in the shell that starts it."""

_NOT_THE_SERVERS_PREFIX: Final = "FACEWIRE_CONSOLE_"
"""How the console's own variables begin: both are started in one shell, as `make run` does."""

_SERVICE_LINK: Final = re.compile(
    r"FACEWIRE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)"
)
"""Kubernetes sets these in every pod, from the name of each Service in its namespace; a Service
called `facewire` would otherwise keep the server from starting."""

_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds a flag for each setting, and `--env-file`."""
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="file of settings, as `facewire-server config` prints it; variables and flags win",
    )
    for setting, (_, default, _) in zip(all_settings(), Settings().described(), strict=True):
        notes = "; ".join(filter(None, [f"default: {default or 'empty'}", setting.about.bounds]))
        text = f"{setting.about.text} ({notes})".replace("%", "%%")
        if setting.type is bool:
            parser.add_argument(setting.flag, nargs="?", const="true", metavar="BOOL", help=text)
        else:
            parser.add_argument(setting.flag, metavar=setting.name.upper(), help=text)


def read(flags: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """Returns the settings: flags win over variables, variables over the file, it over defaults.

    Args:
        flags: of a parser with `add_flags`.
        environment: of the process; other programs' variables are ignored.

    Raises:
        SettingsError: the file cannot be read, a name is unknown, or a value is not of its type,
            out of range, or contradicts another.
    """
    file = flags.env_file
    in_file = {} if file is None else read_env_file(file)
    _refuse_unknown(in_file, source=f"{file}: ")
    _refuse_unknown(name for name in environment if name.startswith(ENVIRONMENT_PREFIX))
    values = {}
    for setting in all_settings():
        variable = setting.variable
        if (text := getattr(flags, setting.name)) is not None:
            values[setting.name] = _parsed(setting, text, source=setting.flag)
        elif variable in environment:
            values[setting.name] = _parsed(setting, environment[variable], source=variable)
        elif variable in in_file:
            source = f"{file}: {variable}"
            values[setting.name] = _parsed(setting, in_file[variable], source=source)
    settings = Settings(**values)
    check(settings)
    return settings


def _refuse_unknown(names: Iterable[str], *, source: str = "") -> None:
    known = [setting.variable for setting in all_settings()]
    for name in names:
        if name in known or name in NOT_THE_SERVERS or _SERVICE_LINK.fullmatch(name):
            continue
        if name.startswith(_NOT_THE_SERVERS_PREFIX):
            continue
        nearest = _nearest(name.removeprefix(ENVIRONMENT_PREFIX))
        raise SettingsError(
            f"{source}there is no setting {name}; the nearest is {ENVIRONMENT_PREFIX}{nearest}"
        )


def _nearest(stem: str) -> str:
    """Returns the known name most similar to `stem`, both without the prefix that all names share."""
    known = [setting.variable.removeprefix(ENVIRONMENT_PREFIX) for setting in all_settings()]
    # Names that contain `stem` come first: by letters alone, INSECURE is nearest to MIN_SCORE.
    longer = [each for each in known if stem in each]
    return difflib.get_close_matches(stem, longer or known, n=1, cutoff=0.0)[0]


def _parsed(setting: Setting, text: str, *, source: str) -> Any:
    kind = setting.type
    if kind is Path and not text:
        raise SettingsError(f"{source} is empty; it must be a path")
    if kind == Path | None:
        return Path(text) if text else None
    try:
        return _BOOLEANS[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError) as error:
        wanted = {int: "a whole number", float: "a number", bool: "true or false"}[kind]
        raise SettingsError(f"{source} is {text!r}; it must be {wanted}") from error
