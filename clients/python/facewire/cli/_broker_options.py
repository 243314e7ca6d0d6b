"""Options of the commands that connect to an MQTT broker, and their run."""

import asyncio
import contextlib
import functools
import inspect
import signal
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from facewire import AsyncClient
from facewire.cli._output import ERRORS
from facewire.cli._session import EXIT_DENIED, Server, async_client, reported, usage_error

if TYPE_CHECKING:
    from facewire._mqtt.broker import Broker

__all__ = ["NamesOption", "report", "run_until_stopped", "takes_broker"]

_PORT = 1883
_TLS_PORT = 8883
"""MQTT's registered ports, without and with TLS."""

NamesOption = Annotated[
    bool, typer.Option("--names", help="Send the names of people, too, not their ids alone.")
]


def takes_broker(command: Callable[..., None]) -> Callable[..., None]:
    """Returns a command with the options of a broker in the place of its parameter `broker`.

    Typer reads options from a signature: this is the one of `broker_of` within the command's own.
    """
    options = inspect.signature(broker_of).parameters
    merged: list[inspect.Parameter] = []
    for own in inspect.signature(command).parameters.values():
        merged += options.values() if own.name == "broker" else [own]

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        broker = broker_of(**{name: given.pop(name) for name in options})
        command(broker=broker, **given)

    by_name = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in merged]
    vars(with_options)["__signature__"] = inspect.Signature(by_name)
    with_options.__annotations__ = {each.name: each.annotation for each in merged}
    return with_options


def broker_of(
    address: Annotated[
        str,
        typer.Argument(envvar="FACEWIRE_MQTT_BROKER", metavar="HOST[:PORT]", help="The broker."),
    ],
    user: Annotated[
        str, typer.Option("--user", envvar="FACEWIRE_MQTT_USER", help="Who logs in to the broker.")
    ] = "",
    password_file: Annotated[
        Path | None,
        typer.Option(
            "--password-file",
            envvar="FACEWIRE_MQTT_PASSWORD_FILE",
            exists=True,
            dir_okay=False,
            help="File of which the first line is the password; read at each connection.",
        ),
    ] = None,
    is_encrypted: Annotated[
        bool, typer.Option("--mqtt-tls", help="Encrypt to the broker; trust the public roots.")
    ] = False,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            "--mqtt-ca",
            exists=True,
            dir_okay=False,
            help="Encrypt to the broker; trust the certificates of this PEM file.",
        ),
    ] = None,
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--mqtt-cert",
            exists=True,
            dir_okay=False,
            help="Encrypt to the broker; show this certificate (PEM) to one that asks for it.",
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--mqtt-key",
            exists=True,
            dir_okay=False,
            help="Its key (PEM), if it is in another file.",
        ),
    ] = None,
) -> "Broker":
    """Returns the broker of the options.

    Raises:
        typer.Exit: an option is wrong, or the extra is not installed.
    """
    try:
        from facewire._mqtt.broker import Broker
    except ModuleNotFoundError as error:
        if error.name != "aiomqtt":
            raise
        raise usage_error(
            "this command needs more: pip install 'WHEEL[mqtt]', of the client's wheel"
        ) from None
    is_encrypted = bool(is_encrypted or ca_file or certificate)
    host, port = _host_and_port(address, _TLS_PORT if is_encrypted else _PORT)
    if password_file and not user:
        raise usage_error("a password without a user: give --user, too")
    if key and not certificate:
        raise usage_error("a key without its certificate: give --mqtt-cert, too")
    return Broker(
        host=host,
        port=port,
        user=user,
        password_file=password_file,
        is_encrypted=is_encrypted,
        ca_file=ca_file,
        certificate=certificate,
        key=key,
    )


def report(text: str) -> None:
    """Prints what is wrong now and may pass."""
    ERRORS.print(f"facewire: {text}")


def run_until_stopped(server: Server, work: Callable[[AsyncClient], Awaitable[Any]]) -> None:
    """Runs a work that never ends, until Ctrl-C or SIGTERM; its errors become texts and exit codes.

    Raises:
        typer.Exit: with the code.
    """
    from facewire._mqtt.broker import RefusedError

    async def main() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # a parent process has turned it off
                loop.add_signal_handler(number, task.cancel)
        async with async_client(server) as client:
            await work(client)

    with reported(threading.Event()):
        try:
            with contextlib.suppress(asyncio.CancelledError):
                asyncio.run(main())
        except RefusedError as error:
            ERRORS.print(f"facewire: {error}.")
            raise typer.Exit(EXIT_DENIED) from error


def _host_and_port(address: str, port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname or "", parts.port or port
    except ValueError:
        host = ""
    if not host or "/" in address or "@" in address:
        raise usage_error(f"{address} is not a HOST or HOST:PORT of a broker")
    return host, port
