"""The commands under `facewire identity`."""

from typing import Annotated

import typer

from facewire.cli import _identity
from facewire.cli._shared_options import GalleryOption, JsonOption

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="One identity: its templates; two that are one person, and one that is two.",
)

IdentityId = Annotated[str, typer.Argument(metavar="IDENTITY")]


@app.command()
def templates(
    context: typer.Context,
    identity_id: IdentityId,
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Lists the templates of IDENTITY, oldest first."""
    _identity.templates(context.obj, identity_id, gallery=gallery, as_json=as_json)


@app.command()
def merge(
    context: typer.Context,
    identity_id: IdentityId,
    merged_identity_id: Annotated[str, typer.Argument(metavar="MERGED")],
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Makes two identities that are one person into IDENTITY: the templates of MERGED become its, and MERGED is deleted.

    Prints the command that takes it back, but for what was seen of MERGED, which stays IDENTITY's.
    """
    _identity.merge(context.obj, identity_id, merged_identity_id, gallery=gallery, as_json=as_json)


@app.command()
def split(
    context: typer.Context,
    identity_id: IdentityId,
    new_identity_id: Annotated[str, typer.Argument(metavar="NEW")],
    template_ids: Annotated[list[str], typer.Argument(metavar="TEMPLATE...")],
    name: Annotated[str, typer.Option(help="For people.", show_default="the id")] = "",
    gallery: GalleryOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Makes an identity NEW of some templates of IDENTITY, which are another person's."""
    _identity.split(
        context.obj,
        identity_id,
        new_identity_id,
        template_ids,
        display_name=name,
        gallery=gallery,
        as_json=as_json,
    )
