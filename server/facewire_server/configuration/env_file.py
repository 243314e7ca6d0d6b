"""A file of settings: `NAME=value`, one a line, in the form that `docker run --env-file` reads.

A value is everything after the first `=`, as it stands: quotes, spaces, `#` and `$` are part of it.
Lines that are empty or begin with `#` are skipped. The form has no escapes, so that a value
cannot hold a line break, and the file is UTF-8.
"""

from collections.abc import Iterable
from pathlib import Path

from facewire_server.configuration.settings import SettingsError

__all__ = ["format_env_file", "read_env_file"]

_HEAD = """\
# Settings of facewire-server: NAME=value, one a line; a value is taken as it stands, without quotes.
# Read by `facewire-server run --env-file FILE` and by `docker run --env-file FILE`.
"""


def read_env_file(path: Path) -> dict[str, str]:
    """Returns the values of a file by their names, in order.

    Raises:
        SettingsError: the file cannot be read, or a line is not of the form.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8") from error
    values: dict[str, str] = {}
    # Not splitlines(): it also splits at characters that a value may hold, such as a form feed.
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.removesuffix("\r").lstrip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name or any(character.isspace() for character in name):
            raise SettingsError(f"{path}, line {number}: this is not NAME=value")
        if name in values:
            raise SettingsError(f"{path}, line {number}: {name} is set a second time")
        values[name] = value
    return values


def format_env_file(described: Iterable[tuple[str, str, str]]) -> str:
    """Returns the text of a file with these settings: (variable, value, explanation).

    Raises:
        SettingsError: a value has a line break, or is not Unicode.
    """
    lines = []
    for variable, value, explanation in described:
        if "\n" in value or "\r" in value:
            raise SettingsError(
                f"{variable} has a line break, which a file of settings cannot hold"
            )
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise SettingsError(
                f"{variable} is not UTF-8, as a file of settings must be"
            ) from error
        lines.append(f"# {explanation}\n{variable}={value}\n")
    return _HEAD + "".join(lines)
