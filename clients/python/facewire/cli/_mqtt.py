"""`facewire mqtt`: who comes and goes, published to an MQTT broker, for Home Assistant and others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facewire import AsyncClient, FacewireError
from facewire.cli._broker_options import (
    NamesOption,
    report,
    run_until_stopped,
    takes_broker,
)
from facewire.cli._session import text_of, usage_error

if TYPE_CHECKING:
    from facewire._mqtt.broker import Broker

__all__ = ["mqtt"]


@takes_broker
def mqtt(
    context: typer.Context,
    broker: "Broker",
    prefix: Annotated[
        str, typer.Option(help="How topics begin; another for each bridge.")
    ] = "facewire",
    camera: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only of this camera; may be repeated.")
    ] = None,
    names: NamesOption = False,
    people: Annotated[
        bool, typer.Option("--people", help="Announce a sensor for each person who is recognized.")
    ] = False,
    expire_after_s: Annotated[
        int,
        typer.Option(
            "--expire-after",
            min=10,
            max=86400,
            metavar="SECONDS",
            help="After how long a person who is no longer seen is nowhere.",
        ),
    ] = 60,
    discovery: Annotated[
        bool, typer.Option("--discovery/--no-discovery", help="Announce cameras to Home Assistant.")
    ] = True,
    discovery_prefix: Annotated[
        str, typer.Option(help="How Home Assistant's topics begin.")
    ] = "homeassistant",
    position: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Note the last event here, and go on after it when the command is started again.",
        ),
    ] = None,
) -> None:
    """Publishes who comes and goes to an MQTT broker, until Ctrl-C. Needs the extra `mqtt`.

    Ids of people leave the server, with --names their names, too. Nothing that the broker retains says who is known. Server
    and broker may be away for a while: events wait in the server's journal.
    """
    from facewire._mqtt.bridge import Bridge, Shown
    from facewire._mqtt.feed import EventFeed
    from facewire._mqtt.position import Position
    from facewire._mqtt.together import first_of
    from facewire._mqtt.topics import Topics

    shown = Shown(names=names, people=people, discovery=discovery, expire_after_s=expire_after_s)
    kept = Position(position)
    try:
        topics = Topics(prefix, discovery_prefix)
        after_event = kept.read()
    except ValueError as error:
        raise usage_error(f"{error}") from None
    except OSError as error:
        raise usage_error(f"{error.filename}: {error.strerror}") from None

    def feed_lost(error: FacewireError, pause_s: float) -> None:
        report(f"{text_of(error)} Trying again in {pause_s:.1f} s.")

    def published(event_id: int) -> None:
        try:
            kept.note(event_id)
        except OSError as error:
            report(f"{error.filename}: {error.strerror}")

    async def work(client: AsyncClient) -> None:
        feed = EventFeed(client, cameras=camera or (), after_event=after_event, report=feed_lost)
        bridge = Bridge(feed, broker, topics, shown, report=report, published=published)
        await first_of(feed.read(), bridge.publish())

    run_until_stopped(context.obj, work)
