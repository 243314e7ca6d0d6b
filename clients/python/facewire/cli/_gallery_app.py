"""The commands under `facewire gallery`."""

from pathlib import Path
from typing import Annotated

import typer

from facewire.cli import _gallery
from facewire.cli._shared_options import GalleryOption, JsonOption

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Galleries: sets of people, also to a file and back.")

GalleryId = Annotated[str, typer.Argument(metavar="GALLERY")]


@app.command("list")
def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Lists galleries."""
    _gallery.list_(context.obj, as_json=as_json)


@app.command()
def create(
    context: typer.Context,
    gallery: GalleryId,
    name: Annotated[str, typer.Option(help="For people.", show_default="the id")] = "",
    as_json: JsonOption = False,
) -> None:
    """Creates an empty gallery. Its id is 1 to 64 of a-z, 0-9, "-", "_", "."."""
    _gallery.create(context.obj, gallery, display_name=name, as_json=as_json)


@app.command()
def delete(
    context: typer.Context,
    gallery: GalleryId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Deletes a gallery with all its people; "default" is emptied and stays."""
    _gallery.delete(context.obj, gallery, sure=yes, as_json=as_json)


@app.command()
def purge(context: typer.Context, as_json: JsonOption = False) -> None:
    """Erases at once what was deleted, in all galleries.

    Returns when no vector, name or id of the deleted is in any file of the server's galleries. Without it the server does this in a
    time that its operator sets, 10 minutes by default.
    """
    _gallery.purge(context.obj, as_json=as_json)


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(dir_okay=False)],
    gallery: GalleryOption = "default",
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Writes a gallery to FILE, which only you may read: it holds biometric data.

    If it is interrupted, no file is left.
    """
    _gallery.export(context.obj, file, gallery=gallery, replace=force, as_json=as_json)


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    gallery: GalleryOption = "default",
    create: Annotated[bool, typer.Option("--create", help="Create the gallery.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Adds the people of FILE, an export, to a gallery.

    After an interruption run it again: templates that exist already are skipped.
    """
    _gallery.import_(context.obj, file, gallery=gallery, create=create, as_json=as_json)
