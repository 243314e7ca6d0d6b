"""The commands under `facewire unknown`."""

from pathlib import Path
from typing import Annotated

import typer

from facewire.cli import _unknown
from facewire.cli._session import usage_error
from facewire.cli._shared_options import GalleryOption, JsonOption

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Unknown people whom cameras saw, if the operator allows them to be kept: list, name, forget.",
)

UnknownId = Annotated[int, typer.Argument(metavar="ID", min=1)]


@app.command("list")
def list_(
    context: typer.Context, gallery: GalleryOption = "default", as_json: JsonOption = False
) -> None:
    """Lists unknown people: how often, when and where they were seen."""
    _unknown.list_(context.obj, gallery=gallery, as_json=as_json)


@app.command()
def pictures(
    context: typer.Context,
    unknown_id: UnknownId,
    folder: Annotated[Path, typer.Argument()],
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Writes the pictures of an unknown person to FOLDER, to see who it is: biometric data."""
    _unknown.pictures(context.obj, unknown_id, folder, gallery=gallery, as_json=as_json)


@app.command()
def name(
    context: typer.Context,
    unknown_id: UnknownId,
    identity_id: Annotated[str, typer.Argument(metavar="NAME")],
    gallery: GalleryOption = "default",
    display_name: Annotated[str, typer.Option(help="For people.", show_default="the name")] = "",
    as_json: JsonOption = False,
) -> None:
    """Enrolls an unknown person as NAME from their best pictures."""
    _unknown.name(
        context.obj,
        unknown_id,
        identity_id,
        gallery=gallery,
        display_name=display_name,
        as_json=as_json,
    )


@app.command()
def forget(
    context: typer.Context,
    unknown_id: Annotated[int | None, typer.Argument(metavar="ID", min=1)] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All of the gallery.")] = False,
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Erases an unknown person, or all."""
    if (unknown_id is None) != everyone:
        raise usage_error("give either the ID of a person, or --all")
    _unknown.forget(context.obj, unknown_id, gallery=gallery, as_json=as_json)
