"""`facewire frigate`: the people that Frigate finds get their names as sub-labels."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facewire import AsyncClient
from facewire.cli._broker_options import (
    NamesOption,
    report,
    run_until_stopped,
    takes_broker,
)
from facewire.cli._session import usage_error
from facewire.cli._shared_options import GalleryOption

if TYPE_CHECKING:
    from facewire._mqtt.broker import Broker

__all__ = ["frigate"]


@takes_broker
def frigate(
    context: typer.Context,
    broker: "Broker",
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Frigate: http://host:5000, or https://host:8971.")
    ],
    prefix: Annotated[str, typer.Option(help="How Frigate's topics begin.")] = "frigate",
    frigate_user: Annotated[
        str,
        typer.Option(envvar="FACEWIRE_FRIGATE_USER", help="An admin of Frigate, for port 8971."),
    ] = "",
    frigate_password_file: Annotated[
        Path | None,
        typer.Option(
            envvar="FACEWIRE_FRIGATE_PASSWORD_FILE",
            exists=True,
            dir_okay=False,
            help="File of which the first line is the password of that admin.",
        ),
    ] = None,
    frigate_token_file: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="File of a token of Frigate, in place of user and password.",
        ),
    ] = None,
    frigate_ca: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Trust these certificates (PEM) of Frigate."
        ),
    ] = None,
    names: NamesOption = False,
    gallery: GalleryOption = "default",
) -> None:
    """Sets the sub-labels of people that Frigate finds, until Ctrl-C. Needs the extra `mqtt`.

    Only who is known gets one: the id, with --names the name. Turn Frigate's own face recognition off.
    """
    from facewire._mqtt.frigate import Frigate
    from facewire._mqtt.frigate_api import FrigateApi

    try:
        api = FrigateApi(
            url,
            user=frigate_user,
            password_file=frigate_password_file,
            token_file=frigate_token_file,
            ca_file=frigate_ca,
        )
    except (ValueError, OSError) as error:
        raise usage_error(f"{error}") from None

    async def work(client: AsyncClient) -> None:
        helper = Frigate(
            client,
            broker,
            api,
            topic_prefix=prefix,
            gallery=gallery,
            with_names=names,
            report=report,
        )
        await helper.run()

    run_until_stopped(context.obj, work)
